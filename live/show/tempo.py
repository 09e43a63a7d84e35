"""The tempo that comes from outside: a MIDI clock followed, taps counted. A player of the loop; knows no ports.

A clock's ticks come with a jitter of some milliseconds, so tempo and beat are those of the straight line through the
last two bars of them. What the show hears of it are changes of /tempo and /tempo/nudge, and, where the music jumps, a
motion at another beat: takes play them again. Source: MIDI 1.0 Detailed Specification, "System Real Time Messages".
"""
import logging
import queue
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from engine.errors import UserError
from engine.motion import beats
from live.show.clock import now
from live.show.events import Change

log = logging.getLogger(__name__)

TICKS = 24                          # of a clock in a beat
LINE = 8 * TICKS                    # ticks the line goes through
FEWEST = TICKS                      # ticks before a tempo is believed
RECENT = TICKS // 2                 # ticks that tell whether the line still holds
ASTRAY = 0.006                      # seconds from the line
PAUSE = 1.4                         # times as long as ticks are apart otherwise
MANY = 9                            # of the recent ticks that are astray: the tempo has changed
SILENT = 1.0                        # seconds without a tick: there is no clock any more
JUMP = 0.5                          # beats away from the clock's: set at once; below, the beat goes there
PULL = 2.0                          # of the way there in a second
NEAR = 0.004                        # beats that are near enough
STEADY = 0.05                       # bpm that are no change of tempo
BAR = 4                             # beats


@dataclass
class Follower:
    """Follows the messages of one clock; times in seconds. position: what the next tick is, in beats, None if unknown.

    origin: beats at the tick counted 0; None until the song's position is known. jumped: it has just been set.
    """
    position: float | None = None
    origin: float | None = None
    jumped: bool = False
    _points: deque = field(default_factory=lambda: deque(maxlen=LINE))           # (number of the tick, when it came)
    _recent: deque = field(default_factory=lambda: deque(maxlen=RECENT))         # (when, seconds off the line, numbers gone on)
    _song: float = 0.0
    _line: tuple | None = None          # (seconds a tick, time of the tick counted 0), by the ticks so far

    def heard(self, kind: str, at: float, value: int = 0):
        """A message: "clock", "start", "continue", "stop", or "songpos" with its sixteenth notes."""
        if kind == "clock":
            self._tick(at)
        elif kind == "start":
            self.position = self._song = 0.0
        elif kind == "songpos":
            self._song = value / 4
            if self.position is not None:
                self.position = self._song
        elif kind == "continue":
            self.position = self._song
        elif self.origin is not None and self._points:           # stop: a continue goes on from here
            self._song = self.origin + (self._points[-1][0] + 1) / TICKS

    def _tick(self, at):
        """Once the tempo is known, which tick this is follows from when it comes: on a busy machine some are lost."""
        if self._points and at - self._points[-1][1] > SILENT:
            self._points.clear()
            self._recent.clear()
            self._line, self.origin = None, None
        last = self._points[-1][0] if self._points else -1
        if self._line is None:
            self._points.append((last + 1, at))
            self._line = self._fitted() if len(self._points) >= FEWEST else None
        else:
            step, zero = self._line
            number = round((at - zero) / step)
            away = at - zero - number * step
            self._recent.append((at, away, number - last))
            if self._strays():
                self._turn((step, zero))
            elif number > last and abs(away) < 2 * ASTRAY:
                self._points.append((number, at))
                self._line = self._fitted()
        if self.position is not None:
            self.origin, self.position, self.jumped = self.position - self._points[-1][0] / TICKS, None, True

    def _strays(self):
        """Whether the newest ticks tell of another tempo: off the line, or every second one of it missing."""
        return len(self._recent) == RECENT and MANY <= max(
            sum(abs(away) > ASTRAY for _, away, _ in self._recent), sum(gone != 1 for _, _, gone in self._recent))

    def _turn(self, line):
        """Take the newest ticks only, one by one: the tempo has changed from that of `line`, or the clock has paused."""
        times = [at for at, _, _ in self._recent]
        between = np.diff(times)
        pauses = np.flatnonzero(between > PAUSE * np.median(between))
        if len(pauses) and len(times) - pauses[-1] > RECENT // 2:
            times = times[pauses[-1] + 1:]
        step, zero = line
        first = round((times[0] - zero) / step)
        self._points = deque(((first + n, at) for n, at in enumerate(times)), maxlen=LINE)
        self._recent.clear()
        self._line = self._fitted()

    def _fitted(self):
        """The straight line through the ticks, by least squares; None: they did not come one after the other."""
        numbers, times = np.array(self._points, float).T
        middle, numbers = times.mean(), numbers - numbers.mean()
        slope = float(numbers @ (times - middle) / (numbers @ numbers))
        return (slope, float(middle) - slope * (self._points[-1][0] - float(numbers[-1]))) if slope > 0 else None

    def at(self, moment: float) -> tuple[float, float] | None:
        """(bpm, ticks so far with their fraction) at a moment; None: there is no clock, or nobody knows its tempo yet."""
        if self._line is None or not self._points or moment - self._points[-1][1] > SILENT:
            return None
        return 60.0 / (self._line[0] * TICKS), (moment - self._line[1]) / self._line[0]


