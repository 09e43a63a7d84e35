"""A rehearsal of what is played: the set list gone through much faster than it will be, under random hands. Says what passed.

Knows a show and its instrument; draws every frame, on a clock that does not wait. Its processes, outputs and sources are rehearsed by live/processes/acts.py.
"""
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import UserError
from live.mapping import files as mapping_files
from live.mapping.mapping import Mapping
from live.presets.recall import Recall
from live.presets.set_list import ACTIONS
from live.show.events import Asked, ControlEvent, Tick
from live.show.loop import Show
from live.show.parameters import MASTERS, add_parameters, is_below
from live.stage.lane_folder import LaneFolder
from live.stage.service import join_stage
from live.takes.looper import Looper

SPEED = 8.0                         # times faster than the evening
FRAME = 0.2                         # seconds of the evening that a frame is: morphs go on by no more than a quarter
MORPH = 300                         # frames that going to a look may take
BYPASSING = ("engine.bending.live", "engine.encoder_live")                         # loggers that warn of what raised an error and is left out of the picture
CUES = ("/preset/recall", "/preset/cue", "/deck/load", "/set/start")               # commands of mappings whose last word names a preset
PRESSES = ("/undo", "/redo", "/freeze", "/freeze", "/gesture", "/gesture/stop", "/morph/reverse", "/preset/cue 1", "/deck/swap", "/bends/return", "/compare")


@dataclass
class Row:
    """One thing that was tried. reason: why it failed, or what was seen."""
    what: str
    passed: bool
    reason: str = ""


@dataclass
class Heard(logging.Handler):
    """Keeps the errors that are logged, as a bug in one frame of a show is, and bends that raise one; newest: the last of them."""
    lines: Counter = field(default_factory=Counter)
    newest: str = ""

    def __post_init__(self):
        super().__init__(logging.WARNING)

    def emit(self, record):
        """Keep a line."""
        if record.levelno < logging.ERROR and record.name not in BYPASSING:
            return                                       # random hands ask for what there is not
        self.newest = record.getMessage().splitlines()[0][:200]
        self.lines[self.newest] += 1

    __hash__ = logging.Handler.__hash__


