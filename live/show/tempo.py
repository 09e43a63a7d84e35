"""The tempo that comes from outside: a MIDI clock, Ableton Link or the beat that is heard, and taps. A player of the loop; knows no ports.

What the show hears of it are changes of /tempo and /tempo/nudge, and, where the music jumps, a
motion at another beat: takes play them again. Source: MIDI 1.0 Detailed Specification, "System Real Time Messages".
"""
import logging
import queue
from collections import deque
from dataclasses import replace

from engine.errors import UserError
from engine.motion import beats
from live.show.beat_line import BeatLine
from live.show.clock import now
from live.show.clock_follower import SILENT, TICKS, Follower
from live.show.events import Change

log = logging.getLogger(__name__)

JUMP = 0.5                          # if the beat is further than this from the clock's, it is set at once; otherwise it glides there
PULL = 2.0                          # share of that distance it glides in a second
NEAR = 0.004                        # beats: closer than this is equal
STEADY = 0.05                       # bpm: a smaller difference is no change of tempo
BAR = 4                             # beats
MEASURED = 64                       # newest frames over which the time of a frame is measured
LONGEST = 0.1                       # seconds: the longest that a frame is taken to need until it is seen
LOW = "/audio/low-tempo"
MIDDLE = 2 ** 0.5                   # times that is the tempo heard most gladly