class Tempo:
    """show: the Show it joins, as its last player so far. now: the clock of the messages; at: when the last frame was."""

    def __init__(self, show, now=now):
        self.show, self.now = show, now
        self.follower, self.device = Follower(), None
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._taps: deque = deque(maxlen=8)
        self._heard_at = self.at = self._dt = 0.0
        self._driving = False
        show.players.append(self)

    def heard_clock(self, kind: str, at: float, value: int = 0, device: str = ""):
        """A clock's message. Safe from any thread."""
        self._inbox.put((kind, at, value, device))

    @property
    def following(self) -> bool:
        """Whether a clock has the tempo."""
        return self._driving

    def play(self, tick) -> list:
        """What the clock makes of the tempo and the beat."""
        while not self._inbox.empty():
            self._message(*self._inbox.get())
        self.at, self._dt = self.now(), tick.dt
        found = self.follower.at(self.at) if self.show.scene["/tempo/source"] == "midi" else None
        if found is None:
            return self._let_go()
        if not self._driving:
            log.info("the tempo follows the MIDI clock of %s", self.device or "a device")
        self._driving = True
        return self._follow(*found)

    def heard(self, tick, scene, motion, applied) -> list:
        """Hands do not matter to a clock."""
        return []

    def _message(self, kind, at, value, device):
        """One clock at a time: another is heard once the first is silent."""
        if device != self.device and at - self._heard_at > SILENT:
            self.device, self.follower = device, Follower()
        if device == self.device:
            self._heard_at = at
            self.follower.heard(kind, at, value)

    def _let_go(self):
        if not self._driving:
            return []
        self._driving = False
        log.info("no MIDI clock: the tempo stays at %.2f", self.show.scene["/tempo"])
        return [Change("/tempo/nudge", 0.0)]

    def _follow(self, bpm, ticks):
        scene, motion, follower = self.show.scene, self.show.motion, self.follower
        tempo = scene["/tempo"] if abs(bpm - scene["/tempo"]) < STEADY else scene.parameters["/tempo"].clamp(round(bpm, 2))
        step = self._dt * tempo / 60.0
        if follower.origin is None:                      # joined in the middle of a song: from here on in step with it
            follower.origin = motion.beat + step - ticks / TICKS
        away = follower.origin + ticks / TICKS - motion.beat - step
        jumps, follower.jumped = follower.jumped or abs(away) > JUMP, False
        nudge = 0.0
        if not jumps and abs(away) > NEAR:
            nudge = round(min(max(away * min(PULL, 0.5 / max(self._dt, 1e-3)) * 60.0 / tempo, -0.5), 0.5), 3)
        wanted = {"/tempo": tempo, "/tempo/nudge": nudge}
        items = [Change(address, value) for address, value in wanted.items() if scene[address] != value]
        return [*items, replace(motion, beat=motion.beat + away)] if jumps else items

    # -- by hand

    def tap(self, at: float) -> list:
        """A tap on the beat, at this time: the second and each one after it set the tempo, and the beat."""
        if self.following:
            raise UserError("the tempo follows a MIDI clock; /tempo/source internal lets you tap")
        if self._taps and not 0 < at - self._taps[-1] < 2.2 * self._interval(3.0 / 2.2):
            self._taps.clear()
        self._taps.append(at)
        if len(self._taps) < 2:
            return []
        tempo = self.show.scene.parameters["/tempo"].clamp(round(60.0 / self._interval(), 2))
        return self._ours([Change("/tempo", tempo), *self._set_beat(1, at, tempo)])

    def _interval(self, otherwise=0.0):
        taps = self._taps
        return (taps[-1] - taps[0]) / (len(taps) - 1) if len(taps) > 1 else otherwise

    def one(self, at: float) -> list:
        """This was the first beat of a bar."""
        items = self._set_beat(BAR, at, self.show.scene["/tempo"])
        if self.following:
            self.follower.origin += items[0].beat - self.show.motion.beat
        return self._ours(items)

    def _set_beat(self, quantum, at, tempo):
        """The nearest multiple of so many beats was at that time."""
        motion, scene = self.show.motion, self.show.scene
        since = max(self.at - at, 0.0) * tempo / 60.0
        coming = motion.beat + beats(scene, self._dt)
        beat = round((coming - since) / quantum) * quantum + since
        return [replace(motion, beat=beat - self._dt * tempo / 60.0 * (1.0 + scene["/tempo/nudge"]))]

    def _ours(self, items):
        return self.show.memory.ours(items) if self.show.memory else items


def tempo_of(show) -> Tempo:
    """The show's Tempo; UserError where it was started without."""
    for player in show.players:
        if isinstance(player, Tempo):
            return player
    raise UserError("this show keeps its tempo to itself")
