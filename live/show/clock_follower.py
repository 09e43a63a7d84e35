"""A MIDI clock's ticks into a tempo and a place in the music. Numbers only; times in seconds.

Ticks come with a jitter of some milliseconds, so tempo and beat are those of the straight line through the last two bars of
them. A tick may come late, with all those behind it in a bunch, but none comes early: what does not lie on the line is
left out until a whole beat of steady ticks says otherwise. Source: MIDI 1.0 Detailed Specification, "System Real Time Messages".
"""
from collections import deque
from dataclasses import dataclass, field

import numpy as np

TICKS = 24                          # of a clock in a beat
LINE = 8 * TICKS                    # ticks the line goes through
BEAT = TICKS                        # newest ticks, steady ones, from which a tempo is believed
RECENT = TICKS // 2                 # ticks that tell whether the line still holds
ASTRAY = 0.006                      # seconds from the line
MOST = 0.024                        # seconds that no tick of a steady beat is off its line
MOST_UNEVEN = 0.2                   # as EVEN, however ticks tremble
CALM = 0.0025                       # seconds by which ticks tremble where one beat of them is enough
EVEN = 0.03                         # by how much of it the tempo of a steady beat's halves may differ, and by more where ticks tremble
FASTEST, SLOWEST = 60.0 / TICKS / 330.0, 60.0 / TICKS / 18.0        # seconds between the ticks of a tempo that can be
PAUSE = 1.6                         # times as long as ticks are apart otherwise
MANY = 9                            # if so many of the recent ticks are astray, the tempo has changed
SAME = 0.03                         # share of a tempo: one that differs by more is another tempo
SILENT = 1.0                        # seconds without a tick after which there is no clock
GONE = 2.5                          # seconds without a tick after which the next ones are a new tempo and a new place


