"""A live stream: H.264 to a server, stream=rtmp://HOST/APP/KEY, srt://, rtsp://, udp://. A server that goes is tried again, the show never waits.

FFmpeg's libraries in PyAV do it; for SRT, which they lack, its packets go through an ffmpeg that is installed. Source: SURFACE.md O.4.
"""
import logging
import shutil
import subprocess
from fractions import Fraction
from typing import Any

import av
import numpy as np

from engine.errors import UserError
from live.outputs import output
from live.outputs.camera import check_even, make_even
from live.outputs.extras import MissingError
from live.show.clock import now

log = logging.getLogger(__name__)
LIBRARIES = ("av",)

FORMATS = {"rtmp": "flv", "rtmps": "flv", "srt": "mpegts", "udp": "mpegts", "tcp": "mpegts", "rtsp": "rtsp"}
MILLISECONDS = Fraction(1, 1000)
BITS = 0.1                          # for each pixel of a second, where the user says no bitrate
LEAST = 300                         # kbit a second
KEY_EVERY = 2.0                     # seconds between pictures that viewers can begin at: what services ask for
WAITS = (1.0, 30.0)                 # seconds before a server is tried again: at first, doubling up to this
STEADY = 5.0                        # seconds of streaming after which it counts as well again
HERTZ = 48000                       # of the silence: services refuse streams without sound
RELAY = ("-hide_banner", "-loglevel", "error", "-fflags", "nobuffer", "-probesize", "65536", "-analyzeduration", "1000000",
         "-f", "mpegts", "-i", "pipe:0", "-c", "copy", "-f", "mpegts")


@output
class Stream:
    """target: the server's address. fps: pictures a second. bitrate: kbit a second; default: by size and rate. lost: pictures while no server was there."""
    apart, steady = True, True

    def __init__(self, target="", fps=30.0, bitrate=None):
        self.target, self.fps, self.bitrate, self.lost = target, fps, bitrate, 0
        if _needs_relay(target) and not shutil.which("ffmpeg"):
            raise MissingError("output stream: SRT goes through ffmpeg, which is not installed; apt install ffmpeg, brew install ffmpeg, winget install ffmpeg")
        self._link: Link | None = None
        self._due, self._wait, self._told = 0.0, WAITS[0], ""

    @staticmethod
    def check(spec):
        """Raise UserError where a stream's address is not valid."""
        scheme, mark, rest = spec.target.partition("://")
        if not mark or scheme.lower() not in FORMATS or not rest.strip("/"):
            ways = ", ".join(f"{name}://" for name in FORMATS)
            raise UserError(f"output {spec.name}: stream={hide_key(spec.target)}: expected a server's address that begins with {ways}")
        check_even(spec)

    def send(self, frame):
        """Stream a picture, or leave it out while no server can be reached."""
        if self._link is None and now() < self._due:
            self.lost += 1
            return
        try:
            if self._link is None:
                self._link = Link(self.target, make_even(frame.pixels).shape[1::-1], self.fps, self.bitrate)
            self._link.write(make_even(frame.pixels))
        except (av.error.FFmpegError, OSError) as error:
            self._lose(error)
            return
        if self._link.seconds > STEADY:
            self._wait = WAITS[0]
        if self._told:
            log.info("output stream: %s: it streams", hide_key(self.target))
            self._told = ""

    def close(self):
        """End the stream."""
        link, self._link = self._link, None
        if link is not None:
            try:
                link.close()
            except (av.error.FFmpegError, OSError) as error:
                log.debug("output stream: it ended with %s", error)

    def _lose(self, error):
        self.lost += 1
        link = self._link
        self.close()
        reason = link.read_reason() if link else ""
        reason = reason or getattr(error, "strerror", "") or type(error).__name__
        if reason != self._told:
            log.warning("output stream: %s: %s; trying again, the show goes on", hide_key(self.target), reason)
            self._told = reason
        self._due, self._wait = now() + self._wait, min(self._wait * 2, WAITS[1])


class Link:
    """One connection to a server, from the first picture to its end. size: (width, height)."""

    def __init__(self, target: str, size: tuple[int, int], fps: float, bitrate: int | None):
        self._relay = _start_relay(target) if _needs_relay(target) else None
        into: Any = self._relay.stdin if self._relay else target
        self._file = av.open(into, "w", format=FORMATS[target.partition("://")[0].lower()])
        kbit = bitrate or max(LEAST, round(BITS * size[0] * size[1] * fps / 1000))
        options = {"preset": "veryfast", "tune": "zerolatency", "bf": "0", "maxrate": f"{kbit}k", "bufsize": f"{kbit}k"}
        self._video = self._file.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=options)
        self._video.width, self._video.height = size
        self._video.pix_fmt, self._video.bit_rate = "yuv420p", kbit * 1000
        context = self._video.codec_context
        context.time_base, context.gop_size, context.thread_count = MILLISECONDS, max(1, round(KEY_EVERY * fps)), 2
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1         # BT.709, limited range
        self._sound = self._file.add_stream("aac", rate=HERTZ, layout="stereo")
        self._silence = np.zeros((2, 1024), np.float32)
        self._begun, self._last, self._samples = now(), -1, 0

    @property
    def seconds(self) -> float:
        """How long it has been streaming."""
        return now() - self._begun

    def write(self, pixels: np.ndarray):
        """Send a picture, uint8 [H, W, 3], at the time it is, and silence up to there."""
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
        self._last = frame.pts = max(round(self.seconds * 1000), self._last + 1)
        frame.time_base = MILLISECONDS
        self._file.mux(self._video.encode(frame))
        while self._samples * 1000 <= self._last * HERTZ:
            sound = av.AudioFrame.from_ndarray(self._silence, format="fltp", layout="stereo")
            sound.sample_rate, sound.pts, sound.time_base = HERTZ, self._samples, Fraction(1, HERTZ)
            self._samples += self._silence.shape[1]
            self._file.mux(self._sound.encode(sound))

    def read_reason(self) -> str:
        """Return the last line that the ffmpeg which relays the stream wrote, "" where there is none."""
        if self._relay is None or self._relay.stderr is None:
            return ""
        lines = self._relay.stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1].rpartition(": ")[2] if lines else ""

    def close(self):
        """Send what the encoder still holds, and end the connection."""
        try:
            self._file.mux(self._video.encode(None))
            self._file.close()
        finally:
            if self._relay is not None and self._relay.stdin is not None:
                self._relay.stdin.close()
                self._relay.terminate()


def _needs_relay(target: str) -> bool:
    """Return whether an address is one that PyAV's libraries can't stream to, and an ffmpeg can."""
    return target.lower().startswith("srt://")


def _start_relay(target) -> subprocess.Popen:
    return subprocess.Popen(["ffmpeg", *RELAY, target], stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def hide_key(address: str) -> str:
    """Return an address without what lets others stream in your name: password, key and query."""
    scheme, mark, rest = address.partition("://")
    host = rest.partition("?")[0].partition("/")[0].rpartition("@")[2]
    return f"{scheme}://{host}/..." if mark and host else address
