"""The show: one thread, one direction. Events in, frames out. Knows no devices, no files and no tensors."""
import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from engine.errors import UserError
from engine.motion import Motion
from engine.scene import Scene
from live.show.brake import Brake
from live.show.clock import now
from live.show.commands import call
from live.show.events import Asked, Call, Change, ControlEvent, Due, Fade, Touch
from live.show.inbox import drain, split
from live.show.journal import Seldom
from live.show.meter import Meter
from live.show.players import LastingPlayer, Player, in_order
from live.show.quantise import Quantiser
from live.show.told import Told

log = logging.getLogger(__name__)

AT_ONCE = 10                        # mistakes that may be logged together; a sender that makes more has one a second mentioned
NAMED = {"recall", "recording", "looper", "weights", "tempo", "listening"}      # players that commands look for
CALLS = 8                           # commands run before the frame's time is looked at
SPENT = 0.15                        # seconds of a frame that commands may take; more wait for the next one, with all after them
WAITING = 256                       # commands that may wait; more are left out
ENDS = "/quit"                      # goes before all that waits
TOLD_APART = 300                    # letters by which mistakes are told apart; a sender may send longer ones
AGAIN = 2.0                         # seconds after which the same mistake is told again


class Renderer(Protocol):
    """What draws: engine.instrument.Instrument."""

    def render(self, scene: Scene, motion: Motion, source):
        """Return the Frame of this moment. source: what the encoder sees, uint8 [H, W, 3], or None."""

    def repeat(self, scene: Scene, motion: Motion):
        """Return the newest Frame again, as dark as the motion is."""


class Source(Protocol):
    """What the encoder sees."""

    def picture(self, scene: Scene):
        """Return what this frame sees, uint8 [H, W, 3], or None."""

    def out(self):
        """Take down that the frame is out."""


class Output(Protocol):
    """Where frames go."""
    name: str

    def put(self, frame):
        """Take a frame, without making the loop wait."""


