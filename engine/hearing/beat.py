"""Tempo and the place in the beat, from the strengths of hits. Looked for a few times a second; in between the beat goes on by itself.

A beat is predicted and not detected, so it can be told before it is there.
"""
import math
from dataclasses import dataclass

import numpy as np

from engine.hearing.spectrum import HOPS

MEMORY = 750                        # hops, 8 s
RECALLED = 400.0                    # hops in which what was heard counts for less by e
LOOKED = 16                         # hops from one look to the next
SHARES = np.array([1.0, 0.7, 0.35])             # of kick, snare and hat in what the tempo is looked for in
SMOOTHED = 17                       # hops whose mean is taken away
USUAL = math.sqrt(2.0)              # of the preferred range, low to twice that: its middle
OCTAVES = 0.8                       # how far from there a tempo is unlikely
SAME, LIKELIER = 0.04, 1.25         # a tempo so near to the last is so much more likely
MULTIPLES = (2, 4, 8, 16)           # beats at which a period is measured
FURTHEST = 620                      # hops, of those
FADES = 0.93                        # per beat back, of the weights by which the phase is found
PULL, NEAR, LOOKS = 0.35, 0.12, 4   # of the difference, up to so many beats; further off, after so many looks in a row
RECENT, QUIET = 188, 0.05           # hops; no look while all strengths of those stay below
BINS = 64                           # of a beat in which the phase is looked for
SURE, FEW = 1.6, 12.0               # times likeness is confidence; hops of hits that say nothing yet
PLAIN = 0.25                        # strength of the plainest hit from which it is as good as any
AGREES = 0.25                       # of what one look counts, of whether it finds the tempo of the one before
LOCKED = 0.3                        # confidence from which a tempo is to be believed
FOUND = 220                         # hops of sound before the first look
BAR = 4                             # beats
FORGETS = 0.94                      # per beat, of what speaks for one of a bar's beats
SURER = 1.15                        # times as likely another first beat has to be


@dataclass(frozen=True)
class Beat:
    """tempo: bpm. at: seconds of sound at which a beat is, `number` beats after the first. confidence: 0..1, how periodic it is."""
    tempo: float
    at: float
    number: int = 0
    confidence: float = 0.0

    def beats(self, time: float) -> float:
        """Return how many beats there have been at a time, with their fraction."""
        return self.number + (time - self.at) * self.tempo / 60.0


