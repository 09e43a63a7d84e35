"""Hits: where a group of bands suddenly grows. One function of the bands' powers, hop by hop."""
import math
from typing import NamedTuple

import numpy as np

from engine.hearing.spectrum import BANDS, HOPS

ROUNDED = 1 << 16                   # what decides is a multiple of one over this, so that last bits do not matter
REMEMBERED = math.exp(-1 / (HOPS * 10.0))        # the loudest a band has been is forgotten over ten seconds
LEAST_REF = 1e-5                    # of the loudest band's: a band with less in it is silence
SILENCE = 1e-12                     # mean power of a band that nothing is heard in
GAIN = 300.0
LOG = math.log1p(GAIN)
KINDS = ("kick", "snare", "hat")
GROUPS = (slice(0, 3), slice(11, 16), slice(17, BANDS))             # below 120 Hz, 1.15 to 4.4 kHz, above 6.5 kHz
LEAST = 0.08                        # strength of a hit
OF_PEAK, PEAK_FALLS = 0.3, 0.9985
DEVIATIONS, COMPARED = 2.0, 70      # standard deviations above the mean of so many hops
LOUDER, MEDIAN = np.array([5.0, 2.0, 2.0]), 94        # times its median over so many hops
ABOVE_KICK, KICK = slice(4, 6), 0.3             # 160 to 300 Hz: a kick grows below them by so much of what it does there; a snare's drum does not
WIDE, GROWS, SPREAD = slice(13, 18), 0.02, 4    # 1.95 to 9.8 kHz: a snare's noise grows in so many of those bands, a voice does not
HIT_APART, ONSET_APART = 0.07, 0.06             # seconds
STARTS = [edge for group in GROUPS for edge in (group.start, group.stop)][:-1]       # where numpy.add.reduceat adds them up
COUNTS = np.array([group.stop - group.start for group in GROUPS], float)


def group_means(bands: np.ndarray) -> np.ndarray:
    """Return the mean of each of the GROUPS of bands."""
    return np.add.reduceat(bands, STARTS)[::2] / COUNTS


class Novelty(NamedTuple):
    """One hop. levels: each band, 0..1, whatever the input's level. strengths: how much the groups have grown.

    thresholds: what they had to pass. hits: [(kind, strength 0..1)]; kinds are KINDS and "onset".
    """
    levels: np.ndarray
    strengths: np.ndarray
    thresholds: np.ndarray
    hits: list


class Hits:
    """Remembers what the last seconds were like. sensitivity: 0..1, a half is as measured. least: strength of a hit, by kind."""

    def __init__(self):
        self.sensitivity, self.least = 0.5, np.full(3, LEAST)
        self._ref = np.zeros(BANDS)
        self._before = [np.zeros(BANDS + 2)] * 2
        self._powers = [np.zeros(BANDS)] * 2
        self._peak = np.zeros(3)
        self._last, self._onset = [-1e9] * 3, -1e9
        self._strengths, self._energies = np.zeros((COMPARED, 3)), np.zeros((MEDIAN, 3))
        self._sums = np.zeros((2, 3))
        self._count = 0

    def hop(self, bands: np.ndarray, time: float) -> Novelty:
        """Return what is new in the hop that ends at `time` seconds."""
        self._ref = np.maximum(bands, self._ref * REMEMBERED)
        ref = np.maximum(np.maximum(self._ref, self._ref.max() * LEAST_REF), SILENCE)
        levels = np.round(np.log1p(GAIN * bands / ref) * (ROUNDED / LOG)) / ROUNDED
        padded = np.zeros(BANDS + 2)
        padded[1:-1] = levels
        old = self._before[0]
        grown = np.maximum(levels - np.maximum(np.maximum(old[:-2], old[1:-1]), old[2:]), 0.0)
        self._before = [self._before[1], padded]
        v, energy = group_means(grown), group_means(bands)
        thresholds, sure = self._thresholds(energy)
        more = bands - self._powers[0]
        self._powers = [self._powers[1], bands]
        sure[0] &= group_means(more)[0] > KICK * float(more[ABOVE_KICK].max())
        sure[1] &= int((grown[WIDE] > GROWS).sum()) >= SPREAD
        found = self._decide(v, thresholds, sure, time)
        self._remember(v, energy)
        return Novelty(levels, v, thresholds, found)

    def _thresholds(self, energy):
        """Return (the strengths that are hits, which groups are loud enough for one)."""
        count = min(self._count, COMPARED)
        less = 4.0 ** (0.5 - self.sensitivity)
        mean = self._sums[0] / max(count, 1)
        deviation = np.sqrt(np.maximum(self._sums[1] / max(count, 1) - mean ** 2, 0.0))
        thresholds = np.maximum(np.maximum(self.least * less, OF_PEAK * less * self._peak), mean + DEVIATIONS * less * deviation)
        seen = self._energies[:min(self._count, MEDIAN)]
        usual = np.partition(seen, len(seen) // 2, axis=0)[len(seen) // 2] if len(seen) else np.zeros(3)
        return thresholds, energy > np.maximum(LOUDER * less * usual, SILENCE)

    def _decide(self, v, thresholds, sure, time):
        newest = (self._count - 1) % COMPARED, (self._count - 2) % COMPARED
        rises = (v >= self._strengths[newest[0]]) & (v >= self._strengths[newest[1]])
        hit = (v > thresholds) & rises & sure
        self._peak = np.maximum(v, self._peak * PEAK_FALLS)
        found = []
        for n, kind in enumerate(KINDS):
            if hit[n] and time - self._last[n] >= HIT_APART:
                self._last[n] = time
                found.append((kind, min(float(v[n] / self._peak[n]), 1.0)))
        if found and time - self._onset >= ONSET_APART:
            self._onset = time
            found.append(("onset", max(strength for _, strength in found)))
        return found

    def _remember(self, v, energy):
        slot = self._count % COMPARED
        old = self._strengths[slot]
        self._sums += (v - old, v * v - old * old) if self._count >= COMPARED else (v, v * v)
        self._strengths[slot] = v
        self._energies[self._count % MEDIAN] = energy
        self._count += 1
        if slot == 0:                                    # what adding and taking away has left over
            seen = self._strengths[:min(self._count, COMPARED)]
            self._sums = np.array((seen.sum(0), (seen ** 2).sum(0)))
