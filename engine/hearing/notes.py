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
        self._waiting = np.zeros((LOOKED, self._length * self._every))
        size = 1 << (len(self._samples) - 1).bit_length()
        self._size, self._window = size, np.hanning(len(self._samples))
        frequencies = np.arange(size // 2 + 1) * (rate / self._every) / size
        heard = np.flatnonzero((frequencies >= LOWEST) & (frequencies <= min(HIGHEST, rate / self._every / 2.5)))
        self._heard = slice(int(heard[0]), int(heard[-1]) + 1)
        self._classes = np.round(NOTES * np.log2(frequencies[self._heard] / A4) + PLACE_OF_A).astype(int) % NOTES
        self._newest = (0.0,) * NOTES

    def take_hop(self, samples: np.ndarray) -> tuple:
        """Return the strengths of the notes, from C up."""
        self._waiting[self._count % LOOKED] = samples[:self._waiting.shape[1]]
        self._count += 1
        if self._count % LOOKED == 0:
            self._newest = self._look()
        return self._newest

    def _look(self) -> tuple:
        new = self._waiting.reshape(-1, self._every).sum(1)
        self._samples[:-len(new)] = self._samples[len(new):]
        self._samples[-len(new):] = new
        found = np.fft.rfft(self._samples * self._window, self._size)[self._heard]
        power = np.bincount(self._classes, found.real ** 2 + found.imag ** 2, NOTES)
        most = float(power.max())
        return tuple(np.sqrt(power / most).tolist()) if most / self._size ** 2 > QUIET else (0.0,) * NOTES
