"""Sound beside pictures: whatever a studio, a phone or a browser writes, heard at the moment it belongs to."""
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from engine.errors import UserError
from engine.instrument import Instrument
from live.show.events import Tick
from live.takes import render as rendering
from live.takes.render import render
from live.takes.sound import Sound, check_sound
from live.takes.take import TakeReader
from tests.conftest import tiny
from tests.live.memory_rig import Rig

CLICK, LENGTH, FPS = 0.6, 1.0, 10   # seconds into the sound, seconds of the take, frames a second


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    folder = tmp_path_factory.mktemp("take")
    rig = Rig(folder)
    rig.show.recording.record_to(folder / "a.take")
    for frame in range(int(LENGTH * FPS) + 1):
        rig.show.frame(Tick(frame, frame / FPS, 1 / FPS))
    rig.close()
    return TakeReader(folder / "a.take", rig.base, rig.hash)


def clicks(rate, channels=1, seconds=2.0):
    """float32 [channels, N]: silence, and a burst that begins at CLICK."""
    samples = np.zeros((channels, int(seconds * rate)), np.float32)
    burst = slice(int(CLICK * rate), int((CLICK + 0.2) * rate))
    samples[:, burst] = 0.5 * np.sin(np.arange(burst.stop - burst.start) * 2 * np.pi * min(1000, rate / 8) / rate)
    return samples


def write(path, samples, rate, codec, format=None, layout=None, late=0.0, leap=0.0, back=0.0):
    """A sound file. late: when its times begin. leap, back: seconds by which they go on wrongly after 0.3 s."""
    with av.open(str(path), "w", format=format) as file:
        layout = layout or {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
        stream = file.add_stream(codec, rate=rate, layout=layout)
        kind = stream.codec_context.format.name if stream.codec_context.format else "fltp"
        resampler = av.AudioResampler(kind, layout, rate, frame_size=stream.codec_context.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            wrong = (leap - back) if part.pts / rate >= 0.3 else 0.0
            part.pts += round((late + wrong) * rate)
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path


def heard(path):
    """(seconds at which the burst begins on the pictures' clock, seconds of sound) of a finished film, as a player would play it."""
    with av.open(str(path)) as file:
        first = next(file.decode(video=0)).time
    with av.open(str(path)) as file:
        track = file.streams.audio[0]
        parts = [(frame.time, frame.to_ndarray().reshape(len(frame.layout.channels) if frame.format.is_planar else 1, -1))
                 for frame in file.decode(track)]
        rate, packed = track.codec_context.sample_rate, not track.codec_context.format.is_planar
        step = track.codec_context.channels if packed else 1
    for time, samples in parts:
        whole = {"uint8": 128, "int16": 2**15, "int32": 2**31}.get(samples.dtype.name, 1)
        loud = np.flatnonzero(np.abs(samples[0].astype(float) - (128 if whole == 128 else 0)) > 0.1 * whole)
        if len(loud):
            return time + loud[0] / step / rate - first, parts[-1][0] - first
    return None, parts[-1][0] - first


FILES = {
    **{f"{rate} Hz": ("a.wav", rate, 1, "pcm_s16le", {}) for rate in (8000, 11025, 22255, 44100, 96000, 192000)},
    "24 bit": ("a.wav", 48000, 2, "pcm_s24le", {}), "float": ("a.wav", 48000, 2, "pcm_f32le", {}), "5.1": ("a.wav", 48000, 6, "pcm_s16le", {}),
    "8 bit": ("a.wav", 22050, 1, "pcm_u8", {}), "flac": ("a.flac", 44100, 2, "flac", {}), "flac 192 kHz": ("a.flac", 192000, 2, "flac", {}),
    "mp3": ("a.mp3", 44100, 2, "libmp3lame", {}), "mp3 22050": ("a.mp3", 22050, 1, "libmp3lame", {}), "opus": ("a.opus", 48000, 2, "libopus", {}),
    "opus in webm": ("a.webm", 48000, 2, "libopus", {}), "m4a": ("a.m4a", 44100, 2, "aac", {}),
    "adts": ("a.aac", 48000, 2, "aac", {"slack": 0.05}), "mpegts": ("a.ts", 48000, 2, "mp2", {}), "alac": ("a.m4a", 44100, 2, "alac", {}),
    "late in mkv": ("a.mkv", 48000, 2, "pcm_s16le", {"late": 0.25}), "late in m4a": ("a.m4a", 48000, 2, "aac", {"late": 0.25}),
    "a gap": ("a.mkv", 48000, 2, "aac", {"leap": 0.2}), "times leap by hours": ("a.mkv", 48000, 2, "aac", {"leap": 9000.0, "heard": CLICK}),
}


@pytest.mark.parametrize("kind, suffix", [(kind, ".mp4") for kind in FILES]
                         + [(kind, suffix) for kind in ("44100 Hz", "24 bit", "8 bit", "flac", "mp3", "late in mkv") for suffix in (".mkv", ".mov")])
def test_sound_is_heard_where_it_belongs(take, tmp_path, kind, suffix):
    name, rate, channels, codec, how = FILES[kind]
    how = dict(how)
    slack, wanted = how.pop("slack", 0.012), how.pop("heard", CLICK + how.get("late", 0.0) + how.get("leap", 0.0))
    path = write(tmp_path / name, clicks(rate, channels), rate, codec, **how)
    out = render(take, Instrument(tiny()), tmp_path / f"out{suffix}", fps=FPS, audio=path)
    at, length = heard(out)
    assert at == pytest.approx(wanted, abs=slack) and length <= LENGTH + 0.15


@pytest.mark.parametrize("offset", [0.3, -0.4])
def test_an_offset_moves_it(take, tmp_path, offset):
    path = write(tmp_path / "a.wav", clicks(48000), 48000, "pcm_s16le")
    out = render(take, Instrument(tiny()), tmp_path / "out.mp4", fps=FPS, audio=Sound(path, offset))
    assert heard(out)[0] == pytest.approx(CLICK + offset, abs=0.012)


def test_sound_shorter_than_the_pictures_ends_and_they_go_on(take, tmp_path):
    path = write(tmp_path / "a.wav", clicks(48000, seconds=0.9), 48000, "pcm_s16le")
    out = render(take, Instrument(tiny()), tmp_path / "out.mp4", fps=FPS, audio=path)
    with av.open(str(out)) as file:
        assert sum(1 for _ in file.decode(video=0)) == int(LENGTH * FPS) + 1
    assert heard(out)[1] < 0.95


def silent_video(path):
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 16
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))))
        file.mux(stream.encode())


