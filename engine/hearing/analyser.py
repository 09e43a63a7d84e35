"""Sound, block by block, into what is heard: the one analyser, of a live input, a file and a render."""
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.hearing.beat import Beat, BeatTracker
from engine.hearing.hits import GAIN, LEAST, LOG, REMEMBERED, Hits
from engine.hearing.notes import Notes
from engine.hearing.spectrum import FINE, HOPS, QUIETEST, Powers, Spectrum, mono

SILENT_DB = -50.0                   # louder is a signal
MOMENTARY = round(0.4 * HOPS)       # hops of loudness
HEARD_LATE = 0.016                  # seconds from a hit to the middle of what its strength is measured in, found by the tests' songs
SEEN = 4                            # hops from one look at the fine spectrum to the next
SHOWN = 5.0                         # powers of ten of the fine spectrum that are shown
OFFSET_DB = -0.691                  # ITU-R BS.1770


@dataclass(frozen=True)
class Settings:
    """What hands turn. gain: times the samples. sensitivity: 0..1. least: strength of a kick, snare and hat. low_tempo: bpm."""
    gain: float = 1.0
    sensitivity: float = 0.5
    least: tuple[float, float, float] = (LEAST, LEAST, LEAST)
    low_tempo: float = 80.0


class Heard(NamedTuple):
    """What is heard in one hop. time: seconds of sound at its end. low, mid, high, level: 0..1, by auto-gain.

    loudness: dB. hits: ((kind, strength), ...). beat: None until one is known; bar: number of a beat that is the first of a bar.
    fine, notes: 0..1 each. strengths, thresholds: of kick, snare, hat, as Hits measures them. signal: whether this hop is loud enough to be one.
    """
    time: float
    low: float
    mid: float
    high: float
    level: float
    brightness: float
    loudness: float
    hits: tuple
    beat: Beat | None
    bar: int
    fine: tuple
    notes: tuple
    strengths: tuple
    thresholds: tuple
    signal: bool


class Analyser:
    """feed() blocks of any length at one rate; settings may be set at any time."""

    def __init__(self, rate: float, settings: Settings | None = None):
        self.settings = settings or Settings()
        self.spectrum = Spectrum(rate)
        self._hits, self._tracker = Hits(), BeatTracker(self.settings.low_tempo, rate / self.spectrum.hop)
        self._window, self._waiting = np.zeros(self.spectrum.length), np.zeros(0)
        self._fine_ref = 0.0
        self._scale, self._weighted, self._hops = (0.0,) * FINE, [0.0] * MOMENTARY, 0
        self._level_ref, self._chroma = 0.0, Notes(rate, self.spectrum.hop)

    @property
    def time(self) -> float:
        """Seconds of sound that have been analysed."""
        return self._hops * self.spectrum.hop / self.spectrum.rate

    @property
    def waiting(self) -> int:
        """Samples that are not a whole hop yet."""
        return len(self._waiting)

    def feed(self, samples) -> list[Heard]:
        """Take samples, [N] or [N, channels] of any kind; return what is heard in each hop that is whole by now."""
        hop, found = self.spectrum.hop, []
        samples = mono(samples)
        self._waiting = np.concatenate((self._waiting, samples)) if len(self._waiting) else samples
        start = 0
        while len(self._waiting) - start >= hop:
            found.append(self._analyse(self._waiting[start:start + hop]))
            start += hop
        self._waiting = self._waiting[start:]
        return found

    def _analyse(self, samples) -> Heard:
        settings, hop = self.settings, self.spectrum.hop
        self._window[:hop] = self._window[hop:]
        self._window[hop:] = samples * settings.gain
        self._hops += 1
        time = self.time
        powers = self.spectrum.powers(self._window)
        self._hits.sensitivity, self._hits.least = settings.sensitivity, settings.least
        self._tracker.prefer(settings.low_tempo)
        novelty = self._hits.take_hop(powers.bands, time)
        beat = self._tracker.take_hop(novelty.strengths, time - HEARD_LATE, any(kind == "snare" for kind, _ in novelty.hits))
        low, mid, high = novelty.levels
        level, brightness, loudness = self._levels(powers)
        return Heard(time, low, mid, high, level, brightness, loudness, tuple(novelty.hits), beat, self._tracker.bar, self._fine(powers.fine),
                     self._chroma.take_hop(self._window[hop:]), novelty.strengths, novelty.thresholds, _db(powers.power) > SILENT_DB)

    def _levels(self, powers: Powers):
        """Return (level, brightness, loudness)."""
        self._weighted[self._hops % MOMENTARY] = powers.weighted
        loudness = max(_db(sum(self._weighted) / MOMENTARY) + OFFSET_DB, QUIETEST)
        self._level_ref = max(powers.power, self._level_ref * REMEMBERED, 1e-9)
        level = math.log1p(GAIN * powers.power / self._level_ref) / LOG
        return level, powers.brightness, min(loudness, 0.0)

    def _fine(self, fine) -> tuple:
        """Return the fine spectrum as it is shown: looked at anew a few times a second, for eyes see no more."""
        if self._hops % SEEN == 1:
            self._fine_ref = max(float(fine.max()), self._fine_ref * REMEMBERED ** SEEN, 1e-12)
            self._scale = tuple(np.maximum(1.0 + np.log10(fine / self._fine_ref + 1e-6) / SHOWN, 0.0).tolist())
        return self._scale


def _db(power: float) -> float:
    return 10.0 * math.log10(max(power, 1e-12))
