"""The sound that is heard, kept in a WAV file in step with the show's clock: a sound card's seconds are not quite ours."""
import logging
import wave
from pathlib import Path

import numpy as np

from engine.hearing.spectrum import mono

log = logging.getLogger(__name__)

OFF = 0.002                         # seconds from which on a block is made a little longer or shorter
LEAP = 0.25                         # seconds from which on sound is missing, or came twice
STRETCH = 200                       # a block is changed by one sample in so many, which nobody hears


class KeptSound:
    """path: of the file. start: when it begins, on the show's clock. put() is a tap of an Ear."""

    def __init__(self, path, start: float):
        self.path, self.start = Path(path), start
        self._file: wave.Wave_write | None = None
        self._rate, self._written, self.failed = 0.0, 0, False

    def put(self, samples, rate: float, at: float):
        """Keep a block whose last sample was heard at that time. Called by the ear's thread alone."""
        if self.failed:
            return
        try:
            if self._file is None:
                self._file, self._rate = wave.open(str(self.path), "wb"), rate
                self._file.setnchannels(1)
                self._file.setsampwidth(2)
                self._file.setframerate(round(rate))
            if rate == self._rate:
                self._write(self._placed(mono(samples), at))
        except OSError as error:
            self.failed = True
            log.error("%s: the sound is no longer recorded: %s", self.path, error.strerror)

    def _placed(self, block, at) -> np.ndarray:
        """Return the samples that bring the file to this time."""
        missing = round((at - self.start) * self._rate) - self._written
        off = missing - len(block)
        if not self._written or abs(off) > LEAP * self._rate:
            if off >= 0:
                return np.concatenate((np.zeros(off), block))
            return block[-missing:] if missing > 0 else block[:0]
        if abs(off) <= OFF * self._rate:
            return block
        length = len(block) + max(-1, min(1, off)) * max(1, len(block) // STRETCH)
        return np.interp(np.linspace(0, len(block) - 1, length), np.arange(len(block)), block)

    def _write(self, samples):
        self._written += len(samples)
        assert self._file is not None
        self._file.writeframes(np.round(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes())

    def close(self):
        """End the file."""
        if self._file is not None and not self.failed:
            self._file.close()
        self.failed = True