@dataclass
class Follower:
    """Follows the messages of one clock. position: what the next tick is, in beats, None if unknown.

    origin: beats at the tick counted 0; None until the song's position is known. jumped: it has just been set.
    """
    position: float | None = None
    origin: float | None = None
    jumped: bool = False
    _points: deque = field(default_factory=lambda: deque(maxlen=LINE))           # (number of the tick, when it came) on the line
    _recent: deque = field(default_factory=lambda: deque(maxlen=RECENT))         # (seconds off the line, numbers gone on)
    _times: deque = field(default_factory=lambda: deque(maxlen=2 * BEAT))        # when the newest ticks came, all of them
    _straying: int = 0                  # ticks since the newest ones tell of another tempo
    _ticked: int = 0                    # ticks since there is a line
    _number: int = -1                   # of the newest tick
    _song: float = 0.0
    _line: tuple | None = None          # (seconds a tick, time of the tick counted 0), by the ticks so far

    def take_message(self, kind: str, at: float, value: int = 0):
        """Follow one message of the clock: "clock", "start", "continue", "stop", or "songpos" with its sixteenth notes."""
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
        elif self.origin is not None and self._times:            # stop: a continue goes on from here
            self._song = self.origin + (self._number + 1) / TICKS

    def _tick(self, at):
        """Note a tick. Once the tempo is known, its time says which tick it is, since on a busy machine some are lost."""
        gap = at - self._times[-1] if self._times else 0.0
        if gap > GONE:
            for known in (self._points, self._recent, self._times):
                known.clear()
            self._line, self.origin = None, None
        self._times.append(at)
        if self._line is None:
            self._number += 1
            self._begin()
        else:
            self._go_on(at, gap, self._line)
        if self.position is not None:
            self.origin, self.position, self.jumped = self.position - self._number / TICKS, None, True

    def _begin(self):
        """Count a tick while there is no tempo yet, and take up the tempo after one steady beat."""
        if times := self._find_steady():
            first = self._number + 1 - len(times)
            self._points = deque(((first + n, at) for n, at in enumerate(times)), maxlen=LINE)
            self._line = _fit(self._points)

    def _go_on(self, at, gap, line):
        step, zero = line
        number, late = round((at - zero) / step), gap > PAUSE * step                  # late: nobody knows by how much
        away = at - zero - number * step
        self._recent.append((away, number - self._number))
        strays = self._has_strayed()
        self._straying = self._straying + 1 if strays else 0
        self._ticked += 1
        if strays and (shift := self._measure_shift()):
            self._points = deque(((n, at + shift) for n, at in self._points), maxlen=LINE)
            self._line = step, zero + shift
            self._recent.clear()
        elif ((self._straying >= RECENT or self._ticked % RECENT == 0) and (times := self._find_steady())
              and (self._straying or self._is_other_tempo(times, step))):
            self._restart(times, step, zero)
        elif number > self._number and abs(away) < 2 * ASTRAY and not late and not strays:
            self._points.append((number, at))
            self._line = _fit(self._points) or self._line
        self._number = max(number, self._number)

    def _has_strayed(self) -> bool:
        """Return whether the newest ticks tell of another tempo: off the line, or every second one of it missing."""
        return len(self._recent) == RECENT and MANY <= max(
            sum(abs(away) > ASTRAY for away, _ in self._recent), sum(gone != 1 for _, gone in self._recent))

    def _find_steady(self) -> list:
        """Return the newest beat of ticks, or two where they tremble, if they keep one possible tempo; nothing for a bunch of late ticks."""
        for beats in (1, 2):
            times = np.array(self._times)[-beats * BEAT:]
            if len(times) < beats * BEAT:
                break
            slope, off = _fit_slope(times)
            tremble = float(np.median(off)) * 1.5
            halves = _fit_slope(times[:len(times) // 2])[0], _fit_slope(times[len(times) // 2:])[0]
            even = min(max(EVEN * slope, 40 * tremble / len(times) ** 1.5), MOST_UNEVEN * slope)
            straight = off.max() <= min(max(4 * tremble, ASTRAY), MOST) and abs(halves[0] - halves[1]) <= even
            if FASTEST <= slope <= SLOWEST and straight and (tremble <= CALM or beats == 2):
                return list(times)
        return []

    def _measure_shift(self) -> float:
        """Return by how many seconds the newest ticks are all off the line at its tempo, as after a pause of the clock; 0.0 if they are not."""
        newest = list(self._recent)[-MANY:]
        aways = np.array([away for away, _ in newest])
        drift = _fit_slope(aways)[0] * len(aways)
        alike = all(gone == 1 for _, gone in newest) and aways.std() < abs(aways.mean()) / 2
        return float(aways.mean()) if alike and abs(aways.mean()) > 2 * abs(drift) else 0.0

    def _is_other_tempo(self, times, step) -> bool:
        """Return whether these ticks have another tempo than the line."""
        return abs(_fit_slope(np.array(times))[0] - step) > SAME * step

    def _restart(self, times, step, zero):
        """Begin a new line for a tempo that has changed: only the newest ticks count, one by one."""
        first = round((times[0] - zero) / step)
        self._points = deque(((first + n, at) for n, at in enumerate(times)), maxlen=LINE)
        self._line = _fit(self._points)
        self._number = self._points[-1][0]
        self._recent.clear()
        self._straying = 0

    def join(self, beat: float, beats: float) -> float:
        """Return the origin in the middle of a song: nobody knows where it is, so the beat stays where it is."""
        return beat - beats

    @property
    def is_ill(self) -> bool:
        """Whether the newest ticks say nothing sure of the tempo: held up, in bunches, off the line."""
        return self._line is not None and (not self._find_steady() or self._has_strayed())

    def predict(self, moment: float) -> tuple[float, float] | None:
        """Return (bpm, ticks so far with their fraction) at a moment; None: there is no clock, or nobody knows its tempo yet."""
        if self._line is None or not self._times or moment - self._times[-1] > SILENT:
            return None
        return 60.0 / (self._line[0] * TICKS), (moment - self._line[1]) / self._line[0]


def _fit_slope(times) -> tuple:
    """Return (seconds a tick of the straight line through these, how far each is off it)."""
    numbers = np.arange(len(times)) - (len(times) - 1) / 2
    slope = float(numbers @ (times - times.mean()) / (numbers @ numbers))
    return slope, np.abs(times - times.mean() - slope * numbers)


def _fit(points) -> tuple[float, float] | None:
    """Return the straight line through (number, time) points, by least squares; None where their times do not increase."""
    numbers, times = np.array(points, float).T
    middle, numbers = times.mean(), numbers - numbers.mean()
    slope = float(numbers @ (times - middle) / (numbers @ numbers))
    return (slope, float(middle) - slope * (points[-1][0] - float(numbers[-1]))) if slope > 0 else None
