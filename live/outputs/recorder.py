"""Live video recording: Matroska while it runs, so that no crash or full disk costs more than its last second.

Frames keep the times they were shown at. What the encoder is too slow for is left out and counted. On stop the file is
put into the container its name asks for. Must not know scenes or takes.
"""
import errno
import logging
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av  # here, not where it is used: that would hold up a frame as a recording starts
import numpy as np

from engine.errors import UserError
from engine.files import whole
from live.outputs import Running, output
from live.outputs.soundtrack import Soundtrack
from live.show.clock import now

log = logging.getLogger(__name__)
LIBRARIES = ("av",)

CONTAINERS = (".mkv", ".mp4", ".mov")
MILLISECONDS = Fraction(1, 1000)
BACKLOG = 16                        # frames waiting for the encoder
RESERVE = 256 << 20                 # bytes left free on the disk
LOOKED = 30                         # frames between looks at the disk
CLUSTER = {"cluster_time_limit": "500", "flush_packets": "1",        # what a killed process leaves is whole to half a second,
           "max_interleave_delta": "500000"}                         # also where no more sound comes


@dataclass(frozen=True)
class Coding:
    """How pictures are coded. crf: x264's quality, smaller is better. lossless: every bit, FFV1 or x264 in RGB.

    container: where the pictures will end up.
    """
    lossless: bool = False
    preset: str = "veryfast"
    crf: int = 16
    container: str = ".mkv"

    def make_codec(self) -> tuple[str, str, dict]:
        """Return (codec, pixel format, options). No picture depends on a later one, so that parts can be joined."""
        if self.lossless and self.container == ".mkv":
            return "ffv1", "bgr0", {"level": "3", "slicecrc": "1"}
        if self.lossless:
            return "libx264rgb", "rgb24", {"preset": self.preset, "qp": "0", "bf": "0"}
        return "libx264", "yuv420p", {"preset": self.preset, "crf": str(self.crf), "bf": "0"}


class VideoFile:
    """A video being written. time_base: what write()'s times count in. sound: what goes beside the pictures, begun with them, or None."""

    def __init__(self, path, height: int, width: int, coding: Coding, fps: float, time_base: Fraction = MILLISECONDS, sound=None, start=0.0):
        self.path, self._last = Path(path), -1
        codec, pixels, options = coding.make_codec()
        even = 2 if pixels == "yuv420p" else 1
        self._file = av.open(str(path), "w", options=CLUSTER if self.path.suffix == ".mkv" else {})
        self._stream = cast(av.VideoStream, self._file.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options))
        context = self._stream.codec_context
        context.width, context.height = width // even * even, height // even * even
        context.pix_fmt, context.time_base = pixels, time_base
        self._time_base = time_base
        if pixels == "yuv420p":
            context.color_primaries = context.color_trc = context.colorspace = 1        # BT.709, limited range
            context.color_range = 1
        self._sound = sound
        if sound is not None:
            sound.begin(self._file, start)

    def write(self, pixels: np.ndarray, time: int):
        """Add a picture uint8 [H, W, 3]; times must rise, so one that does not is moved on by a tick."""
        context = self._stream.codec_context
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        if context.pix_fmt == "yuv420p" or (context.width, context.height) != (frame.width, frame.height):
            frame = frame.reformat(context.width, context.height, context.pix_fmt, interpolation="LANCZOS",
                                   dst_colorspace="ITU709" if context.pix_fmt == "yuv420p" else None)
        self._last = frame.pts = max(time, self._last + 1)
        frame.time_base = self._time_base
        self._file.mux(self._stream.encode(frame))
        if self._sound is not None:
            self._file.mux(self._sound.encode())

    def close(self):
        """Write what the encoder holds back, and the end of the file. OSError: the disk is full; the file still plays."""
        try:
            self._file.mux(self._stream.encode())
            if self._sound is not None:
                self._file.mux(self._sound.end())
        finally:
            self._file.close()