class BeatTracker:
    """low: the preferred range is from low to twice as many bpm. hops: a second. beat: the newest; None before there was any sound."""

    def __init__(self, low: float = 80.0, hops: float = HOPS):
        self.low, self.hops, self.confidence = low, hops, 0.0
        self.beat: Beat | None = None
        self._strengths, self._count = np.zeros(MEMORY), 0
        self._heard = 0                                  # hops since there was sound
        self._astray, self._agreed = 0, 0.0
        self._first, self._votes = 0, np.zeros(BAR)
        self._kicks = np.zeros(MEMORY)

    def hop(self, strengths: np.ndarray, time: float) -> Beat | None:
        """Take a hop's strengths of kick, snare and hat; time: of the sound they are heard in. Returns the beat by now."""
        slot = self._count % MEMORY
        self._strengths[slot] = float(strengths @ SHARES)
        self._kicks[slot] = strengths[0] - 0.7 * strengths[1]
        self._count += 1
        self._heard += 1
        if self._count % LOOKED == 0:
            self._look(time)
        return self.beat

    def prefer(self, low: float):
        """Prefer tempi from `low` to twice that; a tempo outside is folded into it at once."""
        if low == self.low:
            return
        self.low, beat = low, self.beat
        if beat is None:
            return
        tempo, at, number = beat.tempo, beat.at, beat.number
        while tempo < low / 1.02:
            tempo, number = 2 * tempo, 2 * number
        while tempo >= 2.0 * low * 1.02:
            at, number, tempo = at - (number % 2) * 60.0 / tempo, number // 2, tempo / 2
        self.beat = Beat(tempo, at, number, beat.confidence)

    @property
    def bar(self) -> int:
        """Number of a beat that is the first of a bar."""
        return self._first

    def _look(self, time):
        newest = np.roll(self._strengths, -(self._count % MEMORY))
        if newest[-RECENT:].max() < QUIET:
            self.confidence, self._heard = 0.0, 0
            self._tell(time)
            return
        if self._heard < FOUND:
            return
        strength = _plain(newest)[-min(self._heard, MEMORY):]
        strength *= np.exp(np.arange(1 - len(strength), 1) / RECALLED)
        likeness = _likeness(strength)
        period = self._period(likeness)
        if period is None:
            self.confidence = self._agreed = 0.0
        else:
            same = self.beat is not None and abs(60.0 * self.hops / period / self.beat.tempo - 1.0) < SAME
            self._agreed += (same - self._agreed) * AGREES
            self.confidence = _confidence(strength, likeness, period) * self._agreed
            self._follow(strength, period, time)
        self._tell(time)

    def period_of(self, strength: np.ndarray) -> float | None:
        """Return the period in hops of strengths that are there as a whole, None where nothing repeats."""
        return self._period(_likeness(_plain(strength)))

    def _tell(self, time):
        if self.beat is not None:
            number = math.floor(self.beat.beats(time))
            at = time - (self.beat.beats(time) - number) * 60.0 / self.beat.tempo
            self.beat = Beat(self.beat.tempo, at, number, round(self.confidence, 3))

    def _period(self, likeness):
        """Return the period in hops, None where nothing repeats."""
        shortest, longest = 60.0 * self.hops / (2.0 * self.low), 60.0 * self.hops / self.low
        lags = np.arange(math.ceil(shortest), min(int(longest), len(likeness) // 4 - 2) + 1)
        if len(lags) < 3:
            return None
        score = likeness[lags] + 0.5 * likeness[2 * lags] + 0.25 * likeness[4 * lags]
        away = np.log2(60.0 * self.hops / lags / (self.low * USUAL))
        score = score * np.exp(-0.5 * (away / OCTAVES) ** 2)
        if self.beat is not None:
            score = np.where(abs(lags * self.beat.tempo / (60.0 * self.hops) - 1.0) < SAME, score * LIKELIER, score)
        best = int(np.argmax(score))
        if score[best] <= 0.0:
            return None
        return _refined(likeness, float(lags[best]))

    def _follow(self, strength, period, time):
        phase = _phase(strength, period)                 # hops before the newest one at which a beat was
        tempo = 60.0 * self.hops / period
        at = time - phase / self.hops
        if self.beat is None:
            self.beat, self._astray = Beat(tempo, at), 0
            return
        was = self.beat.beats(at)
        number = round(was)
        off = was - number                               # beats that the old grid is ahead
        changed = abs(self.beat.tempo / tempo - 1.0) > SAME
        self._astray = self._astray + 1 if abs(off) > NEAR else 0
        if abs(off) <= NEAR or changed:
            at += off * (1.0 - PULL) * 60.0 / tempo * (-1.0 if not changed else 0.0)
        elif self._astray < LOOKS:
            at -= off * 60.0 / tempo
        else:
            self._astray = 0
        self._vote(strength, period, phase, number)
        self.beat = Beat(tempo, at, number)

    def _vote(self, strength, period, phase, number):
        """Find which beat of a bar is its first: kicks speak for it, snares against."""
        kicks = np.roll(self._kicks, -(self._count % MEMORY))[-len(strength):]
        votes = np.zeros(BAR)
        for back in range(int((len(kicks) - phase - 3) / period)):
            here = len(kicks) - 1 - round(phase + back * period)
            votes[(number - back) % BAR] += FADES ** back * float(kicks[max(here - 2, 0):here + 3].sum())
        self._votes = FORGETS * self._votes + votes
        best, first = int(np.argmax(self._votes)), self._first % BAR
        if best != first and self._votes[best] > SURER * max(self._votes[first], 1e-9):
            self._first = best


def _plain(strength) -> np.ndarray:
    """Return how far strengths are above what is usual around them."""
    return np.maximum(strength - np.convolve(strength, np.full(SMOOTHED, 1 / SMOOTHED), "same"), 0.0)


def _likeness(strength) -> np.ndarray:
    """Return how alike the strengths are to themselves so many hops before."""
    count = len(strength)
    size = 1 << (2 * count - 1).bit_length()
    found = np.fft.rfft(strength, size)
    return np.fft.irfft(found.real ** 2 + found.imag ** 2, size)[:count] / np.arange(count, 0, -1)


def _confidence(strength, likeness, period) -> float:
    """Return how much more alike the strengths are a period before than at any time; little where hits are too few to tell."""
    usual = float(likeness[int(period / 2):int(4 * period)].mean())
    share = (_at(likeness, period) - usual) / max(float(likeness[0]) - usual, 1e-12)
    hits = float(strength.sum()) ** 2 / max(float((strength ** 2).sum()), 1e-12)      # hops that share in it, if they did so alike
    plain = min(float(strength.max()) / PLAIN, 1.0)
    return min(max(share * SURE, 0.0), 1.0) * min(max((hits - FEW) / FEW, 0.0), 1.0) * plain


def _at(values, place) -> float:
    low = int(place)
    share = place - low
    return float(values[low] * (1 - share) + values[min(low + 1, len(values) - 1)] * share)


def _peak(values, near, reach):
    """Return where the values have their top within reach of a place, by a parabola; None at the edge."""
    first, last = max(1, math.ceil(near - reach)), min(len(values) - 2, int(near + reach))
    if last <= first:
        return None
    best = first + int(np.argmax(values[first:last + 1]))
    left, top, right = values[best - 1], values[best], values[best + 1]
    if top < left or top < right or top <= 0.0:
        return None
    bend = left - 2 * top + right
    return best + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def _refined(likeness, period) -> float:
    """Return the period measured over ever more beats."""
    for multiple in (1, *MULTIPLES):
        reach = 1.5 if multiple == 1 else min(0.03 * multiple * period, 2.0 + 0.2 * multiple, 0.25 * period)
        if multiple * period > min(FURTHEST, len(likeness) - 40):
            break
        found = _peak(likeness, multiple * period, reach)
        if found is not None:
            period = found / multiple
    return period


def _phase(strength, period) -> float:
    """Return how many hops before the newest one a beat was, 0 .. period."""
    back = np.arange(len(strength) - 1, -1, -1)
    weights = strength * FADES ** (back / period)
    place = (back / period % 1.0) * BINS
    low = place.astype(int)
    share = place - low
    fold = np.bincount(low % BINS, weights * (1 - share), BINS) + np.bincount((low + 1) % BINS, weights * share, BINS)
    wide = fold + 0.8 * (np.roll(fold, 1) + np.roll(fold, -1)) + 0.4 * (np.roll(fold, 2) + np.roll(fold, -2))
    best = int(np.argmax(wide))
    left, top, right = wide[best - 1], wide[best], wide[(best + 1) % BINS]
    bend = left - 2 * top + right
    return (best + (0.5 * (left - right) / bend if bend < 0 else 0.0)) / BINS % 1.0 * period
