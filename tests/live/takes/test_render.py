import wave

import av
import numpy as np
import pytest

import live.takes.job
from engine.errors import UserError
from engine.instrument import Instrument
from live.show.events import Tick
from live.takes.performance import play_evenly, play_ticks
from live.takes.render import render
from live.takes.take import TakeReader
from tests.conftest import tiny
from tests.live.memory_rig import Rig

JITTER = (0.0, 0.03, 0.04, 0.02, 0.09, 0.033, 0.035, 0.031, 0.05, 0.016)


@pytest.fixture
def take(tmp_path):
    """A take of 30 uneven frames with a morph, a cut, a freeze; .pictures are what was shown."""
    rig = Rig(tmp_path)
    rig.show.recording.record_to(tmp_path / "a.take")
    time = 0.0
    for frame in range(30):
        dt = JITTER[frame % len(JITTER)]
        time += dt
        if frame == 3:
            rig.send("/preset/store", "one")
        if frame == 6:
            rig.send("/truncation", 1.3)
            rig.send("/walk/kind", "wander")
        if frame == 9:
            rig.send("/preset/recall", "one", 0.3)
        if frame in (21, 26):
            rig.send("/freeze")
        rig.show.frame(Tick(frame, time, dt))
    rig.close()
    reader = TakeReader(tmp_path / "a.take", rig.base, rig.hash)
    reader.pictures, reader.end = list(rig.screen), time
    return reader


def decoded(path):
    """(pictures as bytes, their times in seconds)."""
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    return [f.to_ndarray(format="rgb24").tobytes() for f in frames], [round(float(f.pts * f.time_base), 3) for f in frames]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_its_own_ticks_give_the_frames_of_the_show_bit_for_bit(take, tmp_path, suffix):
    steps = []
    out = render(take, Instrument(tiny()), tmp_path / f"out{suffix}", lossless=True, progress=lambda *at: steps.append(at))
    pictures, times = decoded(out)
    assert pictures == take.pictures
    assert times == pytest.approx([tick.time for tick, _ in take.read_frames()], abs=0.0011)
    assert steps[0] == (1, 30) and steps[-1] == (30, 30)


def test_a_folder_of_pictures(take, tmp_path):
    from PIL import Image

    out = render(take, Instrument(tiny()), tmp_path / "frames")
    found = [np.asarray(Image.open(path)).tobytes() for path in sorted(out.glob("frame_*.png"))]
    assert found == take.pictures


@pytest.mark.parametrize("stopped_at", [4, 23])
@pytest.mark.parametrize("name", ["out.mkv", "frames"])
def test_an_interrupted_render_goes_on(take, tmp_path, monkeypatch, stopped_at, name):
    monkeypatch.setattr(live.takes.job, "PART", 5)
    drawn = []

    def stop(done, total):
        drawn.append(done)
        if done > stopped_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(take, Instrument(tiny()), tmp_path / name, lossless=True, progress=stop)
    drawn.clear()
    out = render(take, Instrument(tiny()), tmp_path / name, lossless=True, progress=lambda done, total: drawn.append(done))
    assert drawn[0] > stopped_at - 5
    if out.is_dir():
        assert len(list(out.glob("*.png"))) == 30
    else:
        assert decoded(out)[0] == take.pictures
        assert [p.name for p in tmp_path.iterdir() if p.name.endswith("parts")] == []


def test_evenly_spaced_frames_of_another_size(take, tmp_path):
    steps = []
    out = render(take, Instrument(tiny()), tmp_path / "out.mp4", size=64, fps=60, progress=lambda *at: steps.append(at))
    pictures, times = decoded(out)
    assert len(pictures[0]) == 64 * 64 * 3
    assert times == [round(n / 60, 3) for n in range(len(times))] and len(times) == int(take.end * 60) + 1
    assert steps[-1] == (len(times), len(times))


