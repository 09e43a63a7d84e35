"""The show: one thread, one direction. Events in, frames out. Knows no devices, no files and no tensors."""
import itertools
import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import numpy as np

from engine.errors import UserError
from engine.motion import Motion
from engine.scene import Scene
from live.show.brake import Brake
from live.show.clock import now
from live.show.commands import call
from live.show.events import Asked, Call, Change, ControlEvent, Due, Fade, Tick, Touch
from live.show.inbox import drain, is_of_hand, split
from live.show.journal import Seldom, find_origin
from live.show.meter import Meter
from live.show.notices import Notices
from live.show.parts import Frame, Listeners, Output, Renderer, Source, Translator
from live.show.players import KeepingPlayer, LastingPlayer, Player, sort_players
from live.show.quantise import Quantiser
from live.show.tempo import Tempo
from live.show.timecode import TimecodeClock

log = logging.getLogger(__name__)

AT_ONCE = 10                        # mistakes that may be logged together; of a sender that makes more, one a second is logged
NAMED = {"recall", "recording", "looper", "weights", "tempo", "listening", "timecode", "finds", "switch"}      # players that commands look for
CALLS = 8                           # commands run before the frame's time is looked at
SPENT = 0.15                        # seconds of a frame that commands may take; more wait for the next one, with all after them
WAITING = 256                       # commands that may wait; more are left out
ENDS = "/quit"                      # runs before all commands that wait
TOLD_APART = 300                    # mistakes whose first so many characters are equal count as the same; a sender may send longer ones
AGAIN = 2.0                         # seconds after which the same mistake is logged again


