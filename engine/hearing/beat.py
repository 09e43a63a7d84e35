"""Tempo and the place in the beat, from the strengths of hits. Looked for a few times a second; in between the beat goes on by itself.

A beat is predicted and not detected, so it can be told before it is there.
"""
import math
from dataclasses import dataclass

import numpy as np

from engine.hearing.spectrum import HOPS

MEMORY = 750                        # hops, 8 s
RECALLED = 400.0                    # hops after which a hit counts for 1/e of what it did
LOOKED = 16                         # hops between two estimates, called looks here
SHARES = (1.0, 0.7, 0.35)           # weights of kick, snare and hat in the signal whose tempo is estimated
FORGOTTEN = np.exp(np.arange(1 - MEMORY, 1) / RECALLED)
SMOOTHED = 17                       # hops of the running mean that is subtracted
USUAL = math.sqrt(2.0)              # the middle of the preferred range of tempi, low to twice that, as a multiple of low
OCTAVES = 0.8                       # how many octaves from there a tempo becomes unlikely
SAME, LIKELIER = 0.04, 1.25         # a tempo that differs by less than SAME from the last is taken as LIKELIER times as likely
TWO, FOUR = 0.5, 0.5               # weights of the likeness after two and four beats; that after one has 1
RIVAL_LOOKS = 12                    # looks, 2 s, after which a tempo that is likelier without that bonus replaces the last one
FASTEST = 2.3                       # times the range's low end: the fastest tempo, if snares come on every second of its beats
IS_FAST, STAYS_FAST = 0.6, 0.4      # share of the snares that follow another one by a period, for a fast tempo to begin and to stay
BETWEEN, STAYS_BETWEEN = 1.2, 1.0   # times the kicks that come with snares: those half a period before and after
MULTIPLES = (1, 2)                  # beats at which a period is measured, before it is by all within FURTHEST
COMB, TEETH = 0.03, 121             # share of a period to either side, and how many values in it, that are tried
FURTHEST = 620                      # hops: the longest of these multiples
FADES = 0.93                        # per beat back, of the weights by which the phase is found
PULL, NEAR, LOOKS = 0.35, 0.12, 4   # share of a difference in phase that is corrected, if it is below NEAR beats; a larger one is set after LOOKS looks
RECENT, QUIET = 188, 0.05           # no look while all strengths of the newest RECENT hops are below QUIET
BINS = 64                           # parts of a beat among which the phase is found
SURE, FEW = 1.6, 12.0               # times likeness is confidence; hops of hits that say nothing yet
PLAIN = 0.25                        # strength of the strongest hit above which confidence no longer grows with it
AGREES = 0.25                       # of what one look counts, of whether it finds the tempo of the one before
LOCKED = 0.3                        # confidence from which a tempo is to be believed
FOUND = 220                         # hops of sound before the first look
BAR = 4                             # beats
SNARE_AGAINST = 0.7                 # weight of a snare against a kick's for a beat being the first of a bar
FORGETS = 0.94                      # factor per beat on the votes for each beat of a bar being the first
SURER = 1.15                        # how many times as many votes another first beat needs to replace the last one


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
        self._rows, self._count = np.zeros((3, 2 * MEMORY)), 0           # strengths, how much like a bar's first beat, snares; twice, to have any stretch whole
        self._heard = 0                                  # hops since there was sound
        self._astray, self._agreed = 0, 0.0
        self._rival, self._rivalled = 0.0, 0             # a lag that is likelier but for the bonus of the one there is, and for how many looks
        self._fast = False                               # whether the beat is half of what is in the range
        self._first, self._votes = 0, np.zeros(BAR)

    def take_hop(self, strengths: tuple, time: float, snare_hit: bool = False) -> Beat | None:
        """Take a hop's strengths of kick, snare and hat; time: of the sound they are heard in. Returns the beat by now."""
        kick, snare, hat = strengths
        slot = self._count % MEMORY
        self._rows[0, slot] = self._rows[0, slot + MEMORY] = kick * SHARES[0] + snare * SHARES[1] + hat * SHARES[2]
        self._rows[1, slot] = self._rows[1, slot + MEMORY] = kick - SNARE_AGAINST * snare
        self._rows[2, slot] = self._rows[2, slot + MEMORY] = snare if snare_hit else 0.0
        self._count += 1
        self._heard += 1
        if self._count % LOOKED == 0:
            self._look(time)
        return self.beat

    def prefer(self, low: float):
        """Prefer tempi from `low` to twice that; a tempo outside is folded into that range at once."""
        if low == self.low:
            return
        self.low, beat = low, self.beat
        if beat is None:
            return
        tempo, at, number = beat.tempo, beat.at, beat.number
        while tempo < low / 1.02:
            tempo, number = 2 * tempo, 2 * number
        while tempo >= (FASTEST if self._fast else 2.0) * low * 1.02:
            at, number, tempo = at - (number % 2) * 60.0 / tempo, number // 2, tempo / 2
        self.beat = Beat(tempo, at, number, beat.confidence)

    @property
    def bar(self) -> int:
        """Number of a beat that is the first of a bar."""
        return self._first

    def _look(self, time):
        slot = self._count % MEMORY
        newest, kicks, snares = self._rows[:, slot:slot + MEMORY]
        if newest[-RECENT:].max() < QUIET:
            self.confidence, self._heard = 0.0, 0
            self._tell(time)
            return
        if self._heard < FOUND:
            return
        strength = _plain(newest)[-min(self._heard, MEMORY):]
        strength *= FORGOTTEN[-len(strength):]
        likeness = _likeness(strength)
        found = self._period(likeness)
        if found is None:
            self.confidence = self._agreed = 0.0
        else:
            period = found / 2 if self._is_fast(found, snares[-len(strength):], kicks[-len(strength):]) else found
            same = self.beat is not None and abs(60.0 * self.hops / period / self.beat.tempo - 1.0) < SAME
            self._agreed += (same - self._agreed) * AGREES
            self.confidence = _confidence(strength, likeness, found) * self._agreed
            self._follow(strength, kicks, period, time)
        self._tell(time)

    def measure_period(self, strength: np.ndarray, snares: np.ndarray, kicks: np.ndarray) -> float | None:
        """Return the period in hops of strengths that are there as a whole, None where nothing repeats.

        snares: the strengths of those that were heard, else 0. kicks: how much more like a kick than like a snare each hop is.
        """
        period = self._period(_likeness(_plain(strength)))
        return period / 2 if period is not None and self._is_fast(period, snares, kicks) else period

    def _tell(self, time):
        if self.beat is not None:
            number = math.floor(self.beat.beats(time))
            at = time - (self.beat.beats(time) - number) * 60.0 / self.beat.tempo
            self.beat = Beat(self.beat.tempo, at, number, round(self.confidence, 3))

    def _period(self, likeness):
        """Return the period in hops, None where nothing repeats."""
        shortest, longest = 60.0 * self.hops / (2.0 * self.low), 60.0 * self.hops / self.low
        lags = np.arange(math.ceil(shortest), min(int(longest), len(likeness) // 4 - 3) + 1)
        if len(lags) < 3:
            return None
        score = likeness[lags] + TWO * _near(likeness, 2 * lags, 1) + FOUR * _near(likeness, 4 * lags, 2)
        away = np.log2(60.0 * self.hops / lags / (self.low * USUAL))
        score = score * np.exp(-0.5 * (away / OCTAVES) ** 2)
        if self.beat is not None:
            own = 60.0 * self.hops / self.beat.tempo * (2 if self._fast else 1)
            score = self._favour(score, lags, own)
        best = int(np.argmax(score))
        if score[best] <= 0.0:
            return None
        return _refine(likeness, float(lags[best]))

    def _favour(self, score, lags, own):
        """Return the score with a bonus for the period there is, unless another has been the likelier for a while: a first look sees little."""
        best, near = float(lags[int(np.argmax(score))]), abs(lags / own - 1.0) < SAME
        if abs(best / own - 1.0) < SAME or abs(best / max(self._rival, 1.0) - 1.0) >= SAME:
            self._rival, self._rivalled = best, 0
        self._rivalled += 1
        return score if self._rivalled > RIVAL_LOOKS else np.where(near, score * LIKELIER, score)

    def _is_fast(self, period, snares, kicks) -> bool:
        """Return whether the beat is half the period: snares come on every second beat, and kicks in between.

        Where they come together, or nothing is in between, it is slow music whose every beat is struck.
        """
        if 120.0 * self.hops / period > FASTEST * self.low:
            self._fast = False
            return False
        wide = np.maximum(np.maximum(snares, np.roll(snares, 1)), np.roll(snares, -1))
        lag, most = round(period), float(snares @ snares)
        alike = float(snares[lag:] @ wide[:-lag]) / max(most * (1.0 - lag / len(snares)), 1e-9)
        together, between = _gather(kicks, snares, 0.0), _gather(kicks, snares, period / 2) + _gather(kicks, snares, -period / 2)
        self._fast = alike > (STAYS_FAST if self._fast else IS_FAST) and between > (STAYS_BETWEEN if self._fast else BETWEEN) * together
        return self._fast

    def _follow(self, strength, kicks, period, time):
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
        self._vote(kicks[-len(strength):], period, phase, number)
        self.beat = Beat(tempo, at, number)

    def _vote(self, kicks, period, phase, number):
        """Find which beat of a bar is its first: kicks speak for it, snares against."""
        back = np.arange(int((len(kicks) - phase - 3) / period))
        here = np.round(phase + back * period).astype(int)
        around = kicks[::-1][np.maximum(here[:, None] + np.arange(-2, 3), 0)].sum(1)
        votes = np.bincount((number - back) % BAR, FADES ** back * around, BAR)
        self._votes = FORGETS * self._votes + votes
        best, first = int(np.argmax(self._votes)), self._first % BAR
        if best != first and self._votes[best] > SURER * max(self._votes[first], 1e-9):
            self._first = best


def _plain(strength) -> np.ndarray:
    """Return how far strengths are above the usual ones around them."""
    return np.maximum(strength - np.convolve(strength, np.full(SMOOTHED, 1 / SMOOTHED), "same"), 0.0)


def _likeness(strength) -> np.ndarray:
    """Return how similar the strengths are to themselves so many hops before."""
    count = len(strength)
    size = 2 * count
    found = np.fft.rfft(strength, size)
    return np.fft.irfft(found.real ** 2 + found.imag ** 2, size)[:count] / np.arange(count, 0, -1)


def _confidence(strength, likeness, period) -> float:
    """Return how much more alike the strengths are a period before than at any time; little where hits are too few to tell."""
    usual = float(likeness[int(period / 2):int(4 * period)].mean())
    share = (_read_at(likeness, period) - usual) / max(float(likeness[0]) - usual, 1e-12)
    hits = float(strength.sum()) ** 2 / max(float((strength ** 2).sum()), 1e-12)      # hops that share in it, if they did so alike
    plain = min(float(strength.max()) / PLAIN, 1.0)
    return min(max(share * SURE, 0.0), 1.0) * min(max((hits - FEW) / FEW, 0.0), 1.0) * plain


def _near(values, places, reach):
    """Return the most there is within reach of each place: a lag is a whole number of hops, and several times it is not."""
    return values[places[:, None] + np.arange(-reach, reach + 1)].max(1)


def _read_at(values, place) -> float:
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


def _refine(likeness, period) -> float:
    """Return the period measured over ever more beats, and by all of them: a single far one may be off where hits are few."""
    furthest = min(FURTHEST, len(likeness) - 40)
    for multiple in MULTIPLES:
        reach = 1.5 if multiple == 1 else min(0.03 * multiple * period, 2.0 + 0.2 * multiple, 0.25 * period)
        found = _peak(likeness, multiple * period, reach) if multiple * period <= furthest else None
        period = period if found is None else found / multiple
    multiples = np.arange(1, max(int(furthest / period / (1.0 + COMB)), 1) + 1)
    periods = period * np.linspace(1.0 - COMB, 1.0 + COMB, TEETH)
    alike = np.interp(periods[:, None] * multiples, np.arange(len(likeness)), likeness).sum(1)
    best = int(np.argmax(alike))
    if not 0 < best < TEETH - 1:
        return period
    left, top, right = alike[best - 1:best + 2]
    bend = left - 2 * top + right
    return float(periods[best] + (0.5 * (left - right) / bend if bend < 0 else 0.0) * (periods[1] - periods[0]))


def _gather(kicks, snares, later) -> float:
    """Return the mean strength of kicks so many hops after snares, over the snares old enough to tell."""
    places = np.round(np.flatnonzero(snares) + later).astype(int)
    places = places[(places >= 2) & (places < len(kicks) - 2)]
    return float(np.maximum(kicks[places[:, None] + np.arange(-2, 3)], 0.0).sum()) / max(len(places), 1)


def _phase(strength, period) -> float:
    """Return how many hops before the newest one a beat was, 0 .. period."""
    back = np.arange(len(strength) - 1, -1, -1)
    weights = strength * np.exp(back * (math.log(FADES) / period))
    place = (back / period % 1.0) * BINS
    low = place.astype(int)
    share = place - low
    fold = np.bincount(low % BINS, weights * (1 - share), BINS) + np.bincount((low + 1) % BINS, weights * share, BINS)
    wide = fold + 0.8 * (np.roll(fold, 1) + np.roll(fold, -1)) + 0.4 * (np.roll(fold, 2) + np.roll(fold, -2))
    best = int(np.argmax(wide))
    left, top, right = wide[best - 1], wide[best], wide[(best + 1) % BINS]
    bend = left - 2 * top + right
    return (best + (0.5 * (left - right) / bend if bend < 0 else 0.0)) / BINS % 1.0 * period
