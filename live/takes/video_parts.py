"""Parts of a rendered video: each a whole file of its own, in the end joined into one with its sound. Knows pictures and files only."""
import contextlib
import heapq
from fractions import Fraction
from pathlib import Path

from engine.files import whole
from live.outputs.recorder import MILLISECONDS, Coding, VideoFile
from live.takes import sound

LIBRARIES = ("av",)
PARTS = ".nut"                      # a container that keeps any codec and any times exactly
NOMINAL_FPS = 30.0                  # told to players of files whose frames have times of their own


@contextlib.contextmanager
def open_part(path: Path, shape: tuple[int, int], container: str, fps, lossless):
    """Yield a part of the video to write to; it appears under its name when it is whole. shape: (height, width)."""
    time_base = 1 / Fraction(fps).limit_denominator(1001) if fps else MILLISECONDS
    coding = Coding(lossless, preset="medium", container=container)
    with whole(path) as temporary:
        video = VideoFile(temporary, *shape, coding, fps or NOMINAL_FPS, time_base)
        try:
            yield video
        finally:
            video.close()


def join_parts(parts, out: Path, audio, seconds: float, fps):
    """Write the parts, one after the other and with the sound beside them, as one file. seconds: from the first frame to the last."""
    import av

    with whole(out) as temporary, contextlib.ExitStack() as files:
        made = files.enter_context(av.open(str(temporary), "w", options={"movflags": "+faststart"}))
        first = files.enter_context(av.open(str(parts[0])))
        stream = made.add_stream_from_template(first.streams.video[0])
        tracks = [_read_packets(parts, stream)]
        if audio is not None:
            end = seconds + 1.0 / (fps or NOMINAL_FPS)
            tracks.append(sound.read_track(files.enter_context(av.open(str(audio.path))), made, out.suffix, end, audio.offset))
        for _, packet in heapq.merge(*tracks, key=lambda found: found[0]):
            made.mux(packet)


def _read_packets(parts, stream):
    """Yield (seconds, packet) of the pictures of all parts, one file open at a time; each frame has its time in the whole."""
    import av

    for part in parts:
        with av.open(str(part)) as file:
            for packet in file.demux(video=0):
                if packet.dts is not None:
                    seconds = float(packet.dts * packet.time_base)
                    packet.stream = stream
                    yield seconds, packet
