"""The memory of a show: presets gone to at once or by a morph, the pad, gestures, undo, takes, the autosave.

A player of the loop: what it decides goes through the loop as changes, scenes and motions, and so into takes. Knows no
tensors. The commands that reach it are in preset_commands.py and take_commands.py.
"""
import logging
import math
import threading
from dataclasses import replace
from pathlib import Path

from engine.errors import UserError
from engine.motion import Motion, beats
from engine.scene import Scene
from live.presets.autosave import Autosave
from live.presets.library import Library
from live.presets.morph import Manner, Morph, Pad
from live.presets.preset import captured, recalled
from live.presets.undo import Step, Undo
from live.show.events import Change, Fade
from live.show.parameters import QUANTA, masters_kept
from live.takes.gesture import Gesture
from live.takes.take import Origin, TakeWriter

log = logging.getLogger(__name__)

BEGUN = 1000.0                      # turns of the encoder: it begins anew where they go back, as it will when the take is played
SET_ELSEWHERE = 0.5                 # beats by which the beat moves in a frame only where a clock or a hand has set it


class Memory:
    """show: the Show it joins. library: its presets, or None. takes: the folder recordings go to."""

    def __init__(self, show, library: Library | None = None, takes="takes", origin: Origin = Origin()):
        self.show, self._library, self.takes, self.origin = show, library, Path(takes), origin
        self.undo, self.gesture, self.locks = Undo(), Gesture(), ()
        self.current = self.cued = None              # names of presets
        self.bank, self.mapping = "", ""
        self.morph = self.pad = self.writer = self.replay = None
        self.weights = None                          # live.weights.weights.Weights, once it has joined
        self.corners = [None] * 4                    # names of presets
        self.slots, self.slot = [None, None], 0      # A and B
        self.beat = 0.0
        self.newest = self.shown = None              # (scene, motion) now, and of the picture that is up
        self._since = self._next = self._record_to = self.autosave = self.video = self._ending = None
        self._waiting, self._ours = {}, []           # {what kind: (beat, what to do)}, quantised; what our own commands applied
        show.memory = self
        show.players.append(self)

    @property
    def library(self) -> Library:
        if self._library is None:
            raise UserError("this show has no folder of presets")
        return self._library

    @property
    def has_library(self) -> bool:
        return self._library is not None

    # -- the loop's side

    def play(self, tick) -> list:
        """What memory does in this frame, before the hands."""
        show = self.show
        scene, motion = show.scene, show.motion
        begun, self.newest = self.newest is not None, (scene, motion)
        frozen = bool(scene["/output/freeze"])
        if begun and (not frozen or self.shown is None):
            self.shown = self.newest
        begin = self._start_take() if self._record_to is not None else []
        self._count(motion.beat + beats(scene, tick.dt), beats(scene, tick.dt))
        items = [*begin, *(item for act in self._due() for item in act())]
        if self.replay is not None:
            items += [self._in_time(item) for item in self.replay.play(tick, scene)]
            self.replay = None if self.replay.over else self.replay
        if not frozen:
            items += self.gesture.play(self.beat)
            items += self._lead(tick.dt, scene, motion)
        return items

    stays = True                                         # a bug here must not take the memory out of the show

    def recover(self):
        """A bug came up: let go of whatever leads, so that the next frame can do without it."""
        self.morph = self.pad = self.replay = self._next = None
        self._waiting, self._ours = {}, []

    def heard(self, tick, scene: Scene, motion: Motion, applied: list) -> list:
        """What the hands just did; returns what the pad makes of it."""
        theirs = [item for item in applied if not (isinstance(item, Fade) or any(item is ours for ours in self._ours))]
        self._ours = []
        if theirs:
            self._note(tick, scene, motion, theirs)
        return self._under_pad(tick.dt)

    def _note(self, tick, scene, motion, theirs):
        changes = [item for item in theirs if isinstance(item, Change)]
        self.undo.heard(tick.time, scene, motion, theirs)
        self.gesture.heard(self.beat, changes)
        if len(changes) < len(theirs):
            self.morph = self._next = self.pad = None            # someone else has put another scene in place
        elif self.morph:
            for change in changes:
                self.morph.release(change.address)

    def _count(self, beat, step):
        """The beat there will be in this frame. One that was set elsewhere is a downbeat: what waits need wait no longer."""
        moved = beat - self.beat - step
        if abs(moved) > SET_ELSEWHERE:
            self.gesture.moved(moved)
            self._waiting = {kind: (beat, act) for kind, (_, act) in self._waiting.items()}
        self.beat = beat

    def _in_time(self, item):
        """A motion from another time, at the beat there is now."""
        return item.among(self.show.motion) if isinstance(item, Motion) else item

    def _lead(self, dt, scene, motion) -> list:
        """What the morph does."""
        if self._next:
            self.morph, self._next = Morph(scene, motion, *self._next, before=self.morph, since=self._since), None
            self._since = motion
        if self.morph is None:
            return []
        items = self.morph.play(dt, scene, motion)
        if self.morph.over:
            self.morph = None
        return items

    def _under_pad(self, dt) -> list:
        """What the pad does, unless a morph or a freeze has the picture."""
        scene, motion = self.show.scene, self.show.motion
        if not scene["/pad/on"]:
            self.pad = None
        if not scene["/pad/on"] or self.morph or self._next or scene["/output/freeze"]:
            return []
        if self.pad is None:
            self.pad = Pad([self._target(name) if name else (scene, motion) for name in self.corners])
        return self.pad.play(dt, scene, motion)

    def _due(self):
        """What was waiting for this beat."""
        ready = [kind for kind, (at, _) in self._waiting.items() if at <= self.beat]
        return [self._waiting.pop(kind)[1] for kind in ready]

    def quantised(self, act, kind="recall") -> list:
        """Do it now, or on the next beat or bar where /quantise says so; the newest of its kind waits."""
        quantum = self.quantum
        self._waiting.pop(kind, None)
        if not quantum:
            return act()
        self._waiting[kind] = math.floor(self.beat / quantum + 1) * quantum, act
        return []

    @property
    def leading(self) -> bool:
        """Whether a morph or the pad sets the parameters."""
        return bool(self.morph or self._next or self.pad)

    @property
    def quantum(self) -> float:
        return QUANTA[self.show.scene["/quantise"]]

    # -- what commands and the start of a show do

    def begin_with(self, name: str):
        """Start the show at a preset. UserError: there is no such preset, or what is wrong with it."""
        self.current = self.library.name_of(name)
        self.show.scene, self.show.motion = self._target(self.current)

    def recall(self, name: str, seconds=None) -> list:
        """Go to a preset: in this frame, or as a morph."""
        preset = self.library.read(name)
        manner = Manner.of(self.show.scene, preset.morph, seconds)
        self.current, self.cued = name, None
        return self.go(self._target(name), manner, preset.holds)

    def _target(self, name):
        show = self.show
        scene, motion = self.morph.aim(show.scene) if self.morph else (show.scene, show.motion)
        return recalled(self.library.read(name), scene, motion, self.locks)

    def go(self, target: tuple[Scene, Motion], manner: Manner = Manner(), holds=lambda address: True) -> list:
        """Go to a scene and motion; undoable. holds(address): whether the value there is decided by it."""
        show = self.show
        if self.weights:
            self.weights.leave(holds)
        self.undo.push(Step([show.scene, show.motion], list(target)))
        pad = [Change("/pad/on", 0.0)] if show.scene["/pad/on"] else []
        self.pad = None
        if not manner.cuts:
            self._next = target, manner
            return self.ours(pad)
        self.morph = self._next = self._since = None
        return self.ours([*target, *pad])

    def store(self, name: str, sections=()):
        """Make a preset of what is playing. Overwriting keeps how it is gone to, and can be undone.

        UserError: the one there is can't be read, so what is in it could not be brought back.
        """
        library = self.library
        before = library.read(name) if name in library.names() else None
        about = {"morph": before.morph, "about": before.about} if before else {}
        preset = captured(self.show.scene, self.show.motion, sections, instrument=library.instrument,
                          generator=library.generator, mapping=self.mapping, **about)
        library.keep(name, preset)
        self.current = name
        self.undo.push(Step([], [], (lambda: library.keep(name, before), lambda: library.keep(name, preset))))

    def step_back(self, again=False) -> list:
        """Undo, or redo."""
        if self.weights:
            self.weights.leave()
        self.morph = self._next = None
        items = self.undo.again() if again else self.undo.back()
        kept = [masters_kept(item, self.show.scene) if isinstance(item, Scene) else self._in_time(item) for item in items]
        return self.ours(kept)

    def compare(self) -> list:
        """To the other of A and B; the first time, B begins as a copy of A."""
        self.slots[self.slot] = self.show.scene, self.show.motion
        self.slot = 1 - self.slot
        target = self.slots[self.slot] or self.slots[1 - self.slot]
        return self.go((masters_kept(target[0], self.show.scene), self._in_time(target[1])))

    def ours(self, items: list) -> list:
        """Remember that we, not a hand, applied these."""
        self._ours += items
        return items

    # -- takes and the autosave

    @property
    def recording(self) -> bool:
        """Whether a take is being recorded; one whose disk is full no longer is."""
        return self._record_to is not None or self.show.record is not None and self.writer.failed is None

    def record_to(self, path):
        """Record a take from the next frame on. UserError: there is one of that name."""
        path = Path(path)
        if path.exists():
            raise UserError(f"{path}: there is a take of that name already; choose another")
        self._record_to = path

    def _start_take(self) -> list:
        """Begin; what to apply so that the take, played again, finds everything as it is now."""
        path, self._record_to = self._record_to, None
        scene, motion = self.newest
        try:
            self.writer = TakeWriter(path, scene, motion, self.origin, self.shown)
        except UserError as error:
            log.error("%s", error)
            return []
        self.show.record = self.writer.record
        return self.ours([replace(motion, source=motion.source - BEGUN)]) if self.show.source else []

    def stop_take(self):
        """End the take that is being recorded."""
        self.show.record, self._record_to = None, None
        if self.writer:
            self.writer.stop()

    def stop_video(self):
        """End the video that is being recorded; its file is finished in the background."""
        running, self.video = self.video, None
        if running is not None:
            self.show.outputs = [output for output in self.show.outputs if output is not running]
            self._ending = threading.Thread(target=running.close, name="video end")
            self._ending.start()

    def save_to(self, path, port=0):
        """Keep the scene that plays on the disk from now on. port: the show's OSC port, by which it finds it again."""
        self.autosave = Autosave(path, self._to_save, self.origin.generator, lambda: {"port": port, "locks": list(self.locks)})

    def _to_save(self):
        """What is on show; under a freeze, what the held picture is of."""
        if self.newest is None or self.shown is None or not self.newest[0]["/output/freeze"]:
            return self.newest
        return masters_kept(self.shown[0], self.newest[0]), self.shown[1]

    def close(self):
        """End of the show: everything reaches the disk."""
        self.newest = (self.show.scene, self.show.motion) if self.newest else None
        self.stop_take()
        self.stop_video()
        if self._ending is not None:
            self._ending.join(timeout=5)
        for part in (self.writer, self.autosave, self._library, self.weights):
            if part is not None:
                part.close()
