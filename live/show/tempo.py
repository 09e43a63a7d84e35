"""The tempo that comes from outside: a MIDI clock followed, taps counted. A player of the loop; knows no ports.

What the show hears of it are changes of /tempo and /tempo/nudge, and, where the music jumps, a
motion at another beat: takes play them again. Source: MIDI 1.0 Detailed Specification, "System Real Time Messages".
"""
import logging
import queue
from collections import deque
from dataclasses import replace

from engine.errors import UserError
from engine.motion import beats
from live.show.clock import now
from live.show.clock_follower import SILENT, TICKS, Follower
from live.show.events import Change

log = logging.getLogger(__name__)

JUMP = 0.5                          # beats away from the clock's: set at once; below, the beat goes there
PULL = 2.0                          # of the way there in a second
NEAR = 0.004                        # beats that are near enough
STEADY = 0.05                       # bpm that are no change of tempo
BAR = 4                             # beats


class Tempo:
    """show: the Show it joins, as its last player so far. now: the clock of the messages; at: when the last frame was."""

    def __init__(self, show, now=now):
        self.show, self.now = show, now
        self.follower, self.device = Follower(), None
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._taps: deque = deque(maxlen=8)
        self._heard_at = self.at = self._dt = 0.0
        self._driving = False

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

    def after_hands(self, tick, scene, motion, applied) -> list:
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
        if self.following and not self.follower.is_ill:
            raise UserError("the tempo follows a MIDI clock; /tempo/source internal lets you tap")
        if self._taps and not 0 < at - self._taps[-1] < 2.2 * self._interval(3.0 / 2.2):
            self._taps.clear()
        self._taps.append(at)
        if len(self._taps) < 2:
            return []
        if self.following:                               # a clock that is ill: it has the tempo again once it is steady
            self.follower = Follower()
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
        return self.show.mark_own(items)


def tempo_of(show) -> Tempo:
    """The show's Tempo; UserError where it was started without."""
    if show.tempo is None:
        raise UserError("this show keeps its tempo to itself")
    return show.tempo
