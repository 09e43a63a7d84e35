"""The sound that is heard, kept in a WAV file in step with the show's clock: a sound card's clock differs a little from it."""
import logging
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.hearing.spectrum import mono

log = logging.getLogger(__name__)

OFF = 0.002                         # seconds from which on a block is made a little longer or shorter
LEAP = 0.03                         # seconds from which on sound is missing, or came twice: some blocks
STRETCH = 200                       # one sample in so many is added or left out, which can't be heard
PIECE = 48000                       # samples of silence that are written at once


class InStep:
    """Brings blocks of sound onto the show's clock. start: when the first sample is heard. rate: Hz. placed: samples so far."""

    def __init__(self, start: float, rate: float, placed: int = 0):
        self.start, self.rate, self.placed = start, rate, placed

    def place(self, block: np.ndarray, at: float) -> Iterator[np.ndarray]:
        """Yield the samples that bring all so far up to a time, at which a block's last sample was heard. block: [N] or [N, channels].

        What is missing is silence, in pieces: an input may have been away for an hour.
        """
        missing = round((at - self.start) * self.rate) - self.placed
        off = missing - len(block)
        if self.placed and abs(off) <= LEAP * self.rate:
            block = self._stretch(block, off)
        elif off < 0:
            block = block[-missing:] if missing > 0 else block[:0]
        else:
            for start in range(0, off, PIECE):
                yield np.zeros((min(PIECE, off - start), *block.shape[1:]))
            self.placed += off
        self.placed += len(block)
        yield block

    def _stretch(self, block, off):
        if abs(off) <= OFF * self.rate:
            return block
        length = len(block) + max(-1, min(1, off)) * max(1, len(block) // STRETCH)
        places, at_these = np.arange(len(block)), np.linspace(0, len(block) - 1, length)
        if block.ndim == 1:
            return np.interp(at_these, places, block)
        return np.stack([np.interp(at_these, places, channel) for channel in block.T], axis=1)


class SoundWriter:
    """path: of the file, which begins to be there with the first sound. start: when it begins, on the show's clock. put() is a tap of an Ear."""

    def __init__(self, path, start: float):
        self.path, self.start, self.failed = Path(path), start, False
        self._file: wave.Wave_write | None = None
        self._clock = InStep(start, 0.0)
        self._lock = threading.Lock()

    def put(self, samples, rate: float, at: float):
        """Keep a block whose last sample was heard at that time. Called by the ear's thread alone."""
        with self._lock:
            if not self.failed:
                self._put(samples, rate, at)

    def _put(self, samples, rate, at):
        try:
            if self._file is None:
                self._file, self._clock.rate = wave.open(str(self.path), "wb"), rate
                self._file.setnchannels(1)
                self._file.setsampwidth(2)
                self._file.setframerate(round(rate))
            for piece in self._clock.place(_resample(mono(samples), rate, self._clock.rate), at):
                self._write(piece)
        except OSError as error:
            self.failed = True
            log.error("%s: the sound is no longer recorded: %s", self.path, error.strerror)

    def _write(self, samples):
        assert self._file is not None
        self._file.writeframes(np.round(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes())

    def close(self):
        """End the file."""
        with self._lock:
            if self._file is not None and not self.failed:
                self._file.close()
            self.failed = True


def _resample(samples: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """Return samples at another rate: another input than the file began with. Straight lines do, for it is seldom."""
    if rate == wanted:
        return samples
    count = max(round(len(samples) * wanted / rate), 1)
    return np.interp(np.linspace(0.0, len(samples) - 1.0, count), np.arange(len(samples)), samples)
