import os
import signal
import subprocess
import sys
import threading

import av
import numpy as np
import pytest

from engine.errors import UserError
from live import outputs
from live.outputs.recorder import Recorder, VideoFile
from tests.live.memory_rig import Rig


class Frame:
    def __init__(self, pixels, number=0):
        self.pixels, self.number = pixels, number


def picture(n, size=64):
    return np.full((size, size, 3), (n * 7) % 256, np.uint8)


def times(path):
    with av.open(str(path)) as file:
        return [round(float(f.pts * f.time_base), 3) for f in file.decode(video=0)]


class Clock(list):
    """now() gives these moments, one after the other."""

    def __call__(self):
        return self.pop(0)


def put_slowly(recorder, frames):
    """Put frames so that none is left out: the encoder has taken each before the next."""
    for n in range(frames):
        recorder.put(Frame(picture(n)))
        while recorder.sent + recorder.dropped <= n and recorder.running.thread.is_alive():
            threading.Event().wait(0.001)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_frames_keep_the_times_they_were_shown_at(tmp_path, suffix):
    moments = [10.0, 10.033, 10.05, 10.4, 10.4, 10.433]
    recorder = Recorder(tmp_path / f"a{suffix}", reserve=0, now=Clock(moments[:]))
    put_slowly(recorder, 6)
    recorder.close()
    assert times(tmp_path / f"a{suffix}") == pytest.approx([0.0, 0.033, 0.05, 0.4, 0.401, 0.433], abs=0.0011)
    assert os.listdir(tmp_path) == [f"a{suffix}"] and recorder.dropped == 0


def test_what_the_encoder_is_too_slow_for_is_counted(tmp_path, monkeypatch):
    gate = threading.Event()
    write = VideoFile.write
    monkeypatch.setattr(VideoFile, "write", lambda self, *what: gate.wait() and write(self, *what))
    recorder = Recorder(tmp_path / "a.mkv", reserve=0)
    for n in range(60):
        recorder.put(Frame(picture(n)))                            # never waits, though nothing is taken
    gate.set()
    recorder.close()
    assert recorder.dropped >= 60 - 16 - 2 and recorder.sent + recorder.dropped == 60
    assert len(times(tmp_path / "a.mkv")) == recorder.sent


def test_pixels_are_copied_before_they_change(tmp_path):
    recorder = Recorder(tmp_path / "a.mkv", reserve=0)
    pixels = picture(10)
    recorder.put(Frame(pixels))
    pixels[:] = 0
    recorder.close()
    with av.open(str(tmp_path / "a.mkv")) as file:
        found = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert abs(int(found.mean()) - 70) < 4


def test_a_full_disk_closes_the_file_well_and_the_show_goes_on(tmp_path, monkeypatch, caplog):
    write, count = VideoFile.write, [0]

    def full(self, *what):
        count[0] += 1
        if count[0] > 40:
            raise OSError(28, "No space left on device")
        return write(self, *what)

    monkeypatch.setattr(VideoFile, "write", full)
    rig = Rig(tmp_path)
    rig.send("/video/record", "show")
    rig.play()
    recorder = rig.show.outputs[-1]
    put_slowly(recorder, 50)
    assert rig.play(3) and "No space left" in caplog.text and recorder.broken
    count[0] = 0                                         # there is room again, and one press begins again
    rig.send("/video/record", "again")
    rig.play()
    put_slowly(rig.show.outputs[-1], 5)
    rig.close()
    assert recorder.dropped > 0 and len(times(tmp_path / "show.mp4")) == 40
    assert len(times(tmp_path / "again.mp4")) >= 5


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_really_full_disk(tmp_path, caplog):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no permission to mount")
    try:
        rng = np.random.default_rng(0)
        recorder = Recorder(disk / "a.mkv", reserve=0)
        for n in range(120):
            if not recorder.running.thread.is_alive():
                break
            recorder.put(Frame(rng.integers(0, 255, (128, 128, 3), np.uint8)))
            while recorder.sent + recorder.dropped <= n and recorder.running.thread.is_alive():
                threading.Event().wait(0.001)
        recorder.close()
        assert recorder.broken and "No space left" in caplog.text
        assert len(times(disk / "a.mkv")) > 10
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_last_of_the_disk_is_never_used(tmp_path, caplog):
    recorder = Recorder(tmp_path / "a.mp4", reserve=1 << 60)
    put_slowly(recorder, 2)
    recorder.close()
    assert "left on the disk" in caplog.text and not (tmp_path / "a.mp4").exists()


KILLED = """
import sys
from tests.live.outputs.test_recorder import Frame, Recorder, put_slowly, picture
clock = iter(n / 30 for n in range(10 ** 6))
recorder = Recorder(sys.argv[1], reserve=0, now=lambda: next(clock))
while True:
    put_slowly(recorder, 30)
    recorder.running.sent = recorder.running.mailbox.dropped = 0
    print("second", flush=True)
"""


def test_kill_9_leaves_all_but_the_last_second(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "a.mp4")], stdout=subprocess.PIPE, text=True)
    for _ in range(5):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert times(tmp_path / "a.mkv")[-1] > 5 - 1.1


@pytest.mark.parametrize("name, message", [("a.avi", "ending in .mkv, .mp4, .mov"), ("there.mp4", "already")])
def test_mistakes(tmp_path, name, message):
    (tmp_path / "there.mp4").touch()
    with pytest.raises(UserError, match=message):
        outputs.start_output("recorder", target=tmp_path / name)


def test_video_record_is_a_toggle(tmp_path):
    rig = Rig(tmp_path)
    rig.send("/video/record")
    rig.play()
    recorder = rig.show.outputs[-1]
    put_slowly(recorder, 5)
    rig.send("/video/record")
    rig.play()
    assert rig.show.outputs == [rig.screen]
    rig.close()
    assert len(times(tmp_path / "tiny-001.mp4")) >= 5


def test_the_end_waits_for_a_copy_that_takes_long(tmp_path, monkeypatch):
    from live.outputs import recorder

    monkeypatch.setattr(outputs, "CLOSING", 0.01)
    copying, go_on, copy = threading.Event(), threading.Event(), recorder.remux

    def slow(source, target):
        copying.set()
        go_on.wait(120)
        copy(source, target)

    monkeypatch.setattr(recorder, "remux", slow)
    made = outputs.start_output("recorder", target=tmp_path / "show.mp4")
    put_slowly(made, 5)
    closing = threading.Thread(target=made.close)
    closing.start()
    assert copying.wait(120)
    closing.join(0.2)
    assert closing.is_alive()
    go_on.set()
    closing.join(120)
    assert len(times(tmp_path / "show.mp4")) >= 5
