"""Linear timecode: the sound of a tape's or a desk's time, 80 bits a frame, read from samples. Source: SMPTE ST 12-1.

Each bit begins with a change of sign, and a 1 has another one in its middle. So neither level nor polarity matter. Knows no clock.
"""
from typing import NamedTuple

import numpy as np

from engine.hearing.spectrum import convert_samples

BITS = 80
SYNC = 0xBFFC                       # the last 16 bits of a frame, the first of them lowest
RATES = (24, 25, 30)                # frames a second; 23.976 and 29.97 count as 24 and 30
SLOWEST, FASTEST = 20.0, 35.0       # frames a second that are read
DROPPED = 30000 / 1001              # frames a second of what leaves out numbers
HYSTERESIS = 0.15                   # of the swing, that a change of sign has to pass
LEAST = 1e-3                        # swing below which there is no signal
FOLLOWS = 0.05                      # of the difference by which the length of a bit is followed
ZERO, LOST = 0.75, 1.6              # of a bit's length: from here on it is a whole one; too long for any
LEARNED = 48                        # changes of sign from which the length of a bit is learned
PIECE = 256                         # samples that are looked at together, at least
BUSIEST = 1.3                       # times the changes of sign of the fastest timecode: sound with more is none


class Timecode(NamedTuple):
    """A frame that was read. end: samples since the beginning at which it was over. seconds: of the day at that moment. rate: frames a second."""
    end: float
    seconds: float
    rate: int


class LtcReader:
    """feed() samples of one channel, blocks of any length. rate: Hz."""

    def __init__(self, rate: float):
        self.rate = rate
        self._shortest, self._longest = rate / (BITS * FASTEST), rate / (BITS * SLOWEST)
        self._samples, self._sign, self._changed = 0, 0, 0.0             # changed: where the sign did last
        self._waiting = np.zeros(0)
        self._low = self._high = 0.0                     # how far the signal swings, lately
        self._bit = 0.0                                  # samples of a bit, 0 while that is not known
        self._half, self._first, self._register, self._count = False, 0.0, 0, 0
        self._intervals: list[float] = []

    def feed(self, samples: np.ndarray) -> list[Timecode]:
        """Return the frames that end in these samples, [N] of any kind of numbers."""
        samples = np.concatenate((self._waiting, convert_samples(samples))) if len(self._waiting) else convert_samples(samples)
        if len(samples) < PIECE:
            self._waiting = samples
            return []
        self._waiting = samples[:0]
        places = self._find_changes(samples)
        start, self._samples = self._samples, self._samples + len(samples)
        if len(places) > BUSIEST * (2 + 2 * len(samples) / self._shortest):
            self._reset()
            return []
        found = []
        for place in places:
            interval, self._changed = start + place - self._changed, start + place
            if self._take_interval(interval) and (read := self._read(self._changed)) is not None:
                found.append(read)
        return found

    def _find_changes(self, samples) -> list[float]:
        """Return where the sign changes, in samples, as it passes the middle of the swing."""
        high, low = float(samples.max()), float(samples.min())
        self._high, self._low = max(high, 0.5 * (high + self._high)), min(low, 0.5 * (low + self._low))
        swing, middle = self._high - self._low, 0.5 * (self._high + self._low)
        if not swing > LEAST:
            return []
        away = samples - middle
        signs = np.where(away > HYSTERESIS / 2 * swing, 1, np.where(away < -HYSTERESIS / 2 * swing, -1, 0))
        plain = np.flatnonzero(signs)
        if not len(plain):
            return []
        kept = signs[plain]
        changed = plain[np.flatnonzero(np.diff(kept, prepend=self._sign or kept[0]))]
        self._sign = int(kept[-1])
        before = away[np.maximum(changed - 1, 0)]        # between them it passed the middle, or a little before
        rise = away[changed] - before
        share = np.where(np.abs(rise) > 1e-12, away[changed] / np.where(np.abs(rise) > 1e-12, rise, 1.0), 0.0)
        return (changed - np.clip(share, 0.0, 2.0)).tolist()

    def _reset(self):
        self._bit, self._half, self._count = 0.0, False, 0
        self._intervals.clear()

    def _take_interval(self, interval) -> bool:
        """Take the samples between two changes of sign; return whether a bit is complete with it."""
        if not self._bit:
            self._learn(interval)
            return False
        share = interval / self._bit
        if share > LOST:
            self._reset()
            return False
        whole = share > ZERO
        if whole and self._half:                         # half a bit is missing: this is where one begins
            self._half, self._count = False, 0
        if not whole and not self._half:
            self._half, self._first = True, interval
            return False
        bit = 0 if whole else 1
        length = interval if whole else interval + self._first
        self._bit += FOLLOWS * (length - self._bit)
        self._half = False
        self._register = (self._register >> 1) | (bit << (BITS - 1))
        self._count += 1
        if not self._shortest < self._bit < self._longest:
            self._reset()
        return True

    def _learn(self, interval):
        """Learn how long a bit is: of many intervals the longer ones are whole bits."""
        self._intervals.append(interval)
        if len(self._intervals) < LEARNED:
            return
        longest, kept = sorted(self._intervals)[int(0.9 * LEARNED)], self._intervals
        self._intervals = kept[LEARNED // 2:]
        if self._shortest < longest < self._longest:
            whole = [length for length in kept if ZERO < length / longest < LOST]
            self._bit, self._half, self._count = sum(whole) / len(whole), False, 0
            for length in kept:                          # which were bits already
                self._take_interval(length)

    def _read(self, end) -> Timecode | None:
        """Return the frame that the last 80 bits are; None: they are none."""
        bits = self._register
        if bits >> 64 != SYNC or self._count < BITS:
            return None
        number = lambda place, units, tens: (bits >> place & (1 << units) - 1) + 10 * (bits >> place + 8 & (1 << tens) - 1)
        frame, second, minute, hour = number(0, 4, 2), number(16, 4, 3), number(32, 4, 3), number(48, 4, 2)
        rate = min(RATES, key=lambda known: abs(self.rate / (BITS * self._bit) - known))
        if frame >= 30 or second >= 60 or minute >= 60 or hour >= 24:
            return None
        return Timecode(end, count_seconds(hour, minute, second, frame + 1, rate, bool(bits >> 10 & 1)), rate)


def count_seconds(hour: int, minute: int, second: int, frame: int, rate: int, drops: bool = False) -> float:
    """Return the seconds of the day that a timecode stands for. drops: of 30 frames a second, two numbers a minute are left out but for each tenth."""
    if not drops:
        return hour * 3600.0 + minute * 60.0 + second + frame / rate
    minutes = hour * 60 + minute
    return ((minutes * 60 + second) * 30 + frame - 2 * (minutes - minutes // 10)) / DROPPED