def test_what_can_not_be_had_is_told_before_a_picture_is_drawn(take, tmp_path, monkeypatch):
    silent_video(tmp_path / "silent.mp4")
    write(tmp_path / "whole.flac", clicks(48000), 48000, "flac")
    (tmp_path / "empty.wav").write_bytes((tmp_path / "whole.flac").read_bytes()[:4])
    with wave.open(str(tmp_path / "nothing.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
    monkeypatch.setattr(rendering, "_render_video", lambda *_: pytest.fail("drawn"))
    for name, message in (("silent.mp4", "there is no sound in it"), ("empty.wav", "can't be read as sound"), ("nothing.wav", "none of its sound"),
                          ("nowhere.wav", "no such sound file")):
        with pytest.raises(UserError, match=message):
            render(take, Instrument(tiny()), tmp_path / "out.mp4", fps=FPS, audio=tmp_path / name)


def test_a_damaged_file_is_heard_as_far_as_it_goes(take, tmp_path):
    path = write(tmp_path / "a.mp3", clicks(44100, 2), 44100, "libmp3lame")
    data = bytearray(path.read_bytes())
    data[2000:2600] = bytes(600)
    path.write_bytes(data[:len(data) * 3 // 4])
    check_sound(path, ".mp4")
    assert heard(render(take, Instrument(tiny()), tmp_path / "out.mp4", fps=FPS, audio=path))[0] == pytest.approx(CLICK, abs=0.08)
