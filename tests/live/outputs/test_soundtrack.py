"""The sound of a live video: in step with the pictures, whatever the card's clock, its rate and the container."""
import types

import av
import numpy as np
import pytest

from live.audio.ear import Ear
from live.outputs.recorder import Recorder
from live.takes.recording import Recording
from tests.live.outputs.test_recorder import Frame

FPS, FLASH, BLOCK = 2, 20.0, 1600                 # a white frame and a click at the same moment, each 20 seconds


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def record(path, seconds, ppm=0, rate=8000, channels=1, kind=np.float32, first=100.0):
    """Record a show of so many seconds, whose card is so many millionths too fast."""
    clock, true = Clock(), rate * (1 + ppm * 1e-6)
    recorder = Recorder(path, fps=FPS, reserve=0, now=clock)
    recorder.running.mailbox.wait = True                 # nothing is left out, however slow this machine is
    recorder.expect_sound()
    heard, rng = 0, np.random.default_rng(1)
    for n in range(round(seconds * FPS)):
        clock.now = first + n / FPS
        while (heard + BLOCK) / true <= clock.now - first:
            block = np.zeros((BLOCK, channels))
            click = round(round(heard / true / FLASH + 0.499999) * FLASH * true) - heard
            if 0 <= click < BLOCK:
                block[click:click + rate // 100] = 0.8
            heard += BLOCK
            scaled = block.astype(kind) if kind == np.float32 else (block * 32767).astype(kind)
            recorder.hear(scaled, rate, first + heard / true + rng.normal() * 0.0003)
        recorder.put(Frame(np.full((32, 32, 3), 255 if (n / FPS) % FLASH == 0 else 0, np.uint8)))
    recorder.close()
    return recorder


def seen_and_heard(path):
    """(when a white picture begins, when a click does), in seconds of the file."""
    with av.open(str(path)) as file:
        seen = [float(f.pts * f.time_base) for f in file.decode(video=0) if f.to_ndarray(format="gray8").mean() > 128]
    with av.open(str(path)) as file:
        frames = list(file.decode(audio=0))
    heard = []
    for frame in frames:
        loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.3)
        if len(loud):
            heard.append(float(frame.pts * frame.time_base) + loud[0] / frame.sample_rate)
    return seen, [at for n, at in enumerate(heard) if n == 0 or at - heard[n - 1] > 1.0]


@pytest.mark.parametrize("suffix, ppm, seconds", [(".mkv", 2000, 100), (".mp4", -200, 600)])
def test_ten_minutes_stay_in_step_within_a_frame(tmp_path, suffix, ppm, seconds):
    recorder = record(tmp_path / f"a{suffix}", seconds, ppm)
    seen, heard = seen_and_heard(tmp_path / f"a{suffix}")
    assert recorder.broken is None and len(seen) == seconds / FLASH and len(seen) - len(heard) in (0, 1)      # the click at the very beginning may be cut into
    assert np.abs(np.array(seen[-len(heard):]) - heard).max() < 1 / 60


@pytest.mark.parametrize("rate, channels, kind", [(44100, 2, np.int16), (48000, 1, np.float32), (96000, 6, np.float32), (22050, 2, np.int16)])
def test_every_kind_of_card_is_heard(tmp_path, rate, channels, kind):
    record(tmp_path / "a.mov", 45, rate=rate, channels=channels, kind=kind)
    seen, heard = seen_and_heard(tmp_path / "a.mov")
    assert len(seen) == 3 and np.abs(np.array(seen[1:]) - heard[-2:]).max() < 1 / 60


def test_a_card_that_goes_and_another_that_comes_leave_silence_between(tmp_path):
    clock = Clock()
    recorder = Recorder(tmp_path / "a.mkv", fps=10, reserve=0, now=clock)
    recorder.running.mailbox.wait = True
    recorder.expect_sound()
    for n in range(80):
        clock.now = n / 10
        rate = 16000 if n < 40 else 44100
        if n and not 20 <= n < 60:                       # two seconds, then four of nothing, then another card
            recorder.hear(np.full((rate // 10, 1), 0.5, np.float32), rate, clock.now)
        recorder.put(Frame(np.zeros((32, 32, 3), np.uint8)))
    recorder.close()
    with av.open(str(tmp_path / "a.mkv")) as file:
        frames = list(file.decode(audio=0))
    level = {round(float(f.pts * f.time_base), 1): np.abs(f.to_ndarray()[0]).mean() for f in frames}
    assert level[1.0] > 0.3 and level[4.0] < 0.01 and level[7.0] > 0.3


def test_a_show_gives_what_it_hears_to_its_videos(tmp_path):
    ear = Ear("some card")
    show = types.SimpleNamespace(listening=types.SimpleNamespace(ear=ear), outputs=[object()], scene={"/output/freeze": 0.0}, motion=None)
    recording = Recording(show, tmp_path)
    recording.record_video_to(tmp_path / "a.mkv")
    video = recording.video
    recording.play(None)
    assert ear.taps == [video.hear]
    recording.play(None)
    assert ear.taps == [video.hear]
    recording.stop_video()
    recording.play(None)
    assert ear.taps == []
    recording.close()


def test_a_show_that_hears_nothing_has_videos_without_sound(tmp_path):
    show = types.SimpleNamespace(listening=types.SimpleNamespace(ear=Ear()), outputs=[], scene={"/output/freeze": 0.0}, motion=None)
    recording = Recording(show, tmp_path)
    recording.record_video_to(tmp_path / "a.mp4")
    recording.play(None)
    recording.video.hear(np.zeros(10), 48000, 0.0)
    recording.video.put(Frame(np.zeros((32, 32, 3), np.uint8)))
    recording.video.close()
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert not file.streams.audio and len(list(file.decode(video=0))) == 1
