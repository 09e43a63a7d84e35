"""A file's sound: read as it is, or played at its own pace through the speakers, as an input of the show."""
import logging
from collections.abc import Generator
from pathlib import Path

import numpy as np

from engine.errors import UserError
from live.audio.device import Speaker
from live.audio.inputs import Lost, Over
from live.audio.sample_clock import SampleClock
from live.show.clock import now, sleep

log = logging.getLogger(__name__)

LIBRARIES = ("av",)
RATE, BLOCK = 48000, 512
LATE = 0.25                         # seconds behind from which on a file that nobody hears is not caught up with


def read_blocks(path, channels: int = 2) -> Generator[np.ndarray, None, None]:
    """Yield a file's sound as int16 [N, channels] at RATE: whole numbers, so that it is the same on every machine. UserError: it is no sound."""
    import av

    if not Path(path).is_file():
        raise UserError(f"{path}: there is no such sound file")
    found = 0
    try:
        with av.open(str(path)) as file:
            if not file.streams.audio:
                raise UserError(f"{path}: there is no sound in it")
            resampler = av.AudioResampler("s16", "mono" if channels == 1 else "stereo", RATE)
            for frame in _decode(file, av):
                frame.pts = None
                for part in resampler.resample(frame):
                    found += part.samples
                    yield part.to_ndarray().reshape(-1, channels)
            for part in resampler.resample(None):
                yield part.to_ndarray().reshape(-1, channels)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't be read as sound: {getattr(error, 'strerror', None) or error}") from None
    if not found:
        raise UserError(f"{path}: none of its sound can be decoded")


def _decode(file, av):
    """Yield every frame that can be decoded; damaged ones are left out."""
    for packet in file.demux(file.streams.audio[0]):
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


def read(path) -> np.ndarray:
    """Return a whole file's sound, int16 [N] at RATE, its channels mixed. UserError: it is no sound."""
    return np.concatenate(list(read_blocks(path, 1)) or [np.zeros((0, 1), np.int16)])[:, 0]


class FileInput:
    """A file played in real time, through the speakers where there are any; what is heard is what is played."""
    rate = float(RATE)

    def __init__(self, path: str, now=now, sleep=sleep, speaker=Speaker):
        self.now, self.sleep, self.name, self._path = now, sleep, Path(path).name, path
        self._parts, self._clock = read_blocks(path), SampleClock(RATE)
        self._first = next(self._parts, None)            # what can't be read is said at once
        try:
            self._speaker = speaker(RATE)
        except UserError as error:
            self._speaker = None
            log.warning("%s; %s is heard by the show alone", error, self.name)

    def read_blocks(self, stop):
        """Yield (samples [N, 2], when the last of them is heard) at the file's own pace. Over: it has come to its end."""
        waiting = self._first if self._first is not None else np.zeros((0, 2), np.int16)
        start, played = self.now(), 0
        while not stop():
            while len(waiting) < BLOCK and (part := next(self._parts, None)) is not None:
                waiting = np.concatenate((waiting, part))
            if not len(waiting):
                raise Over(f"{self.name} is over")
            block, waiting = waiting[:BLOCK], waiting[BLOCK:]
            played += len(block)
            start = self._play(block, start, played)
            yield block, (self._clock.count(len(block), self.now() + self._speaker.latency) if self._speaker else start + played / RATE)

    def _play(self, block, start, played):
        """Play a block, or wait until it would have been; returns when the file began."""
        if self._speaker is not None:
            try:
                self._speaker.write(np.ascontiguousarray(block, np.float32) / 32768.0)
                return start
            except Lost as error:
                log.warning("%s; %s is heard by the show alone", error, self.name)
                self._speaker.close()
                self._speaker = None
                return self.now() - played / RATE
        wait = start + played / RATE - self.now()
        if wait > 0:
            self.sleep(wait)
        return start if wait > -LATE else start - wait

    def close(self):
        """Stop."""
        self._parts.close()
        if self._speaker is not None:
            self._speaker.close()
