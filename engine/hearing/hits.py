"""Hits: where a group of bands suddenly grows. One function of the bands' powers, hop by hop."""
import bisect
import math
from typing import NamedTuple

import numpy as np

from engine.hearing.spectrum import BANDS, HOPS

ROUNDED = 1 << 16                   # values that decide are rounded to multiples of one over this, so that rounding errors do not change the result
REMEMBERED = math.exp(-1 / (HOPS * 10.0))        # the loudest a band has been is forgotten over ten seconds
LEAST_REF = 1e-5                    # share of the loudest band's reference: a band below it counts as silent
SILENCE = 1e-12                     # mean power of a band that nothing is heard in
GAIN = 300.0
LOG = math.log1p(GAIN)
KINDS = ("kick", "snare", "hat")
GROUPS = (slice(0, 3), slice(11, 16), slice(17, BANDS))             # below 120 Hz, 1.15 to 4.4 kHz, above 6.5 kHz
LEAST = 0.08                        # strength of a hit
OF_PEAK, PEAK_FALLS = (0.3, 0.5, 0.3), 0.9985
WITH_KICK = 0.85                    # of its peak, for a snare on a kick, whose click is as wide
DEVIATIONS, COMPARED = 2.0, 70      # standard deviations above the mean of so many hops
PLAIN, ABOVE_USUAL, USUAL = (0.5, 0.5, 0.35), 12.0, 0.7           # of the peak, or so many times the strength that USUAL of them are below: all that is needed
LOUDER, MEDIAN = (5.0, 2.0, 2.0), 94        # times its median over so many hops
ABOVE_KICK, KICK = slice(4, 6), 0.3             # 160 to 300 Hz: a kick grows below them by so much of what it does there; a snare's drum does not
CLICK, CLICKS, BARE = slice(12, BANDS), 0.05, 0.6       # from 1.5 kHz: a kick clicks there, now or a hop ago, or is so strong; a plucked bass is neither
WIDE, GROWS, SPREAD = slice(13, 18), 0.02, 4    # 1.95 to 9.8 kHz: a snare's noise grows in so many of those bands, a voice does not
BODY, TOP, FULL = slice(12, 14), slice(18, BANDS), 0.5  # a snare grows at 1.5 to 2.6 kHz by so much of what it does from 7.5 kHz on; a hat does not
HIT_APART, ONSET_APART = 0.07, 0.06             # seconds
IN_GROUP = np.array([[group.start <= band < group.stop for group in GROUPS] for band in range(BANDS)], float)       # sums of rounded numbers are exact
COUNTS = IN_GROUP.sum(0)


class Novelty(NamedTuple):
    """One hop. levels: each group's, 0..1, whatever the input's level. strengths: how much the groups have grown.

    thresholds: what they had to pass. hits: [(kind, strength 0..1)]; kinds are KINDS and "onset".
    """
    levels: tuple
    strengths: tuple
    thresholds: tuple
    hits: list