class Rehearsal:
    """opened: the instrument. seed: of the hands. mapping: files of the show. takes: where the stage log goes. tell(row): called with each as it is found."""

    def __init__(self, opened, seed: int = 1, mapping=(), takes="takes", tell: Callable[[Row], None] = lambda row: None):
        self.opened, self.rows, self.mapping, self.tell = opened, list[Row](), mapping, tell
        self.show = Show(opened.instrument, Mapping.load(), add_parameters(opened.scene))
        self.random = self.show.random
        self.random.seed(seed)
        self.library = opened.open_library()
        self.recall = Recall(self.show, self.library)
        self.show.join(recall=self.recall, looper=Looper(self.show))
        self.heard = Heard()
        self._closing: list = []
        join_stage(self.show, self, opened.folder.folder, takes)
        self.lanes = LaneFolder(opened.folder.folder / "lanes", lambda: self.show.scene)
        self.callback(self.lanes.close)
        self._frame, self._time = 0, 0.0

    def callback(self, function, *arguments):
        """Have something done at the end."""
        self._closing.append((function, arguments))

    def run(self) -> list[Row]:
        """Return what was tried, one row each."""
        logging.getLogger().addHandler(self.heard)
        try:
            self._look_at_cues()
            for path in self.mapping:
                self._try(f"mapping {Path(path).name}", lambda path=path: self._look_at_mapping(path))
            self._walk()
            self._play([ControlEvent("osc /set/auto", 0.0), Asked("/panic", ())])       # of the last look nothing is left
            self._try("MIDI pulled and back", lambda: "".join(self._play([ControlEvent("device rehearsal", there, True)]) for there in (0.0, 1.0)))
        finally:
            logging.getLogger().removeHandler(self.heard)
            for function, arguments in reversed(self._closing):
                function(*arguments)
            self.show.close()
        return self.rows

    def _walk(self):
        """Go through the show of the set list, or through every preset where there is none, each with hands on it."""
        steps = [step.preset for step in self.library.show] or self.library.list_names()
        there = set(self.library.list_names())           # those that are not there are said already
        for number, name in ((number, name) for number, name in enumerate(steps) if name in there):
            self._try(f"preset {name}", lambda name=name, number=number: self._hold(name, number))

    def _hold(self, name, number):
        """Go to a look and play with it for as long as it will be held, so many times faster."""
        said = self._ask("/set/start" if self.library.show else "/preset/recall", number + 1 if self.library.show else name)
        if said or self.recall.current != name:
            return f"{said or f'the show went to {self.recall.current} instead'}; mend {self.library.make_path(name)}, or take it off the set list"
        held = self.library.show[number].hold if self.library.show else 16.0
        left = max(4, min(60, round(held / SPEED / FRAME)))
        for _ in range(MORPH):                               # the morph is gone through whole
            if not self.recall.leading:
                break
            self._play([])
        for _ in range(left):
            self._play(self._make_hands())
        self._play([Asked("/freeze", ())] if self.show.scene["/output/freeze"] else [])
        return ""

    def _ask(self, command, *arguments) -> str:
        """Run a command; returns what was wrong with it."""
        answers: list = []
        self._play([Asked(command, arguments, answer=answers.append)])
        return answers[0] or "" if answers else "it was not answered"

    def _make_hands(self) -> list:
        """Return what hands do in a frame: faders at random, and now and then a press."""
        addresses = [a for a, p in self.show.scene.parameters.items() if not p.size and not is_below(a, MASTERS)]
        events: list = [ControlEvent(f"osc /n{address}", self.random.random()) for address in self.random.sample(addresses, min(4, len(addresses)))]
        if self.random.random() < 0.1:
            command, *arguments = self.random.choice(PRESSES).split()
            events.append(Asked(command, tuple(arguments)))
        return events

    def _look_at_cues(self):
        """Every name in the set list is that of something there is."""
        library = self.library
        there, lanes = set(library.list_names()), set(self.lanes.list_names())
        named = [("the set list", name) for name in library.list_order()]
        named += [(f"bank {bank}", name) for bank, names in library.list_banks().items() for name in names]
        named += [(f"step {number} of the show", name) for number, step in enumerate(library.show, 1)
                  for name in (step.preset, step.then, *step.chance) if name not in ACTIONS]
        missing = [f"{where} names preset {name!r}" for where, name in dict.fromkeys(named) if name not in there]
        missing += [f"step {number} of the show names lanes {name!r}"
                    for number, step in enumerate(library.show, 1) for name in step.lanes if name not in lanes]
        for text in missing:
            self._add("cues", f"{text}, and there is none: store it, or change {library.set_list.name}")
        if library.unlisted is not None:
            self._add("set list", str(library.unlisted))
        elif not missing:
            self._add("cues")

    def _look_at_mapping(self, path) -> str:
        """Every control and every target of a mapping file is there; loading it says which controls its device lacks."""
        Mapping.load([path])
        there = {*self.library.list_names()}
        missing = [f"{path} > bindings > {number} > to {binding.to}: there is no preset {binding.arguments[-1]!r}"
                   for number, binding in enumerate(mapping_files.read(path).bindings, 1)
                   if binding.to in CUES and binding.arguments and isinstance(binding.arguments[-1], str) and binding.arguments[-1] not in there]
        return "; ".join([*mapping_files.find_doubts(path, self.show.scene), *missing])

    def _try(self, what, act):
        """Do something; it fails where it says why, where a frame failed, or where an error was logged meanwhile."""
        failed, self.heard.lines = self.show.meter.failed, Counter()
        try:
            reason = act()
        except UserError as error:
            reason = str(error)
        if not reason and self.heard.lines:
            reason = next(iter(self.heard.lines))
        if not reason and self.show.meter.failed > failed:
            reason = f"{self.show.meter.failed - failed} frames failed: {self.heard.newest}; leave it out until it is mended"         # a bug is logged once
        self._add(what, reason if isinstance(reason, str) else "")

    def _add(self, what, reason=""):
        self.rows.append(Row(what, not reason, reason))
        self.tell(self.rows[-1])

    def _play(self, events) -> Any:
        """Play a frame in which these are heard; returns nothing."""
        for event in events:
            self.show.inbox.put(event)
        self._frame, self._time = self._frame + 1, self._time + FRAME
        self.show.frame(Tick(self._frame, self._time, FRAME))
        return ""
