"""A whole show in processes, on a virtual display: the audience never sees that a part of it died. SURFACE.md O.7 (1)."""
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import av
import pytest

from live.instrument import open as opening
from live.takes.take import TakeReader
from tests.live.outputs.test_window import eventually, screen  # noqa: F401  (a fixture)
from tests.live.processes.test_supervisor import alive, segments_of
from tests.ports import find_free_port
from tests.senders.touchdesigner import message

ROOT = Path(__file__).parents[3]


class Playing:
    """run_live.py with a window, as a user starts it."""

    def __init__(self, display, folder, *flags):
        self.folder, self.display, self.log = folder, display, folder / "log"
        self.port = find_free_port()
        instrument = folder / "masks"
        instrument.mkdir()
        for name in ("instrument.yaml", "generator.safetensors"):
            shutil.copy(ROOT / "presets" / "masks" / name, instrument / name)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "run_live.py"), "--instrument", str(instrument), "--size", "64", "--fullscreen", "--threads", "1", "--fps", "15",
                 "--midi-ports", "none", "--osc-port", str(self.port), "--oscquery-port", "0", *flags],
                cwd=folder, stderr=log, stdout=log, env=os.environ | {"DISPLAY": display, "SDL_VIDEODRIVER": "x11"})

    def said(self, words):
        """How often the log has these words."""
        return len(re.findall(words, self.log.read_text()))

    def pid(self, name):
        """The process that a part of the show has now."""
        return int(re.findall(rf"{name}: process (\d+)", self.log.read_text())[-1])

    def picture(self, name):
        """What is on the display, as the bytes of an image."""
        path = self.folder / f"{name}.ppm"
        subprocess.run(["import", "-window", "root", str(path)], env=os.environ | {"DISPLAY": self.display}, check=True)
        return path.read_bytes()

    def edge(self):
        """How bright the left edge of the middle row is: with a picture that is stretched, it is no black."""
        return sum(self.picture("edge")[-400 * 3 * 150:][:30])

    def ticks(self, take):
        """How many lines a take has on the disk."""
        path = self.folder / take
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def send(self, address, *values):
        """Send it an OSC message."""
        import socket

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(message(address, *values, tag="s" if isinstance(values[0], str) else "f"), ("127.0.0.1", self.port))

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(180)


@pytest.fixture
def playing(screen, tmp_path):  # noqa: F811  (the fixture)
    show = Playing(screen, tmp_path, "--output", "window,recorder=show.mp4", "--take", "walk.take")
    yield show
    show.close()


def test_a_killed_renderer_is_not_seen_and_what_was_set_stays(playing):
    """And the take and the video that were being recorded go on in second files."""
    eventually(lambda: playing.said("playing Masks"), 1)
    eventually(lambda: playing.send("/outputs/window/fill", "stretch") or playing.edge() > 0, True)
    before = playing.picture("before")
    eventually(lambda: playing.send("/walk/kind", "wander") or playing.picture("moving") != before, True)
    eventually(lambda: playing.ticks("walk.take") > 30 and frames_so_far(playing.folder / "show.mkv") > 5, True)
    eventually(lambda: playing.said("renderer: process"), 1)
    renderer, window = playing.pid("renderer"), playing.pid("window")
    os.kill(renderer, signal.SIGKILL)
    eventually(lambda: playing.said("the picture stays up"), 1)
    dead, still = playing.picture("dead"), playing.picture("still dead")
    assert len(set(dead[20:])) > 20 and (still == dead or playing.said("renderer: process") > 1)       # two looks may take longer than the next one to draw
    eventually(lambda: playing.said("playing Masks"), 2)
    eventually(lambda: playing.picture("again") != dead, True)
    assert playing.pid("window") == window and playing.pid("renderer") != renderer
    assert playing.edge() > 0
    os.kill(window, signal.SIGKILL)
    eventually(lambda: playing.said("output window: ended with SIGKILL"), 1)
    eventually(lambda: playing.pid("window") != window and sum(playing.picture("back")[20:]) > 0, True)
    eventually(lambda: playing.ticks("walk-002.take") > 30 and frames_so_far(playing.folder / "show-002.mkv") > 5, True)
    playing.process.send_signal(signal.SIGTERM)
    assert playing.process.wait(180) == 0
    first, second = (list(TakeReader(playing.folder / name, scene_of(playing)).read_frames()) for name in ("walk.take", "walk-002.take"))
    assert len(first) > 5 and len(second) > 5
    videos = [len(pictures_in(playing.folder / name)) for name in ("show.mkv", "show-002.mp4")]
    assert min(videos) > 5, videos
    assert not children_of(playing.process.pid)


def test_a_killed_supervisor_leaves_no_window_no_process_and_no_memory(playing):
    eventually(lambda: playing.said("playing Masks") and sum(playing.picture("up")[20:]) > 0, True)
    parts = [playing.pid("renderer"), playing.pid("window")]
    before = segments_of(parts[0]) | segments_of(parts[1])
    assert before
    os.kill(parts[1], signal.SIGSTOP)                    # one that hangs goes as well
    os.kill(playing.process.pid, signal.SIGKILL)
    playing.process.wait()
    eventually(lambda: [pid for pid in parts if alive(pid)], [])
    eventually(lambda: sum(playing.picture("after")[20:]), 0)
    eventually(lambda: before & set(os.listdir("/dev/shm")), set())


def test_the_log_of_an_unattended_show_has_what_the_supervisor_saw(tmp_path):
    show = Playing("", tmp_path, "--output", f"memory=log-{os.getpid()}", "--unattended", "--surface-port", "0")
    try:
        eventually(lambda: show.said("memory: process") and show.said("playing Masks"), 1)
        os.kill(show.pid("memory"), signal.SIGKILL)
        log = tmp_path / "takes/unattended.log"
        eventually(lambda: log.exists() and log.read_text().count("output memory: ended with SIGKILL"), 1)
    finally:
        show.close()
    assert log.read_text().count(" day: ") == 1 and "1 warnings of 1 kinds" in log.read_text()


def scene_of(playing):
    """A scene of the instrument that was played."""
    return opening.open_instrument(str(playing.folder / "masks"), 64, "cpu", 1, None).scene


def pictures_in(path):
    """The times of a video's pictures; they rise."""
    with av.open(str(path)) as video:
        times = [frame.time for frame in video.decode(video=0)]
    assert times == sorted(times)
    return times


def frames_so_far(path):
    """How many pictures of a video that is still being written can be seen."""
    try:
        return len(pictures_in(path))
    except (OSError, av.error.FFmpegError):               # not there yet, or no more than its name
        return 0


def children_of(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return found.stdout.split()


def test_a_mistake_of_the_flags_is_told_once_and_ends_with_2(screen, tmp_path):  # noqa: F811  (the fixture)
    show = Playing(screen, tmp_path, "--preset", "nowhere")
    assert show.process.wait(240) == 2 and show.said("no preset 'nowhere'") == 1