@output
class Recorder:
    """target: FILE.mkv, .mp4 or .mov. drawing: what pictures go through first, or None.

    reserve: bytes of the disk never used; reaching them ends the recording well.
    """
    fresh = True                    # its target must be new: a show that is started again writes NAME-002

    def __init__(self, target="recording.mp4", fps=30.0, reserve=RESERVE, now=now, drawing=None):
        path = Path(target)
        if path.suffix not in CONTAINERS:
            raise UserError(f"recording {target}: expected a name ending in {', '.join(CONTAINERS)}")
        if path.exists() or path.with_suffix(".mkv").exists():
            raise UserError(f"recording {target}: there is one of that name already; choose another")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"recording {target}: the folder can't be made: {error.strerror}") from None
        self.now, self.path = now, path
        self._sound, self.drawing = Soundtrack(), drawing
        self.running = Running(f"recorder {path.name}", _Writer(path, fps, reserve, self._sound, drawing))
        self.name = self.running.name                    # a show that has a name for it sets that one

    sent = property(lambda self: self.running.sent)
    dropped = property(lambda self: self.running.dropped)
    broken = property(lambda self: self.running.broken)

    def expect_sound(self):
        """Give the video a track for sound, if it has not begun yet."""
        self._sound.expected = True

    def hear(self, samples, rate: float, at: float):
        """Take a block of sound, from any one thread: see Soundtrack.put."""
        if self._sound.expected:
            self._sound.put(samples, rate, at)

    def put(self, frame):
        """Note the time; the rest is the thread's."""
        self.running.put(_Stamped(frame.pixels, self.now()))

    def close(self):
        """Write what the encoder still holds, and the end of the file. OSError: the disk is full; the file still plays.

        An hour of video takes a while to copy, which the end of the program waits for.
        """
        self.running.close()
        if self.running.thread.is_alive():
            log.info("%s: being finished", self.path)
            self.running.thread.join()


@dataclass(frozen=True)
class _Stamped:
    pixels: np.ndarray
    time: float


class _Writer:
    """The recorder's side in its own thread."""
    backlog = BACKLOG

    def __init__(self, path: Path, fps, reserve, sound: Soundtrack, drawing=None):
        self.path, self.fps, self.reserve, self.sound, self.drawing = path, fps, reserve, sound, drawing
        self.raw = path.with_suffix(".mkv")
        self._video: VideoFile | None = None
        self._start, self._count = 0.0, 0

    def send(self, frame):
        if self._count % LOOKED == 0 and shutil.disk_usage(self.path.parent).free < self.reserve:
            raise OSError(errno.ENOSPC, f"less than {self.reserve >> 20} MB left on the disk")
        self._count += 1
        pixels = self.drawing(frame.pixels) if self.drawing else frame.pixels
        if self._video is None:
            height, width = pixels.shape[:2]
            self._start = frame.time
            self._video = VideoFile(self.raw, height, width, Coding(preset="ultrafast", crf=18), self.fps,
                                    sound=self.sound if self.sound.expected else None, start=frame.time)
        self._video.write(pixels, round((frame.time - self._start) * 1000))

    def close(self):
        """End the Matroska file; if it is whole, put it where it was meant to go."""
        video, self._video = self._video, None
        if video is None:
            return
        video.close()
        if self.raw != self.path:
            if shutil.disk_usage(self.path.parent).free - self.raw.stat().st_size < self.reserve:
                log.warning("%s: no room for a second copy; the recording stays %s", self.path, self.raw.name)
                return
            remux(self.raw, self.path)
            self.raw.unlink()
        log.info("recorded %s: %d frames", self.path, self._count)


def remux(source: Path, target: Path):
    """Copy the coded pictures and sound into another container, without coding them again. The target appears once it is whole."""
    with whole(target) as temporary, av.open(str(source)) as given, av.open(str(temporary), "w", options={"movflags": "+faststart"}) as made:
        streams = {stream.index: made.add_stream_from_template(stream) for stream in (*given.streams.video, *given.streams.audio)}
        for packet in given.demux(*(given.streams[index] for index in streams)):
            if packet.pts is not None:
                packet.dts = packet.pts                  # no picture waits for a later one, which a reader can't know of the first few
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
