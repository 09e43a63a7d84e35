"""A window's second process: the display it fills never shows anything else, whichever of the two is killed or stopped."""
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from live.outputs.spec import OutputSpec
from live.processes.pairs import list_readers
from tests.live.processes.test_supervisor import Rig

WIDTH, HEIGHT = 400, 300
LEVEL = 100                          # what the test's renderer draws is a little brighter than this


class Screen:
    """A virtual display whose every pixel can be read at any moment."""

    def __init__(self, folder):
        reading, writing = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-noreset", "-fbdir", str(folder)],
                                       pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.name = f":{pipe.readline().strip()}"
        file = np.memmap(folder / "Xvfb_screen0", np.uint8, "r")
        header = struct.unpack(">25I", file[:100].tobytes())                 # as xwd has it
        start, across = header[0] + 12 * header[19], header[12]
        self.pixels = file[start:start + across * HEIGHT].reshape(HEIGHT, across // 4, 4)[:, :WIDTH, :3]

    def close(self):
        self.server.terminate()
        self.server.wait()


class Eye:
    """Looks at some places of a display as often as it can. darkest: the least it has seen since the first picture; looks: how often."""

    def __init__(self, screen):
        self.places = screen.pixels[20:-20:37, 60:-60:41]                    # inside the picture, which is square
        self.looks, self.darkest, self.levels, self._over = 0, None, set(), False
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    @property
    def level(self):
        """What all places show now; None where they differ."""
        seen = np.unique(self.places)
        return int(seen[0]) if len(seen) == 1 else None

    def forget(self):
        self.darkest, self.looks = None, 0

    def _look(self):
        while not self._over:
            darkest = int(self.places.min())
            if self.darkest is not None or darkest > LEVEL:
                self.darkest = darkest if self.darkest is None else min(self.darkest, darkest)
            self.looks += 1
            time.sleep(0.001)

    def close(self):
        self._over = True
        self._thread.join()


class Windows(Rig):
    """A supervisor with one real window of two processes, on a display of our own."""

    def __init__(self, folder, display, **settings):
        self.told = re.compile(r"^.*?a(, standing in)?: process (\d+)$", re.M)
        os.environ |= {"DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
        super().__init__(folder, ("a",), level=LEVEL, **settings)

    def pids(self):
        """(the newest first process, the newest that stands in), None for none."""
        said = [(bool(behind), int(pid)) for behind, pid in self.told.findall(self.log.read_text())]
        return tuple(next((pid for behind, pid in reversed(said) if behind == wanted), None) for wanted in (False, True))


@pytest.fixture
def screen(tmp_path):
    if sys.platform != "linux" or shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    opened = Screen(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def show(tmp_path, screen, monkeypatch):
    opened = []
    for name in ("DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.setenv(name, os.environ.get(name, ""))                   # put back after the test

    def begin(**options):
        opened.append(Windows(tmp_path, screen.name, order="toggle_fullscreen", BACKED=2.0, GRACE=0.2, windows={"a": {"size": (200, 200), **options}}))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


def both_up(show, eye):
    """Wait until both processes of the window show pictures."""
    show.until(lambda: eye.level == LEVEL + 1 and None not in show.pids(), "both are started")
    show.until(lambda: seen(windows_of(show)) == 2, "both have a window")


def end_and_wait(show, eye, victim, how):
    """End one process of the window, and wait until another has taken its place."""
    said = show.log.read_text().count("standing in: process ")
    os.kill(victim, how)
    show.until(lambda: show.log.read_text().count("standing in: process ") > said, "another is started")
    both_up(show, eye)


def windows_of(show):
    """The windows of that name on the display, seen or unseen."""
    listed = subprocess.run(["xwininfo", "-root", "-tree"], capture_output=True, text=True).stdout
    return re.findall(r'(0x[0-9a-f]+) "a":', listed)


@pytest.mark.skipif(shutil.which("xwininfo") is None, reason="xwininfo is not installed")
def test_a_full_screen_is_never_without_its_picture(show, screen):
    """From the first picture on: while the second process opens, when the first is killed, when the other is, when one hangs."""
    eye, playing = Eye(screen), show(fullscreen=True)
    both_up(playing, eye)
    for turn in range(4):
        front, behind = playing.pids()
        victim, how = (front, behind)[turn % 2], (signal.SIGKILL, signal.SIGSTOP)[turn // 2]
        end_and_wait(playing, eye, victim, how)
    playing.until(lambda: eye.looks > 500, "the eye has looked often")
    eye.close()
    assert eye.darkest > LEVEL


@pytest.mark.skipif(shutil.which("xwininfo") is None, reason="xwininfo is not installed")
def test_it_moves_on_at_once_where_the_first_one_was_killed(show, screen):
    eye, playing = Eye(screen), show(fullscreen=True)
    both_up(playing, eye)
    os.kill(playing.pids()[0], signal.SIGKILL)
    os.kill(playing.renderer()["pid"], signal.SIGKILL)
    playing.until(lambda: eye.level == LEVEL + 2, "the next renderer's pictures are shown")
    eye.close()
    assert eye.darkest > LEVEL


@pytest.mark.skipif(shutil.which("xwininfo") is None, reason="xwininfo is not installed")
def test_of_a_smaller_window_the_second_one_is_seen_only_where_it_is_needed(show, screen):
    eye, playing = Eye(screen), show()
    playing.until(lambda: (screen.pixels[60:-60:9, 110:-110:9] == LEVEL + 1).all() and len(windows_of(playing)) == 2, "both are open")
    playing.until(lambda: seen(windows_of(playing)) == 1 and None not in playing.pids(), "one is seen")
    before, (first, second) = screen.pixels.copy(), playing.pids()
    os.kill(first, signal.SIGKILL)
    playing.until(lambda: playing.pids()[1] != second and seen(windows_of(playing)) == 1, "the other one is seen instead")
    playing.until(lambda: (screen.pixels == before).all(), "at the same place")
    (playing.folder / "order").touch()                   # to the whole display: both of them
    playing.until(lambda: eye.level == LEVEL + 1, "it fills the display")
    playing.until(lambda: seen(windows_of(playing)) == 2, "both do")
    eye.forget()
    end_and_wait(playing, eye, second, signal.SIGKILL)
    eye.close()
    assert eye.darkest > LEVEL


def seen(windows):
    """How many of these are on the display."""
    told = [subprocess.run(["xwininfo", "-id", window], capture_output=True, text=True).stdout for window in windows]
    return sum("IsViewable" in text for text in told)


def test_the_second_processes_come_last_and_there_are_no_more_than_there_is_room_for():
    specs = [OutputSpec(f"w{number}", "window") for number in range(20)] + [OutputSpec("ndi", "ndi")]
    found = list_readers(specs, frozenset(spec.name for spec in specs[:20]))
    assert found[:21] == specs and found[21:] == specs[:11]
