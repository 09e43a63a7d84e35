"""Which of the twelve notes sound. Needs a longer look than hits do: a third of a second, a few times a second."""
import numpy as np

NOTES = 12                          # C, C sharp, ... B
LOWEST, HIGHEST = 110.0, 2100.0     # Hz in which they are told apart
RATE = 12000.0                      # samples a second that are enough for that
HOPS, LOOKED = 32, 8                # hops looked at, and from one look to the next
A4, PLACE_OF_A = 440.0, 9
QUIET = 1e-9                        # power that is no note


class Notes:
    """hop() takes the samples of one hop and returns how strong each note is, 0..1, the strongest 1."""

    def __init__(self, rate: float, hop: int):
        self._every = max(1, int(rate / RATE))
        self._length = hop // self._every
        self._samples, self._count = np.zeros(self._length * HOPS), 0
        size = 1 << (len(self._samples) - 1).bit_length()
        self._size, self._window = size, np.hanning(len(self._samples))
        frequencies = np.arange(size // 2 + 1) * (rate / self._every) / size
        heard = np.flatnonzero((frequencies >= LOWEST) & (frequencies <= min(HIGHEST, rate / self._every / 2.5)))
        self._heard = slice(int(heard[0]), int(heard[-1]) + 1)
        self._classes = np.round(NOTES * np.log2(frequencies[self._heard] / A4) + PLACE_OF_A).astype(int) % NOTES
        self._newest = (0.0,) * NOTES

    def hop(self, samples: np.ndarray) -> tuple:
        """Return the strengths of the notes, from C up."""
        length = self._length
        self._samples[:-length] = self._samples[length:]
        self._samples[-length:] = np.add.reduce(samples[:length * self._every].reshape(length, self._every), 1)
        self._count += 1
        if self._count % LOOKED == 0:
            found = np.fft.rfft(self._samples * self._window, self._size)[self._heard]
            power = np.bincount(self._classes, found.real ** 2 + found.imag ** 2, NOTES)
            most = float(power.max()) / self._size ** 2
            self._newest = tuple(np.sqrt(power / power.max()).tolist()) if most > QUIET else (0.0,) * NOTES
        return self._newest