@dataclass
class Show:
    """Everything that changes while playing; only the loop's thread writes to it. What it is made from: live/show/parts.py.

    players: what plays beside the hands, in the order of live/show/players.py; the named ones are what commands look for.
    finish(frame, time, scene) -> Frame: what outputs are given instead, as by the flash limiter; picture_for(name, frame) -> Frame:
    what the one of that name is. record(tick, applied): called once a frame with what was applied in it.
    added: parameters that came to the instrument during the show; scenes made before get them too. strict: errors end the show (tests, renders).
    """
    instrument: Renderer
    mapping: Translator
    scene: Scene
    motion: Motion = Motion()
    outputs: list[Output] = field(default_factory=list)
    inbox: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    source: Source | None = None
    players: list[Player] = field(default_factory=list)
    record: Callable[[Tick, list], object] | None = None
    finish: Callable[[Frame, float, Scene], Frame] | None = None
    picture_for: Callable[[str, Frame | None], Frame | None] | None = None
    echo: Listeners | None = None
    added: dict = field(default_factory=dict)
    strict: bool = False
    meter: Meter = field(default_factory=Meter)
    random: Random = field(default_factory=Random)
    recall: KeepingPlayer | None = None
    recording: KeepingPlayer | None = None
    looper: Player | None = None
    weights: KeepingPlayer | None = None
    finds: KeepingPlayer | None = None
    switch: KeepingPlayer | None = None
    tempo: Tempo | None = None
    listening: Player | None = None
    timecode: TimecodeClock | None = None

    def __post_init__(self):
        self.first, self.stopped, self._complained = self.scene, False, {}
        self._mistakes, self._flood = Seldom(log, now, burst=AT_ONCE), Seldom(log, now)
        self._later: list = []                         # calls that did not fit into a frame's time, and all calls after them: for the next frame
        self._brake = Brake()                          # what hands may still do while a take plays
        self._dark: float | None = 0.0                 # how dark the picture is that is shown now
        self.picture: np.ndarray | None = None         # the one shown now, uint8 [H, W, 3]: before the flash limiter; valid until three frames later
        self.applied = []                              # what was applied in the frame before
        self.quantiser, self.notices = Quantiser(self), Notices()
        self.touched = False                           # whether a hand did something in this frame
        self._joined: dict[str, Player] = {}
        self._own: list = []                           # what was applied in this frame, but not by a hand
        if not self.players:
            self.join()

    def join(self, **players: Player):
        """Let these players take part, each in its place of ORDER: recall=Recall(show), looper=Looper(show)."""
        own: dict[str, Player] = {"quantiser": self.quantiser, "notices": self.notices}
        joined = own | self._joined | players
        for name in players.keys() & NAMED:
            setattr(self, name, players[name])
        self._joined, self.players = joined, sort_players(joined)

    def find_player(self, name: str) -> Player | None:
        """Return the player that joined under this name, or None."""
        return self._joined.get(name)

    def close(self):
        """End of the show: what players keep reaches the disk."""
        for player in (self.recording, self.recall, self.weights, self.finds, self.switch):
            if player is not None:
                player.close()

    def mark_own(self, items: list) -> list:
        """Note that no hand turned these: they come of a recall, an undo, a fade. Returns them."""
        self._own += items
        return items

    def is_own(self, item) -> bool:
        """Return whether something that was applied in this frame is no hand's, or is no part of a look."""
        return isinstance(item, Fade) or any(item is own for own in self._own)

    def play(self, ticks):
        """Play until the ticks end or stop() is called."""
        for tick in ticks:
            if self.stopped:
                return
            self.frame(tick)

    def stop(self):
        """End after this frame. Safe from any thread."""
        self.stopped = True

    def frame(self, tick, replayed=None):
        """Play one frame: apply the events, move, draw, show. replayed: what a take applied in this frame, to be applied instead of the hands' events."""
        self.meter.begin(tick)
        events, moved = drain(self.inbox), False
        try:
            applied = self._play_frame(tick, events) if replayed is None else self._brake.apply_frame(self, replayed, events)
            self.motion, self.applied = self.motion.advance(self.scene, tick.dt), applied
            moved = True
            if self.record:
                self.record(tick, applied)
            picture = self.source.picture(self.scene) if self.source else None
            frame = self.instrument.render(self.scene, self.motion, picture)
        except Exception as error:                     # the picture before it stays up
            if self.strict:
                raise
            self._complain(error)
            self.motion = self.motion if moved else self.motion.dim(self.scene, tick.dt)
            if self.motion.dark != self._dark:         # a blackout goes on, and back
                self._put(self.instrument.repeat(self.scene, self.motion), tick.time)
            self.meter.end(events, failed=True)
            return
        self._put(frame, tick.time)
        self.meter.end(events)
        if self.source:
            self.source.note_frame()

    def _put(self, frame, time):
        self._dark, self.picture = self.motion.dark, getattr(frame, "pixels", None)        # an instrument need not draw
        if self.finish is not None and frame is not None and (self._dark or 0.0) < 1.0:             # black is black at once
            frame = self.finish(frame, time, self.scene)
        for output in self.outputs:
            output.put(frame if self.picture_for is None else self.picture_for(output.name, frame))

    def _play_frame(self, tick, events):
        """Apply what the players and then the hands do in this frame; returns it."""
        played = self._ask_players(lambda player: player.play(tick))
        scene, motion = self.scene, self.motion
        asked = [event for event in events if type(event) is Asked]
        heard = self.mapping.translate([event for event in events if type(event) is not Asked] if asked else events, scene)
        self.touched = any(is_of_hand(item) for item in [*heard, *asked])
        applied = self._apply_affordable(self._later + heard + asked)
        answers = self._ask_players(lambda player: player.after_hands(tick, scene, motion, applied))
        self._own = []
        return played + applied + answers

    def _apply_affordable(self, heard: list) -> list:
        """Apply what was heard, as far as this frame can afford; the rest is kept in order for the next one.

        A bundle of commands lands in one frame. A flood of them must not stop the picture: past CALLS of them and SPENT
        seconds the frame goes on without, and what is too much to keep is left out, and said once a second.
        """
        heard = sorted(heard, key=lambda item: not (isinstance(item, Call) and item.command == ENDS))     # a show ends when told
        applied, self._later, end = [], [], now() + SPENT
        while heard:
            chunk, heard = split(heard, CALLS)
            applied += self.apply(chunk)
            if now() > end:
                break
        if heard:
            self._later, left_out = split(heard, WAITING)
            kept = [item for item in left_out if not isinstance(item, Call)]
            self._later += kept
            for _ in range(len(left_out) - len(kept)):
                self._flood.warn("more than %d commands wait; the rest of a flood is left out", WAITING)
        return applied

    def _ask_players(self, ask) -> list:
        """Return what all players answer, applied one after the other: each meets what those before it have done.

        One with a bug in it leaves the show, or recovers if the show can't do without it, and the hands play on.
        """
        applied = []
        for player in list(self.players):
            try:
                applied += self.apply(ask(player))
            except Exception as error:
                if self.strict and not isinstance(error, UserError):
                    raise
                self._complain(error)
                if isinstance(error, UserError):
                    continue
                if isinstance(player, LastingPlayer):
                    player.recover()
                else:
                    self.players.remove(player)
        return applied

    def apply(self, heard):
        """Take changes and calls into the scene; returns what was applied. A bad one is logged and left out."""
        applied, pending = [], list(heard)
        changes = list(itertools.takewhile(lambda item: isinstance(item, Change), pending))
        if len(changes) > 1:
            try:
                self.scene = self.scene.set(changes)         # all at once: a morph of everything, a bundle of faders, what is heard
                applied, pending = changes, pending[len(changes):]
            except UserError:
                pass                                         # one by one, to find the bad one
        while pending:
            item = pending.pop(0)
            try:
                if isinstance(item, Call):
                    pending[:0] = call(self, item)
                    if isinstance(item, Asked):
                        item.answer(None)
                    continue
                if isinstance(item, Due):
                    pending[:0] = item.act()
                    continue
                if isinstance(item, ControlEvent):
                    pending[:0] = self.mapping.translate([item], self.scene)
                    continue
                if isinstance(item, Change):
                    self.scene = self.scene.set([item])
                elif isinstance(item, Touch):
                    self.motion = self.motion.touch(item.addresses)
                elif isinstance(item, Fade):
                    self.motion = self.motion.start_fade(item.to, item.seconds)
                elif isinstance(item, Motion):
                    self.motion = item
                else:
                    self.scene = item.with_parameters(self.added)
                applied.append(item)
            except UserError as error:
                self._refuse(item, error)
        return applied

    def _refuse(self, item, error):
        """Report a mistake to whoever made it: to the page that asked, otherwise in the log and to listeners."""
        if isinstance(item, Asked):
            item.answer(str(error))
            return
        self._complain(error)
        if self.echo is not None and isinstance(item, (Call, Change)):
            self.echo.tell_mistake(item.command if isinstance(item, Call) else item.address, str(error))

    def _complain(self, error):
        """Log a mistake, the same one again only after a while; a bug once for each line of code it comes from."""
        mistake, moment = isinstance(error, UserError), now()
        what = str(error)[:TOLD_APART] if mistake else (type(error), find_origin(error))
        if what in self._complained and not (mistake and moment - self._complained[what] >= AGAIN):
            return
        if len(self._complained) >= 1000:
            self._complained.clear()
        self._complained[what] = moment
        if mistake:
            self._mistakes.warn("%s", error)
        else:
            log.error("%s: %s", type(error).__name__, error, exc_info=error)