class Tempo:
    """show: the Show it joins, as its last player so far. now: the clock of the messages; at: when the last frame was."""

    def __init__(self, show, now=now):
        self.show, self.now = show, now
        self.follower, self.device = Follower(), None
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._taps: deque = deque(maxlen=8)
        self._heard_at = self.at = self._dt = self._takes = 0.0
        self._measured = 0
        self._driving = False
        self._leader = ""                                # whose tempo it is: midi, link, audio
        self.lines = {"audio": BeatLine(), "link": BeatLine(quantum=float(BAR))}

    def set_beat(self, source: str, tempo: float, beats: float, at: float):
        """Note where a beat is, as heard or as Link has it. Called by the loop's thread."""
        self.lines[source].add(tempo, beats, at)

    def receive_clock(self, kind: str, at: float, value: int = 0, device: str = ""):
        """Pass on a message of a clock. Safe from any thread."""
        self._inbox.put((kind, at, value, device))

    @property
    def following(self) -> bool:
        """Whether a clock has the tempo."""
        return self._driving

    def play(self, tick) -> list:
        """Return the changes of tempo and beat that the clock asks for in this frame."""
        while not self._inbox.empty():
            self._take_message(*self._inbox.get())
        self.at, self._dt = self.now(), tick.dt
        leader = self._choose_leader()
        if leader is None:
            return self._release()
        if not self._driving or leader != self._leader:
            log.info("the tempo follows %s", self._list_names(leader))
        self._driving, self._leader = True, leader
        return self._follow(self._follow_leader(leader), *self._predict(leader))

    def _choose_leader(self) -> str | None:
        """Return whose beat is to be followed now: a clock goes before what is heard."""
        order = {"midi": ("midi",), "link": ("link",), "audio": ("midi", "link", "audio")}.get(self.show.scene["/tempo/source"], ())
        return next((name for name in order if self._predict(name) is not None), None)

    def _follow_leader(self, name):
        return self.follower if name == "midi" else self.lines[name]

    def _predict(self, name):
        """Return (bpm, ticks) of a leader by now: as far on as what is drawn now will be seen later."""
        ahead = self.show.scene["/tempo/ahead"]
        if ahead < 0:
            ahead = 0.0 if name == "midi" else self.measure_delay() * 1000
        return self._follow_leader(name).predict(self.at + ahead / 1000.0)

    def measure_delay(self) -> float:
        """Return the seconds from a frame's beginning to the middle of the time it is seen, as frames took lately."""
        ring = self.show.meter.frame_ms
        if ring.count - self._measured >= MEASURED or not self._measured <= ring.count:
            self._measured = ring.count
            kept = len(ring.values)
            lately = sorted(ring.values[n % kept] for n in range(max(0, ring.count - MEASURED), ring.count))
            self._takes = lately[len(lately) // 2] / 1000.0 if lately else 0.0
        return self._takes + min(self._dt, LONGEST) / 2

    @property
    def leader_name(self) -> str:
        """Whose beat is followed, in words; of a clock its device."""
        return (self.device or "a MIDI clock") if self._leader == "midi" else self._list_names(self._leader)

    def _list_names(self, leader) -> str:
        return {"midi": f"the MIDI clock of {self.device or 'a device'}", "link": "Ableton Link", "audio": "the beat that is heard"}.get(leader, "nothing")

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Hands do not matter to a clock."""
        return []

    def _take_message(self, kind, at, value, device):
        """Follow a message of the clock that leads. Another clock is followed once the first is silent."""
        if device != self.device and at - self._heard_at > SILENT:
            self.device, self.follower = device, Follower()
        if device == self.device:
            self._heard_at = at
            self.follower.take_message(kind, at, value)

    def _release(self):
        if not self._driving:
            return []
        self._driving = False
        what = {"midi": "no MIDI clock", "link": "no Link", "audio": "no beat is heard"}[self._leader]
        log.info("%s: the tempo stays at %.2f", what, self.show.scene["/tempo"])
        return [Change("/tempo/nudge", 0.0)]

    def _follow(self, follower, bpm, ticks):
        scene, motion = self.show.scene, self.show.motion
        tempo = scene["/tempo"] if abs(bpm - scene["/tempo"]) < STEADY else scene.parameters["/tempo"].clamp(round(bpm, 2))
        step = self._dt * tempo / 60.0
        if follower.origin is None:                      # the clock was joined in the middle of a song: its beat counts from here
            follower.origin = follower.join(motion.beat + step, ticks / TICKS)
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
        """Take a tap on the beat, at this time: the second and each one after it set the tempo, and the beat."""
        if self.following and self._leader != "audio" and not self._follow_leader(self._leader).is_ill:
            raise UserError(f"the tempo follows {'a MIDI clock' if self._leader == 'midi' else 'Ableton Link'}; /tempo/source internal lets you tap")
        if self._taps and not 0 < at - self._taps[-1] < 2.2 * self._measure_interval(3.0 / 2.2):
            self._taps.clear()
        self._taps.append(at)
        if len(self._taps) < 2:
            return []
        tempo = self.show.scene.parameters["/tempo"].clamp(round(60.0 / self._measure_interval(), 2))
        if self.following and self._leader == "audio":   # the tempo that is heard is more exact: taps only choose which multiple of it is meant
            return self._mark_own([Change(LOW, round(tempo / MIDDLE, 2))])
        if self.following:                               # a clock that is unsteady: it sets the tempo again once it is steady
            self.follower = Follower()
        return self._mark_own([Change("/tempo", tempo), *self._set_beat(1, at, tempo)])

    def _measure_interval(self, otherwise=0.0):
        taps = self._taps
        return (taps[-1] - taps[0]) / (len(taps) - 1) if len(taps) > 1 else otherwise

    def mark_bar(self, at: float) -> list:
        """Return the motion in which this moment is the first beat of a bar."""
        items = self._set_beat(BAR, at, self.show.scene["/tempo"])
        if self.following:
            self._follow_leader(self._leader).origin += items[0].beat - self.show.motion.beat
        return self._mark_own(items)

    def multiply(self, factor: float) -> list:
        """Double or halve the tempo; beats stay where they are. A tempo that is heard stays doubled or halved."""
        if self.following and self._leader != "audio":
            raise UserError(f"the tempo follows {self._list_names(self._leader)}, which says how fast it is")
        scene, motion = self.show.scene, self.show.motion
        wanted = scene["/tempo"] * factor
        tempo, low = scene.parameters["/tempo"], scene.parameters[LOW]
        heard = self.following or scene["/tempo/source"] == "audio"
        if not tempo.low <= wanted <= tempo.high or heard and not low.low <= scene[LOW] * factor <= low.high:
            raise UserError(f"/tempo {scene['/tempo']:.4g} can't be {'doubled' if factor > 1 else 'halved'}: it would be beyond what there is")
        beat = motion.beat * factor
        beat = beat + round(motion.beat - beat)
        if heard:
            self.lines["audio"].origin = None
        return self._mark_own([Change("/tempo", wanted), *([Change(LOW, scene[LOW] * factor)] if heard else []), replace(motion, beat=beat)])

    def _set_beat(self, quantum, at, tempo):
        """Return the motion in which the nearest multiple of so many beats was at that time."""
        motion, scene = self.show.motion, self.show.scene
        since = max(self.at - at, 0.0) * tempo / 60.0
        coming = motion.beat + beats(scene, self._dt)
        beat = round((coming - since) / quantum) * quantum + since
        return [replace(motion, beat=beat - self._dt * tempo / 60.0 * (1.0 + scene["/tempo/nudge"]))]

    def _mark_own(self, items):
        return self.show.mark_own(items)


def find_tempo(show) -> Tempo:
    """Return the Tempo of a show. UserError: it was started without."""
    if show.tempo is None:
        raise UserError("this show keeps its tempo to itself")
    return show.tempo