def test_even_moments_are_between_those_played(take):
    own = list(play_ticks(take))
    even = list(play_evenly(iter(own), 240.0))
    assert [m.time for m in even] == pytest.approx([n / 240 for n in range(len(even))])
    walks = [m.motion.walk for m in even[:40]]
    assert walks == sorted(walks)                                  # without a jump and without standing still
    same = list(play_evenly(iter(own), 1000.0))
    for moment in own[:20]:
        near = same[round(moment.time * 1000)]
        assert near.scene["/truncation"] == pytest.approx(moment.scene["/truncation"], abs=1e-6)


def test_a_cut_stays_a_cut(tmp_path):
    rig = Rig(tmp_path)
    rig.send("/preset/store", "one")
    rig.play()
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play(3)
    rig.send("/truncation", -1.0)
    rig.play(3)
    rig.send("/preset/recall", "one")
    rig.play(3)
    rig.close()
    psi = [m.scene["/truncation"] for m in play_evenly(play_ticks(TakeReader(tmp_path / "a.take", rig.base)), 300.0)]
    assert sum(-1.0 < value < 0.8 for value in psi) == 9           # on the way down, where a hand turned it; none on the way up


def sound(path, seconds, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.sin(np.arange(int(seconds * rate)) * 0.3) * 9000).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("suffix, codec", [(".mkv", "pcm_s16le"), (".mp4", "aac")])
def test_sound_beside_the_pictures(take, tmp_path, suffix, codec):
    out = render(take, Instrument(tiny()), tmp_path / f"out{suffix}", fps=30, audio=sound(tmp_path / "a.wav", 5.0))
    with av.open(str(out)) as file:
        track = file.streams.audio[0]
        assert track.codec_context.name == codec
        length = sum(frame.samples for frame in file.decode(track)) / track.codec_context.sample_rate
    assert take.end - 0.1 < length < take.end + 0.4


WRONG = [
    (dict(out="out.avi"), "expected a name ending in .mkv, .mp4, .mov, or a folder"),
    (dict(out="out.mkv", fps=0), "expected a number above 0"),
    (dict(out="out.mkv", audio="none.wav"), "no such sound file"),
    (dict(out="out.mkv", audio="there.mkv"), "there.mkv: can't be read as sound"),
    (dict(out="frames", audio="a.take"), "no place for sound"),
    (dict(out="there.mkv"), "already"),
    (dict(out="used"), "another render"),
    (dict(out="out.mkv", audio="a.take"), "a.take: can't be read as sound"),
    (dict(out="out.mkv", size=0), "size 0: expected"),
]


@pytest.mark.parametrize("wrong, message", WRONG)
def test_mistakes(take, tmp_path, wrong, message):
    (tmp_path / "there.mkv").touch()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "frame_000000.png").touch()
    settings = {name: tmp_path / value if name in ("out", "audio") else value for name, value in wrong.items()}
    drawn = []
    with pytest.raises(UserError, match=message):
        render(take, Instrument(tiny()), progress=lambda *at: drawn.append(at), **settings)
    assert not drawn                                     # said at once, not after an hour


def test_a_take_without_frames(tmp_path):
    rig = Rig(tmp_path)
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.show.frame(Tick(0, 0.0, 0.0))
    rig.close()
    path = tmp_path / "a.take"
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")
    with pytest.raises(UserError, match="no frames"):
        render(TakeReader(path, rig.base), Instrument(tiny()), tmp_path / "out.mkv")


def test_a_render_on_other_weights_does_not_go_on_with_these(take, tmp_path, monkeypatch):
    monkeypatch.setattr(live.takes.job, "PART", 5)

    def stop(done, total):
        if done > 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(take, Instrument(tiny()), tmp_path / "out.mkv", lossless=True, progress=stop)
    drawn = []
    other = TakeReader(take.path, Rig().base, "another")
    render(other, Instrument(tiny()), tmp_path / "out.mkv", lossless=True, progress=lambda *at: drawn.append(at))
    assert drawn[0] == (1, 30)
