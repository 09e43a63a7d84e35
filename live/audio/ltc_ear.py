"""Timecode in what is heard: each channel is looked at, and one that has it is no music. A tap of an Ear."""
from collections.abc import Callable

import numpy as np

from engine.hearing.ltc import LtcReader

SILENT = 2.0                        # seconds after which a channel without a frame is music again
SURE = 3                            # frames after which it is not


class LtcEar:
    """receive(source, seconds, at): told of each frame. spare(samples) is what is left for the ears."""

    def __init__(self, receive: Callable):
        self.receive = receive
        self._readers: list[LtcReader] = []
        self._rate, self._heard = 0.0, 0
        self._counts: list[int] = []                     # frames of each channel, lately
        self._newest: list[float] = []                   # when the newest of each was over

    def put(self, samples: np.ndarray, rate: float, at: float):
        """Look for timecode in a block, [N] or [N, channels], whose last sample was heard at that time. Of the ear's thread."""
        samples = samples.reshape(len(samples), -1)
        if rate != self._rate or samples.shape[1] != len(self._readers):
            count = samples.shape[1]
            self._readers, self._rate, self._heard = [LtcReader(rate) for _ in range(count)], rate, 0
            self._counts, self._newest = [0] * count, [at] * count
        self._heard += len(samples)
        told = False
        for channel, reader in enumerate(self._readers):
            found = reader.feed(samples[:, channel])
            if found:
                self._counts[channel] += len(found)
                self._newest[channel] = at
            elif at - self._newest[channel] > SILENT:
                self._counts[channel] = 0
            for frame in found if not told else ():
                self.receive("LTC", frame.seconds, at - (self._heard - frame.end) / rate)
            told = told or bool(found)

    def spare(self, samples: np.ndarray) -> np.ndarray:
        """Return the channels of a block that are no timecode; silence where none is left."""
        music = [channel for channel, count in enumerate(self._counts) if count < SURE]
        if len(music) == len(self._counts):
            return samples
        return samples.reshape(len(samples), -1)[:, music] if music else np.zeros(len(samples), np.float32)