@dataclass
class Show:
    """Everything that changes while playing; only the loop's thread writes to it.

    mapping: .heard(events, scene) -> [Change | Call], and a ControlEvent for what it wants to hear again once they are done.
    players: what plays beside the hands, in the order of live/show/players.py; the named ones are what commands look for.
    finish(frame, time, scene) -> Frame: what outputs are given instead, as by the flash limiter; picture_for(name, frame) -> Frame:
    what the one of that name is.
    record(tick, applied): called once a frame with what was applied in it. echo: live.osc.echo.Echo, or None.
    added: parameters that came to the instrument during the show; scenes made before get them too. strict: errors end the show (tests, renders).
    """
    instrument: Renderer
    mapping: Any
    scene: Scene
    motion: Motion = Motion()
    outputs: list[Output] = field(default_factory=list)
    inbox: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    source: Source | None = None
    players: list[Player] = field(default_factory=list)
    record: Callable | None = None
    finish: Callable | None = None
    picture_for: Callable | None = None
    echo: Any = None
    added: dict = field(default_factory=dict)
    strict: bool = False
    meter: Meter = field(default_factory=Meter)
    random: Random = field(default_factory=Random)
    recall: Any = None
    recording: Any = None
    looper: Any = None
    weights: Any = None
    tempo: Any = None
    listening: Any = None

    def __post_init__(self):
        self.first, self.stopped, self._complained = self.scene, False, {}
        self._mistakes, self._flood = Seldom(log, now, burst=AT_ONCE), Seldom(log, now)
        self._later: list = []                         # what commands past a frame's budget, and all after them, mean
        self._brake = Brake()                          # hands while a take plays
        self._dark: float | None = 0.0                 # how dark the picture is that is up
        self.picture: Any = None                       # the one that is up, uint8 [H, W, 3]: before limits, and valid until three later
        self.applied = []                              # what was applied in the frame before
        self.quantiser, self.told = Quantiser(self), Told()
        self._joined: dict[str, Player] = {}
        self._own: list = []                           # what commands applied in this frame that no hand turned
        if not self.players:
            self.join()

    def join(self, **players: Player):
        """Have these play beside the hands, each in its place: recall=Recall(show), looper=Looper(show)."""
        own: dict[str, Player] = {"quantiser": self.quantiser, "told": self.told}
        joined = own | self._joined | players
        for name in players.keys() & NAMED:
            setattr(self, name, players[name])
        self._joined, self.players = joined, in_order(joined)

    def close(self):
        """End of the show: what players keep reaches the disk."""
        for player in (self.recording, self.recall, self.weights):
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
        """End the show after this frame. Safe from any thread."""
        self.stopped = True

    def frame(self, tick, replayed=None):
        """One turn: hear, change, move, render, show. replayed: what a take says was applied, instead of the hands."""
        self.meter.begin(tick)
        events, moved = drain(self.inbox), False
        try:
            applied = self._played(tick, events) if replayed is None else self._brake.frame(self, replayed, events)
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
            self.motion = self.motion if moved else self.motion.dimmed(self.scene, tick.dt)
            if self.motion.dark != self._dark:         # a blackout goes on, and back
                self._put(self.instrument.repeat(self.scene, self.motion), tick.time)
            self.meter.end(events, failed=True)
            return
        self._put(frame, tick.time)
        self.meter.end(events)
        if self.source:
            self.source.out()

    def _put(self, frame, time):
        self._dark, self.picture = self.motion.dark, getattr(frame, "pixels", None)        # an instrument need not draw
        if self.finish is not None and frame is not None and (self._dark or 0.0) < 1.0:             # black is black at once
            frame = self.finish(frame, time, self.scene)
        for output in self.outputs:
            output.put(frame if self.picture_for is None else self.picture_for(output.name, frame))

    def _played(self, tick, events):
        """What the players and then the hands do in this frame."""
        played = self._ask_players(lambda player: player.play(tick))
        scene, motion = self.scene, self.motion
        asked = [event for event in events if type(event) is Asked]
        heard = self.mapping.translate([event for event in events if type(event) is not Asked] if asked else events, scene)
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
        """What all players answer, applied one after the other: each meets what those before it have done.

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
        if len(pending) > 1 and all(isinstance(item, Change) for item in pending):
            try:
                self.scene = self.scene.set(pending)         # all at once: a morph of everything, a bundle of faders
                return pending
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
                    self.motion = self.motion.touched(item.addresses)
                elif isinstance(item, Fade):
                    self.motion = self.motion.fading(item.to, item.seconds)
                elif isinstance(item, Motion):
                    self.motion = item
                else:
                    self.scene = item.with_parameters(self.added)
                applied.append(item)
            except UserError as error:
                self._refuse(item, error)
        return applied

    def _refuse(self, item, error):
        """Say to whoever did something that it was a mistake: to the page that asked, else in the log and to listeners."""
        if isinstance(item, Asked):
            item.answer(str(error))
            return
        self._complain(error)
        if self.echo is not None and isinstance(item, (Call, Change)):
            self.echo.tell_mistake(item.command if isinstance(item, Call) else item.address, str(error))

    def _complain(self, error):
        """Log a mistake of the hands, the same one again after a while; a bug once for each place it comes from."""
        mistake, moment = isinstance(error, UserError), now()
        what = str(error)[:TOLD_APART] if mistake else (type(error), origin(error))
        if what in self._complained and not (mistake and moment - self._complained[what] >= AGAIN):
            return
        if len(self._complained) >= 1000:
            self._complained.clear()
        self._complained[what] = moment
        if mistake:
            self._mistakes.warn("%s", error)
        else:
            log.error("%s: %s", type(error).__name__, error, exc_info=error)


def origin(error):
    """Where an error was raised: (code, line), whatever its text."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_code, trace.tb_lineno