class Group:
    """One of the GROUPS as the last seconds have been. Plain numbers: of so few, NumPy takes longer to begin than to count."""

    def __init__(self, of_peak: float, plain: float, louder: float):
        self.of_peak, self.plain, self.louder = of_peak, plain, louder
        self.peak, self.last = 0.0, -1e9
        self._strengths, self._count, self._sum, self._squares = [0.0] * COMPARED, 0, 0.0, 0.0
        self._energies = [0.0] * MEDIAN
        self._sorted: list[float] = []
        self._ordered: list[float] = []

    def threshold(self, least: float, less: float) -> float:
        """Return the strength from which on it is a hit."""
        count = min(max(self._count, 1), COMPARED)
        mean = self._sum / count
        deviation = math.sqrt(max(self._squares / count - mean * mean, 0.0))
        usual = self._ordered[int(USUAL * len(self._ordered))] if self._ordered else 0.0
        plain = max(self.plain * self.peak, ABOVE_USUAL * usual)
        return max(least * less, self.of_peak * less * self.peak, less * min(mean / less + DEVIATIONS * deviation, plain))

    def is_loud(self, energy: float, less: float) -> bool:
        """Return whether it is loud enough for a hit, compared with its usual level."""
        usual = self._sorted[len(self._sorted) // 2] if self._sorted else 0.0
        return energy > max(self.louder * less * usual, SILENCE)

    def rises(self, v: float) -> bool:
        """Return whether a strength is not below the last two."""
        return v >= self._strengths[(self._count - 1) % COMPARED] and v >= self._strengths[(self._count - 2) % COMPARED]

    def remember(self, v: float, energy: float):
        """Take a hop's strength and energy down."""
        slot = self._count % COMPARED
        old, self._strengths[slot] = self._strengths[slot], v
        if self._count >= COMPARED:
            del self._ordered[bisect.bisect_left(self._ordered, old)]
        bisect.insort(self._ordered, v)
        self._sum += v - old
        self._squares += v * v - old * old
        if slot == 0:                                    # what adding and taking away has left over
            self._sum, self._squares = sum(self._strengths), sum(v * v for v in self._strengths)
        slot = self._count % MEDIAN
        if self._count >= MEDIAN:
            del self._sorted[bisect.bisect_left(self._sorted, self._energies[slot])]
        self._energies[slot] = energy
        bisect.insort(self._sorted, energy)
        self._count += 1


class Hits:
    """Remembers what the last seconds were like. sensitivity: 0..1, a half is as measured. least: strength of a hit, by kind."""

    def __init__(self):
        self.sensitivity, self.least = 0.5, (LEAST,) * 3
        self._ref = np.zeros(BANDS)
        self._before = [np.zeros(BANDS + 2) for _ in range(2)]           # levels of the two hops before, between two silent bands
        self._rows = np.zeros((4, BANDS))                # levels, growth, powers, and how much these have grown
        self._powers = [np.zeros(BANDS)] * 2
        self._groups = [Group(*row) for row in zip(OF_PEAK, PLAIN, LOUDER)]
        self._onset, self._clicked = -1e9, 0.0

    def take_hop(self, bands: np.ndarray, time: float) -> Novelty:
        """Return the hits that are new in the hop that ends at `time` seconds."""
        rows = self._rows
        levels, grown, _, more = rows
        np.maximum(bands, self._ref * REMEMBERED, out=self._ref)
        ref = np.maximum(self._ref, max(float(self._ref.max()) * LEAST_REF, SILENCE))
        np.rint(np.log1p(GAIN * bands / ref) * (ROUNDED / LOG), out=levels)
        levels /= ROUNDED
        old = self._before.pop(0)
        np.subtract(levels, np.maximum(np.maximum(old[:-2], old[1:-1]), old[2:]), out=grown)
        np.maximum(grown, 0.0, out=grown)
        old[1:-1] = levels
        self._before.append(old)
        rows[2] = bands
        np.subtract(bands, self._powers.pop(0), out=more)
        self._powers.append(bands)
        means, v, energy, grows = (rows @ IN_GROUP / COUNTS).tolist()
        sure = [group.is_loud(e, self._less) for group, e in zip(self._groups, energy)]
        sure[0] = sure[0] and grows[0] > KICK * max(more[ABOVE_KICK].tolist())
        clicks = max(grown[CLICK].tolist())
        sure[0] = sure[0] and (max(clicks, self._clicked) > CLICKS or v[0] > BARE)
        self._clicked = clicks
        body, top = grown[BODY].tolist(), grown[TOP].tolist()
        sure[1] = sure[1] and sum(body) > FULL * len(body) * max(top) and sum(g > GROWS for g in grown[WIDE].tolist()) >= SPREAD
        thresholds = [group.threshold(least, self._less) for group, least in zip(self._groups, self.least)]
        if v[0] > thresholds[0] or time - self._groups[0].last < HIT_APART:
            thresholds[1] = max(thresholds[1], WITH_KICK * self._less * self._groups[1].peak)
        found = self._decide(v, thresholds, sure, time)
        for group, *now in zip(self._groups, v, energy):
            group.remember(*now)
        return Novelty(tuple(means), tuple(v), tuple(thresholds), found)

    @property
    def _less(self) -> float:
        """Times what has to be passed, by the sensitivity."""
        return 4.0 ** (0.5 - self.sensitivity)

    def _decide(self, v, thresholds, sure, time):
        found = []
        for kind, group, strength, least, is_sure in zip(KINDS, self._groups, v, thresholds, sure):
            group.peak, hit = max(strength, group.peak * PEAK_FALLS), is_sure and strength > least and group.rises(strength)
            if hit and time - group.last >= HIT_APART:
                group.last = time
                found.append((kind, min(strength / group.peak, 1.0)))
        if found and time - self._onset >= ONSET_APART:
            self._onset = time
            found.append(("onset", max(strength for _, strength in found)))
        return found
