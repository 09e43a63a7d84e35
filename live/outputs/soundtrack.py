"""The sound of a live video: what the show hears, beside the pictures, in step with the times they were shown at.

Blocks come from the ear's thread and wait; the recorder's thread codes them. Knows no input and no ear.
"""
import queue
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np

from engine.hearing.spectrum import convert_samples
from live.audio.sound_writer import InStep

LIBRARIES = ("av",)
RATE = 48000                        # Hz, whatever the card has
BIT_RATE = 192_000
WAITING = 3000                      # blocks that may wait, about half a minute: more are lost, and silence in the file


class Soundtrack:
    """put() from one thread; the rest from another. expected: whether a video that begins gets a track for sound."""

    def __init__(self):
        self.expected = False
        self._blocks: queue.SimpleQueue = queue.SimpleQueue()
        self._stream, self._clock, self._resampler = cast(Any, None), cast(Any, None), cast(Any, None)
        self._start, self._written = 0.0, 0

    def put(self, samples, rate: float, at: float):
        """Take a block whose last sample was heard at a time of the show's clock: [N] or [N, channels] of any kind of numbers."""
        if self._blocks.qsize() < WAITING:
            self._blocks.put((np.array(samples), rate, at))

    def begin(self, file, start: float):
        """Add a track to a container that nothing is written to yet. start: the time of its first picture."""
        self._stream, self._start = file.add_stream("aac", rate=RATE, layout="stereo"), start
        self._stream.bit_rate = BIT_RATE
        self._stream.codec_context.time_base = Fraction(1, RATE)

    def encode(self) -> list:
        """Return the sound packets that are ready, none where no track was begun."""
        packets = []
        while not self._blocks.empty():
            block, rate, at = self._blocks.get()
            if self._stream is not None:
                packets += self._code(_in_stereo(convert_samples(block)), rate, at)
        return packets

    def end(self) -> list:
        """Return the last packets."""
        if self._stream is None:
            return []
        return self.encode() + (self._resample(None) if self._resampler else []) + self._stream.encode(None)

    def _code(self, block, rate, at) -> list:
        packets = []
        if self._clock is None or rate != self._clock.rate:              # another card: from where the one before has got to
            packets = self._resample(None) if self._resampler else []
            self._clock = InStep(self._start, rate, round(self._written * rate / RATE))
            self._resampler = av.AudioResampler("fltp", "stereo", RATE)
        for samples in self._clock.place(block, at):
            if len(samples):
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T, np.float32), "fltp", "stereo")
                frame.sample_rate = round(rate)
                packets += self._resample(frame)
        return packets

    def _resample(self, frame) -> list:
        packets = []
        for part in self._resampler.resample(frame):
            part.pts, part.time_base = self._written, Fraction(1, RATE)
            self._written += part.samples
            packets += self._stream.encode(part)
        return packets


def _in_stereo(samples: np.ndarray) -> np.ndarray:
    """Return samples [N] or [N, channels] as [N, 2]: the first two channels, or one twice."""
    samples = samples.reshape(len(samples), -1)
    return np.repeat(samples[:, :1], 2, axis=1) if samples.shape[1] < 2 else samples[:, :2]
