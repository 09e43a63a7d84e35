"""A window of sound as powers: bands, a fine spectrum, brightness, loudness. Pure functions of samples."""
from typing import NamedTuple

import numpy as np

HOPS = 93.75                        # a second: 512 samples at 48 kHz
EDGES = (30, 60, 90, 120, 160, 220, 300, 400, 520, 680, 880, 1150, 1500, 1950, 2550, 3350, 4400, 5750, 7500, 9800, 12800, 16000)       # Hz
BANDS = len(EDGES) - 1
FINE = 32                           # bands of the fine spectrum, evenly spaced by ear between FINE_LOW and FINE_HIGH
FINE_LOW, FINE_HIGH = 30.0, 16000.0
DARK, BRIGHT = 100.0, 10000.0       # Hz of brightness 0 and 1
QUIETEST = -60.0                    # dB, of loudness
LOUDEST = 8.0                       # what a sample is at most, whatever a driver says


class Powers(NamedTuple):
    """One window. bands: mean power of each of EDGES' bands. fine: of FINE bands.

    weighted: power as the ear weighs it (K, ITU-R BS.1770). power: mean square. brightness: 0..1.
    """
    bands: np.ndarray
    fine: np.ndarray
    weighted: float
    power: float
    brightness: float


class Spectrum:
    """Turns windows of two hops at a sample rate into Powers. Made once, for what it keeps spares each hop its allocations."""

    def __init__(self, rate: float):
        self.rate, self.hop = rate, max(16, round(rate / HOPS))
        self.length = 2 * self.hop
        size = 2 * self.length
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.length) / self.length)
        self._own_dc = window / window.sum()
        self._window = window * np.sqrt(2.0 / (size * (window ** 2).sum()))      # powers of a window add up to its mean square
        self._padded = np.zeros(size)
        frequencies = np.arange(size // 2 + 1) * rate / size
        self._cuts, self._shares = _shares((EDGES, FINE_LOW * (FINE_HIGH / FINE_LOW) ** (np.arange(FINE + 1) / FINE)), frequencies)
        self._heard = slice(1, int(np.searchsorted(frequencies, FINE_HIGH)))
        self._place = np.clip(np.log(np.maximum(frequencies[self._heard], 1.0) / DARK) / np.log(BRIGHT / DARK), 0.0, 1.0)
        self._weights = k_weights(frequencies)

    def powers(self, samples: np.ndarray) -> Powers:
        """Return the powers of `length` samples, float64."""
        own = self._padded[:self.length]
        np.subtract(samples, samples @ self._own_dc, out=own)
        np.multiply(own, self._window, out=own)
        found = np.fft.rfft(self._padded)
        power = found.real ** 2
        power += found.imag ** 2
        loud = np.sqrt(power[self._heard])
        total = float(loud.sum())
        brightness = float(loud @ self._place) / total if total > 1e-9 else 0.0
        means = np.add.reduceat(power, self._cuts) @ self._shares
        return Powers(means[:BANDS], means[BANDS:], float(power @ self._weights), float(power.sum()), brightness)


def _shares(rows, frequencies):
    """Return (bins at which the spectrum is cut, [pieces, bands]: each band's mean from the sums of the pieces).

    A band narrower than a bin has the nearest one; one beyond what is sampled has nothing.
    """
    bands = []
    for edges in rows:
        starts = np.minimum(np.searchsorted(frequencies, np.asarray(edges, float)), len(frequencies) - 1)
        ends = np.maximum(starts[1:], starts[:-1] + 1)
        bands += [(int(a), int(b), low < frequencies[-1]) for a, b, low in zip(starts, ends, edges)]
    cuts = sorted({cut for a, b, _ in bands for cut in (a, b) if cut < len(frequencies)})
    shares = np.zeros((len(cuts), len(bands)))
    for n, (a, b, inside) in enumerate(bands):
        shares[[m for m, cut in enumerate(cuts) if a <= cut < b], n] = inside / (b - a)
    return np.array(cuts), shares


def k_weights(frequencies) -> np.ndarray:
    """Return by how much each frequency's power counts: the head's shelf and the low cut of ITU-R BS.1770-4."""
    z = np.exp(-2j * np.pi * frequencies / 48000.0)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z ** 2) / (1 - 1.69065929318241 * z + 0.73248077421585 * z ** 2)
    cut = (1 - 2 * z + z ** 2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z ** 2)
    return np.where(frequencies < 24000.0, np.abs(shelf * cut) ** 2, 0.0)


def convert_samples(samples) -> np.ndarray:
    """Return samples of any kind as finite float64 of the same shape; whole numbers are taken as shares of their type's range."""
    samples = np.asarray(samples)
    if samples.dtype.kind in "iu":
        half = float(1 << 8 * samples.dtype.itemsize - 1)
        samples = (samples - half) / half if samples.dtype.kind == "u" else samples / half
    samples = samples.astype(np.float64, copy=False)
    if not _is_tame(samples):
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0).clip(-LOUDEST, LOUDEST)
    return samples


def mono(samples) -> np.ndarray:
    """Return samples of any kind, [N] or [N, channels], as finite float64 [N]."""
    samples = convert_samples(samples)
    if samples.ndim > 1:
        samples = samples.reshape(len(samples), -1)
        samples = samples @ np.full(samples.shape[1], 1.0 / samples.shape[1]) if samples.size else np.zeros(len(samples))
    return samples


def _is_tame(samples) -> bool:
    """Return whether samples are finite and none is beyond LOUDEST."""
    return not samples.size or bool(samples.min() >= -LOUDEST and samples.max() <= LOUDEST)
