"""The supervisor: processes that are really killed, stopped and hung. SURFACE.md O.1's table, line by line."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")
ROOT = Path(__file__).parents[3]


class Rig:
    """A supervisor that runs, and what its processes have noted."""

    def __init__(self, folder, names=("a", "b"), **settings):
        self.folder = Path(folder)
        self.before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
        settings = {"WAITS": [0.0, 0.1, 0.2, 0.4], **settings}
        program = [sys.executable, "-m", "tests.live.processes.fakes", str(folder), json.dumps(names), json.dumps(settings)]
        self.process = subprocess.Popen(program, cwd=ROOT)

    def note(self, name):
        """What a process noted last, {} if nothing."""
        try:
            return json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            return {}

    def until(self, condition, what, seconds=30):
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"never: {what}"
            time.sleep(0.01)

    def playing(self, value=1, names=("a", "b")):
        self.until(lambda: all(self.note(name).get("value") == value for name in names), f"all show {value}")

    def renderer(self, attempt=0):
        self.until(lambda: self.note(f"renderer-{attempt}"), f"renderer {attempt}")
        return self.note(f"renderer-{attempt}")

    def ended(self, code):
        assert self.process.wait(30) == code
        self.until(lambda: not self.left(), "nothing left in shared memory", 5)

    def left(self):
        """Segments that are there now and were not before."""
        return {name for name in set(os.listdir("/dev/shm")) - self.before if name.startswith("psm_")} if os.path.isdir("/dev/shm") else set()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


@pytest.fixture
def rig(tmp_path):
    rigs = []

    def make(**settings):
        rigs.append(Rig(tmp_path, **settings))
        return rigs[-1]

    yield make
    for each in rigs:
        each.close()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_killed_renderer_comes_back_and_the_outputs_stay(rig):
    show = rig()
    show.playing(1)
    outputs = {name: show.note(name)["pid"] for name in "ab"}
    os.kill(show.renderer()["pid"], signal.SIGKILL)
    show.playing(2)
    assert outputs == {name: show.note(name)["pid"] for name in "ab"}


def test_the_third_death_in_a_row_begins_safely_and_the_sixth_is_the_last(rig, monkeypatch):
    show = rig(exits=[3, 3, 3])
    assert not show.renderer(0)["safe"] and not show.renderer(2)["safe"]
    assert show.renderer(3)["safe"]
    show.playing(4)


def test_a_renderer_that_stands_still_is_ended_and_started_again(rig):
    show = rig(HANG=0.5, GRACE=0.2)
    show.playing(1)
    os.kill(show.renderer()["pid"], signal.SIGSTOP)
    show.playing(2)


def test_an_output_that_dies_is_opened_again_and_the_other_never_notices(rig):
    show = rig()
    show.playing(1)
    first, other = show.note("a")["pid"], show.note("b")
    os.kill(first, signal.SIGKILL)
    show.until(lambda: show.note("a").get("pid") not in (first, None) and show.note("a")["seen"] > 5, "a is back")
    show.until(lambda: show.note("b")["seen"] > other["seen"], "b goes on")
    assert show.note("b")["pid"] == other["pid"] and not show.note("renderer-1")
    show.until(lambda: show.note("down-a") == [], "the show is told")


def test_an_output_that_stands_still_holds_up_nobody_and_catches_up(rig):
    show = rig()
    show.playing(1)
    pid = show.note("a")["pid"]
    os.kill(pid, signal.SIGSTOP)
    before = show.note("b")["seen"]
    show.until(lambda: show.note("b")["seen"] > before + 100, "b goes on")
    os.kill(show.renderer()["pid"], signal.SIGKILL)
    show.playing(2, names=("b",))
    os.kill(pid, signal.SIGCONT)
    show.playing(2, names=("a",))
    assert show.note("a")["pid"] == pid


def test_a_killed_supervisor_takes_every_process_and_the_memory_along(rig):
    show = rig()
    show.playing(1)
    pids = [show.renderer()["pid"], show.note("a")["pid"], show.note("b")["pid"]]
    os.kill(show.process.pid, signal.SIGKILL)
    show.process.wait()
    show.until(lambda: not any(map(alive, pids)), "no orphan")
    show.until(lambda: not show.left(), "no segment")


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_polite_signal_ends_the_show_with_0(rig, by):
    show = rig()
    show.playing(1)
    os.kill(show.process.pid, by)
    show.ended(0)


def test_a_mistake_of_the_flags_ends_with_2_and_is_not_tried_again(rig):
    show = rig(exits=[2])
    show.ended(2)
    assert not show.note("renderer-1")


def test_settings_reach_their_output_and_outlive_its_process(rig):
    show = rig(framing="mirror")
    show.playing(1)
    show.until(lambda: show.note("a").get("framing") == "mirror", "a is framed")
    assert show.note("b")["framing"] == "fit"
    os.kill(show.note("a")["pid"], signal.SIGKILL)
    first = show.note("a")["pid"]
    show.until(lambda: show.note("a")["pid"] != first and show.note("a")["framing"] == "mirror", "a is framed again")


def test_many_kills_leave_nothing_behind(rig):
    show = rig()
    show.playing(1)
    attempt = 0
    for turn in range(12):
        victim = ("a", "b", "renderer")[turn % 3] if attempt < 2 else ("a", "b")[turn % 2]
        if victim == "renderer":
            pid, attempt = show.renderer(attempt)["pid"], attempt + 1
        else:
            show.until(lambda: alive(show.note(victim)["pid"]), f"{victim} is back")
            pid = show.note(victim)["pid"]
        os.kill(pid, signal.SIGKILL)
        show.until(lambda: not alive(pid), "it is gone, and no zombie")
    show.playing(attempt + 1)
    os.kill(show.process.pid, signal.SIGTERM)
    show.ended(0)
