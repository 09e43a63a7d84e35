"""Several processes render one take: the same frames, whatever dies. Ray: a cluster on this machine, where it is installed."""
import importlib.util
import os
import pathlib
import signal

import numpy as np
import pytest

from engine.checkpoints import native
from engine.errors import UserError
from engine.instrument import Instrument
from live.takes import farm, ray_farm
from live.takes.drawer import Drawer
from live.takes.opening import RenderOptions, open_job
from live.takes.render import render, render_job
from live.takes.take import TakeReader
from tests.conftest import tiny
from tests.live.memory_rig import Rig


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a network and a take of 150 frames: recalls, an echo, a freeze, a blackout, random noise."""
    folder = tmp_path_factory.mktemp("farm")
    native.save(folder / "network.safetensors", tiny())
    rig = Rig(folder)
    rig.send("/preset/store", "one")
    rig.play()
    rig.send("/take/record", "a")
    orders = {5: ("/walk/kind", "wander"), 20: ("/preset/recall", "one", 0.5), 45: ("/echo/amount", 0.6), 60: ("/noise/mode", "random"), 80: ("/echo/amount", 0.0),
              90: ("/freeze",), 110: ("/freeze",), 120: ("/blackout",), 140: ("/blackout",)}
    for n in range(150):
        if n in orders:
            rig.send(*orders[n])
        rig.send("/truncation", 0.5 + 0.005 * n)
        rig.play()
    rig.close()
    return folder


def options(desk, out, **more):
    return RenderOptions(str(desk / "a.take"), str(out), str(desk / "network.safetensors"), threads=1, lossless=True, **more)


@pytest.fixture(scope="module")
def alone(desk):
    """The file that one process makes."""
    path = desk / "alone.mkv"
    render_job(open_job(options(desk, path)))
    return path


def pictures(path, times=False):
    """The bytes of every frame of a file; with its time, as whole files of the same frames differ in their own names only."""
    import av

    with av.open(str(path)) as file:
        found = [(frame.to_ndarray(format="rgb24").tobytes(), frame.pts) for frame in file.decode(video=0)]
    return found if times else [shown for shown, _ in found]


def is_same(path, other):
    return pictures(path, times=True) == pictures(other, times=True)


def test_parts_begin_where_nothing_before_is_seen(desk, alone):
    job = open_job(options(desk, desk / "planned.mkv"))
    parts = job.plan()
    frames = job.count_frames()
    assert parts[0][0] == 0 and parts[-1][1] == frames and all(a[1] == b[0] for a, b in zip(parts, parts[1:])) and len(parts) >= 4
    whole = TakeReader(desk / "a.take", job.take.base, "")
    moments = list(job.make_moments())
    assert all(moments[start].scene["/output/freeze"] == 0 and moments[start].scene["/output/blackout"] < 1 for start, _ in parts)
    assert whole.measure_length()[0] == frames
    drawn, shown = {}, pictures(alone)
    for part in reversed(parts):                          # each by a worker of its own, that has drawn nothing before
        drawer = Drawer(open_job(options(desk, desk / "planned.mkv")))
        drawn |= {number: pixels.tobytes() for number, _, pixels in ((n, m, np.array(p)) for n, m, p in drawer._draw_frames(*part))}
    assert [drawn[number] for number in range(frames)] == shown


def test_one_worker_goes_back_and_draws_the_same(desk, alone):
    drawer = Drawer(open_job(options(desk, desk / "back.mkv")))
    parts, shown = drawer.job.plan(), pictures(alone)
    drawer.job.parts.mkdir()
    for part in (parts[2], parts[0], parts[1]):
        drawer.draw(part, lambda more: None)
    for start, stop in parts[:3]:
        assert pictures(drawer.job.find_path(start)) == shown[start:stop]


def test_a_worker_killed_costs_its_part_and_no_frame(desk, alone, caplog):
    class Killing(farm.LocalCrew):
        killed = 0

        def _hear(self, child, note):
            super()._hear(child, note)
            part, drawn = self._busy.get(child.name, (None, 0))
            if not self.killed and drawn >= 3:
                self.killed = part
                os.kill(child.pid, signal.SIGKILL)

    seen, said = [], set()
    crew = Killing(options(desk, desk / "farm.mkv"), 2, lambda name, text: said.add(name))
    out = render_job(open_job(options(desk, desk / "farm.mkv")), None, lambda done, total: seen.append((done, total)), crew)
    assert crew.killed and "drawn again" in caplog.text and said == {"worker 1", "worker 2"}
    assert is_same(out, alone) and not list(desk.glob(".farm*"))
    lost = sum(max(0, a[0] - b[0]) for a, b in zip(seen, seen[1:]))
    assert seen[-1] == (149, 149) or seen[-1][0] == seen[-1][1] and lost <= crew.killed[1] - crew.killed[0]


def test_a_farm_that_was_stopped_goes_on(desk, alone):
    class Stopped(Exception):
        pass

    def stop(done, total):
        if done > 60:
            raise Stopped
    with pytest.raises(Stopped):
        render_job(open_job(options(desk, desk / "on.mkv")), None, stop, farm.LocalCrew(options(desk, desk / "on.mkv"), 1))
    left = len(list(next(desk.glob(".on.mkv*")).glob("[0-9]*")))
    assert left >= 1
    seen = []
    render_job(open_job(options(desk, desk / "on.mkv")), None, lambda done, total: seen.append(done))
    assert seen[0] > 20 and is_same(desk / "on.mkv", alone)


def test_what_a_worker_cannot_do_is_one_line(desk, tmp_path):
    job = open_job(options(desk, tmp_path / "x.mkv"))
    wrong = options(desk, tmp_path / "x.mkv", encoder=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="nowhere"):
        render_job(job, None, None, farm.LocalCrew(wrong, 1))


def test_without_ray_the_message_says_what_to_install(desk, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install -r requirements-ray.txt"):
        render_job(open_job(options(desk, tmp_path / "x.mkv")), None, None, ray_farm.RayCrew(options(desk, tmp_path / "x.mkv"), "local", 1))
    assert (pathlib.Path(ray_farm.ROOT) / "requirements-ray.txt").exists()


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
def test_a_ray_cluster_draws_the_same_and_survives_a_kill(desk, alone):
    """And nobody else on the network reaches it: it was begun here, and asks for no password."""
    class Killing(ray_farm.RayCrew):
        killed, hosts, given = False, (), 0

        def _give(self, number, worker, waiting):
            import ray  # not before the crew has, which says first where it may listen

            self.hosts = {node["NodeManagerAddress"] for node in ray.nodes()}
            self.pids = getattr(self, "pids", None) or [ray.get(worker.find_pid.remote())]
            super()._give(number, worker, waiting)
            self.given += 1
            if self.given == 5:                          # one part is there, and both draw
                self.killed = True
                os.kill(self.pids[0], signal.SIGKILL)

    crew = Killing(options(desk, desk / "ray.mkv"), "local", 2)
    seen = []
    render_job(open_job(options(desk, desk / "ray.mkv")), None, lambda done, total: seen.append((done, total)), crew)
    assert crew.hosts == {"127.0.0.1"}
    assert crew.killed and is_same(desk / "ray.mkv", alone) and seen[-1][0] == seen[-1][1]


def test_the_show_and_its_render_are_the_same(desk):
    """What parts are cut from is what was shown."""
    rig = Rig(desk)
    reader = TakeReader(desk / "a.take", rig.base, "", rig.bend)
    shown = [rig.screen[-1] for _ in reader.replay(rig.show)]
    out = render(TakeReader(desk / "a.take", rig.base, "", rig.bend), Instrument(tiny()), desk / "again.mkv", lossless=True)
    assert pictures(out) == shown
