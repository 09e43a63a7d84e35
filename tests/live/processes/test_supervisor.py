"""The supervisor: processes that are really killed, stopped and hung. SURFACE.md O.1's table, line by line."""
import json
import os
import re
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
        self.segments = set()                            # of shared memory, that its processes have had
        settings = {"WAITS": [0.0, 0.1, 0.2, 0.4], **settings}
        self.log = self.folder / "log"
        program = [sys.executable, "-m", "tests.live.processes.fakes", str(folder), json.dumps(names), json.dumps(settings)]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(program, cwd=ROOT, stderr=log)

    def note(self, name):
        """What a process noted last, {} if nothing."""
        try:
            return json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            return {}

    def until(self, condition, what, seconds=300):
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"never: {what}; the supervisor said: {self.log.read_text()[-2000:]}"
            time.sleep(0.01)

    def playing(self, value=1, names=("a", "b")):
        """Wait until these outputs show the pictures of that renderer, counted from 1, or of one after it."""
        self.until(lambda: all((self.note(name).get("value") or 0) >= value for name in names), f"all show {value}")
        self.left()

    def said(self, words):
        """Whether the supervisor has said this."""
        return words in self.log.read_text()

    def pid(self, name):
        """The process that an output has now."""
        return self.note(name).get("pid")

    def children(self):
        """{process: its state} of what the supervisor has started, zombies too."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, state = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
                name = (stat.parent / "cmdline").read_text()
            except OSError:                              # it has just gone
                continue
            if int(state[1]) == self.process.pid and "resource_tracker" not in name:
                found[pid] = state[0]
        return found

    def renderer(self, attempt=0):
        self.until(lambda: self.note(f"renderer-{attempt}"), f"renderer {attempt}")
        return self.note(f"renderer-{attempt}")

    def newest(self):
        """What the newest renderer noted."""
        return self.note(max((path.name for path in self.folder.glob("renderer-?*") if path.suffix != ".part"), key=lambda name: int(name[9:])))

    def ended(self, code):
        assert self.process.wait(120) == code
        self.until(lambda: not self.left(), "nothing left in shared memory")

    def left(self):
        """The segments of its processes that are there now."""
        for pid in self.children():
            self.segments |= segments_of(pid)
        return {name for name in self.segments if (Path("/dev/shm") / name).exists()}

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)


@pytest.fixture
def rig(tmp_path):
    rigs = []

    def make(**settings):
        rigs.append(Rig(tmp_path, **settings))
        return rigs[-1]

    yield make
    for each in rigs:
        each.close()


def segments_of(pid):
    """The names of the shared memory that a process sees."""
    try:
        return set(re.findall(r"/dev/shm/(psm_\w+)", Path(f"/proc/{pid}/maps").read_text()))
    except OSError:                                      # it has just gone, or this is no Linux
        return set()


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
    show = rig(exits=[3, 3, 3], ILL=3600.0, HOPELESS=3600.0)        # within however long this machine takes
    assert not show.renderer(0)["safe"] and not show.renderer(2)["safe"]
    assert show.renderer(3)["safe"]
    show.playing(4)


def test_a_renderer_that_stands_still_is_ended_and_started_again(rig):
    show = rig(HANG=3.0, GRACE=0.2)
    show.playing(1)
    pid = show.newest()["pid"]
    os.kill(pid, signal.SIGSTOP)
    show.playing(show.newest()["attempt"] + 2)
    show.until(lambda: not alive(pid), "it was ended")


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
    show = rig(SILENT=60)
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
    first = show.note("a")["pid"]
    os.kill(first, signal.SIGKILL)
    show.until(lambda: show.note("a")["pid"] != first and show.note("a")["framing"] == "mirror", "a is framed again")


def test_the_sixth_death_in_two_minutes_leaves_the_last_picture_up(rig):
    show = rig(exits=[None, 3, 3, 3, 3, 3], HOPELESS=3600.0)
    show.playing(1)
    os.kill(show.renderer()["pid"], signal.SIGKILL)
    show.until(lambda: show.said("the last picture stays up. Ctrl-C ends the show"), "it is told")
    assert all(alive(show.pid(name)) and show.note(name)["value"] == 1 for name in "ab") and not show.note("renderer-6")
    os.kill(show.process.pid, signal.SIGINT)
    show.ended(0)


def test_an_output_that_hangs_is_ended_and_opened_again(rig):
    show = rig(SILENT=4.0, GRACE=0.1)
    show.playing(1)
    first, other = show.pid("a"), show.pid("b")
    os.kill(first, signal.SIGSTOP)
    show.until(lambda: show.pid("a") != first and show.note("a")["seen"] > 5, "a is back")
    show.until(lambda: not alive(first), "it was ended")
    assert show.pid("b") == other and not show.note("renderer-1")


def test_a_show_that_was_stopped_as_a_whole_goes_on_as_it_was(rig):
    """Ctrl-Z and fg, or a laptop that was closed: nothing has hung."""
    show = rig(HANG=8.0, SILENT=8.0, ASLEEP=0.5, GRACE=0.0)
    show.playing(1)
    before = show.children()
    for pid in (show.process.pid, *before):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(8.5)                                      # longer than the patience of any of them
    for pid in (*before, show.process.pid):
        os.kill(pid, signal.SIGCONT)
    seen = show.note("a")["seen"]
    show.until(lambda: show.note("a")["seen"] > seen + 200, "it goes on")
    assert show.children().keys() == before.keys()


def test_outputs_are_told_that_another_renderer_draws(rig):
    show = rig()
    show.playing(1)
    os.kill(show.renderer()["pid"], signal.SIGKILL)
    show.until(lambda: all("anew" in show.note(name) for name in "ab"), "they dissolve")
    show.playing(2)


def test_what_was_recorded_goes_on(rig):
    show = rig(records={"take": "walk.take", "video": None})
    show.playing(1)
    show.until(lambda: show.note("a")["seen"] > 10, "some frames")
    os.kill(show.renderer()["pid"], signal.SIGKILL)
    assert show.renderer(1)["recorded"] == {"take": "walk.take", "video": None}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process that stands still outlives its parent until it moves")
def test_what_stands_still_ends_with_a_killed_supervisor_too(rig):
    show = rig()
    show.playing(1)
    pids = list(show.children())
    for pid in (show.pid("a"), show.renderer()["pid"]):
        os.kill(pid, signal.SIGSTOP)
    os.kill(show.process.pid, signal.SIGKILL)
    show.process.wait()
    show.until(lambda: not any(map(alive, pids)), "no orphan")
    show.until(lambda: not show.left(), "no segment")


VICTIMS = ("renderer", "a", "b", "hung renderer", "hung a")
QUICK_TO_ANGER = {"WAITS": [0.0] * 4, "HOPELESS": 0.0, "HANG": 4.0, "SILENT": 4.0, "GRACE": 0.05}


def kill_in_turn(show, turns):
    """Kill or stop one process after the other; each comes back, the windows are not touched, and nothing is left of the dead."""
    for turn in range(turns):
        how, victim = signal.SIGSTOP if "hung" in VICTIMS[turn % 5] else signal.SIGKILL, VICTIMS[turn % 5].split()[-1]
        pid = show.newest()["pid"] if victim == "renderer" else show.pid(victim)
        others = {name: show.pid(name) for name in "ab" if name != victim}
        seen = {name: show.note(name)["seen"] for name in others}
        os.kill(pid, how)
        back = (lambda: show.newest()["pid"] != pid) if victim == "renderer" else (lambda: show.pid(victim) != pid)
        show.until(back, f"{victim} is back after {turn} kills")
        show.until(lambda: all(show.note(name)["value"] == show.newest()["attempt"] + 1 for name in "ab"), "all show the newest")
        show.until(lambda: all(show.note(name)["seen"] != seen[name] for name in others), "the others go on")
        assert others == {name: show.pid(name) for name in others}
        show.until(lambda: not alive(pid) and "Z" not in show.children().values() and len(show.children()) == 3 and len(show.left()) == 1, "nothing is left of the dead one")


def test_many_kills_leave_nothing_behind(rig):
    show = rig(**QUICK_TO_ANGER)
    show.playing(1)
    kill_in_turn(show, 8)
    os.kill(show.process.pid, signal.SIGTERM)
    show.ended(0)


@pytest.mark.slow
def test_200_kills_of_every_kind_leave_nothing_behind(tmp_path):
    """40 times: five deaths in a show, then the supervisor's own, or its end."""
    for turn in range(40):
        folder = tmp_path / str(turn)
        folder.mkdir()
        show = Rig(folder, **QUICK_TO_ANGER)
        show.playing(1)
        kill_in_turn(show, 5)
        pids = list(show.children())
        os.kill(show.process.pid, signal.SIGKILL if turn % 4 else signal.SIGTERM)
        show.process.wait(120)
        show.until(lambda: not any(map(alive, pids)), "no orphan")
        show.until(lambda: not show.left(), "no segment")
