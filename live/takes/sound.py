"""The sound beside a render's pictures: of any rate, layout and codec, at its own time, told at the start when it can't be.

What needs no decoding and has no delay of a codec's own is copied into .mkv and .mov; all else becomes AAC.
"""
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import UserError

LIBRARIES = ("av",)
COPIED = {".mkv": ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "flac"), ".mov": ("pcm_s16le", "pcm_s24le"), ".mp4": ()}
FORMATS = {".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}       # what ffmpeg calls them
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)     # that AAC has and every player plays
USUAL = 48000                       # Hz, for sound of any other rate
BIT_RATE = 128_000                  # per channel
COUNTED_ON = ("mpegts", "mpeg", "mp3", "aac", "flv", "asf", "rtsp")        # formats whose first time stamp is arbitrary: it counts as 0
GAP = 0.04                          # seconds that times may be off before silence is put in
LEAP = 10.0                         # seconds from which on a gap is a joint of two files, and no silence
TRIED = 0.3                         # seconds of sound that are written on trial
BROKEN = (OSError, ValueError)      # what codecs and disks raise


@dataclass(frozen=True)
class Sound:
    """A file with sound in it. offset: seconds after the first picture that it begins; below 0 it begins within it."""
    path: str | Path
    offset: float = 0.0


def check_sound(path, suffix: str, offset: float = 0.0):
    """Write a little of the sound into a container of that kind in memory. UserError: why the sound can't be had."""
    import av

    if not Path(path).is_file():
        raise UserError(f"{path}: there is no such sound file")
    try:
        with av.open(str(path)) as file:
            if not file.streams.audio:
                raise UserError(f"{path}: there is no sound in it")
            if next(_decode_frames(file, file.streams.audio[0]), None) is None:
                raise UserError(f"{path}: none of its sound can be decoded")
        with av.open(str(path)) as file, av.open(io.BytesIO(), "w", format=FORMATS[suffix]) as made:
            for _, packet in read_track(file, made, suffix, max(offset, 0.0) + TRIED, offset):
                made.mux(packet)
    except BROKEN as error:
        raise UserError(f"{path}: can't be read as sound: {getattr(error, 'strerror', None) or error}") from None


def read_track(file, made, suffix: str, end: float, offset: float = 0.0) -> Iterator:
    """Yield (seconds, packet) of an open file's sound, for an open container of that suffix, up to `end` seconds.

    offset: seconds that the sound begins later than its file says; below 0 it begins within it.
    """
    given = file.streams.audio[0]
    first = 0 if given.start_time is None else float(given.start_time * given.time_base)
    late = first - _find_zero(file) + offset
    if given.codec_context.name in COPIED[suffix] and abs(late) < 0.001:
        return _copy_packets(file, given, made.add_stream_from_template(given), end)
    rate = given.codec_context.sample_rate
    rate = rate if rate in RATES else USUAL
    stream = made.add_stream("aac", rate=rate, layout="mono" if given.codec_context.channels == 1 else "stereo")
    stream.bit_rate = BIT_RATE * stream.codec_context.channels
    return _encode(_fill_gaps(_decode_frames(file, given), stream, offset - _find_zero(file), end), stream)


def _find_zero(file) -> float:
    """Return the time in seconds of the file's beginning."""
    return (file.start_time or 0) / 1e6 if set(file.format.name.split(",")) & set(COUNTED_ON) else 0.0


def _copy_packets(file, given, stream, end):
    for packet in file.demux(given):
        if packet.dts is None or packet.dts * packet.time_base > end:
            return
        seconds = float(packet.dts * packet.time_base)
        packet.stream = stream
        yield seconds, packet


def _decode_frames(file, given):
    """Yield the frames of sound that can be decoded; damaged ones are left out."""
    import av

    packets = file.demux(given)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            continue
        yield from frames


def _fill_gaps(frames, stream, shift, end) -> Iterator[np.ndarray]:
    """Yield samples, float32 [channels, N] at the stream's rate, without a gap from 0 to `end` seconds or the sound's end.

    Each frame is where its time, plus shift, says: what lies before 0 is left out, silence fills gaps. A leap or a
    step back is where two files were joined: there the sound goes on.
    """
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
    total, at, begun, skip = round(end * rate), 0, False, 0
    for time, samples in _resample(frames, stream):
        off = 0.0 if time is None else time + shift - (at - skip) / rate
        if not begun:
            silence, skip, begun = max(0, round(off * rate)), max(0, -round(off * rate)), True
        elif GAP < off <= LEAP:
            silence = round(off * rate)
        else:
            silence, shift = 0, shift - (off if abs(off) > GAP else 0.0)
        silence = min(silence, total - at)
        if silence > 0:
            yield np.zeros((channels, silence), np.float32)
            at += silence
        left_out = min(skip, samples.shape[1])
        skip -= left_out
        samples = samples[:, left_out:left_out + total - at]
        if samples.shape[1]:
            yield samples
            at += samples.shape[1]
        if at >= total:
            return


def _resample(frames, stream):
    """Yield (seconds or None, samples [channels, N]) of frames, whatever their formats."""
    import av

    context, kind = stream.codec_context, None
    for frame in frames:
        if (found := (frame.format.name, frame.layout.name, frame.sample_rate)) != kind:
            kind, resampler = found, av.AudioResampler("fltp", context.layout.name, context.sample_rate)
        time = frame.time
        for n, part in enumerate(resampler.resample(frame)):
            yield time if n == 0 else None, part.to_ndarray()


def _encode(samples, stream):
    import av

    rate, at = stream.codec_context.sample_rate, 0
    for block in samples:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", stream.codec_context.layout.name)
        frame.sample_rate, frame.pts = rate, at
        at += block.shape[1]
        yield from ((float(p.pts * p.time_base), p) for p in stream.encode(frame))
    yield from ((float(p.pts * p.time_base), p) for p in stream.encode(None))
