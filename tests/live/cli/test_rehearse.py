"""`rehearse` on the built-in instrument: passes without a fault, finds every fault that is planted, changes nothing."""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys

import av
import numpy as np
import pytest

from live.outputs import recorder
from live.processes.rehearsing import look_at_disks

ROOT = pathlib.Path(__file__).parents[3]
PARTS = ("instrument.yaml", "generator.safetensors", "encoder.safetensors", "reader.safetensors", "look.safetensors", "clusters.yaml", "parts.yaml")
# What a user would plant: files of the project's own rooms, found beside them by every process of the show.
PLANTED = {
    "live/outputs/stuck.py": """
import time
from live.outputs import output

@output
class Stuck:
    apart = True

    def send(self, frame):
        time.sleep(600)

    def close(self):
        pass
""",
    "live/outputs/shy.py": """
import time
from live.outputs import output

@output
class Shy:
    def send(self, frame):
        time.sleep(600)

    def close(self):
        pass
""",
    "live/outputs/frail.py": """
from live.outputs import output

@output
class Frail:
    apart = True

    def send(self, frame):
        raise OSError("the cable is out")

    def close(self):
        pass
""",
    "engine/bends/planted.py": """
from engine.bends import transform

@transform()
def planted(x):
    raise RuntimeError("a planted bug")
""",
    "sitecustomize.py": """
import pathlib, sys
from importlib.machinery import PathFinder
HERE = pathlib.Path(__file__).parent
PACKAGES = {"live.outputs": HERE / "live/outputs", "engine.bends": HERE / "engine/bends"}

class Beside:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in PACKAGES:
            spec = PathFinder.find_spec(name, path)
            spec.submodule_search_locations.append(str(PACKAGES[name]))
            return spec

sys.meta_path.insert(0, Beside)
""",
}


@pytest.fixture
def folder(tmp_path):
    """The built-in instrument with two presets, and a film of two seconds."""
    masks = tmp_path / "masks"
    (masks / "scenes").mkdir(parents=True)
    for name in PARTS:
        os.symlink(ROOT / "presets/masks" / name, masks / name)
    for name in ("awake", "dream"):
        (masks / f"scenes/{name}.yaml").write_text((ROOT / f"presets/masks/scenes/{name}.yaml").read_text())
    (masks / "setlist.yaml").write_text("schema: 2\nshow: [{preset: awake, hold: 8}, {preset: dream, hold: 8}]\n")
    with av.open(str(tmp_path / "film.mp4"), "w") as film:
        stream = film.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        for n in range(10):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 20 * n, np.uint8), format="rgb24")))
        film.mux(stream.encode())
    return tmp_path


def rehearse(folder, *flags, **environment):
    """(exit status, {what: (passed, reason)}, what was written)."""
    done = subprocess.run([sys.executable, str(ROOT / "run_live.py"), "rehearse", "--instrument", "masks", "--size", "32", "--threads", "1", "--fps", "10", "--midi-ports", "none",
                           "--report", "report.json", *flags], cwd=folder, capture_output=True, text=True, timeout=900, check=False,
                          env=os.environ | {"OMP_NUM_THREADS": "1", **environment})
    rows = json.loads((folder / "report.json").read_text())["rows"] if (folder / "report.json").exists() else []
    return done.returncode, {row["what"]: (row["passed"], row["reason"]) for row in rows}, done.stdout + done.stderr


def list_files(folder):
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_it_passes_without_a_fault_and_changes_nothing(folder):
    before = list_files(folder)
    status, rows, said = rehearse(folder, "--output", f"null,memory=rehearsed-{os.getpid()},recorder=night.mp4", "--source", "video=film.mp4")
    assert status == 0 and rows and all(passed for passed, _ in rows.values()), said
    assert {"cues", "preset awake", "preset dream", "the show begins", "output null", "output memory", "output recorder", "source video=film.mp4", "an OSC flood",
            "the renderer killed", "output memory killed"} <= set(rows)
    assert rows["source video=film.mp4"][1] == "pulled away and back" and "where it was" in rows["the renderer killed"][1]
    assert int(re.search(r"(\d+) heard", rows["an OSC flood"][1])[1]) > 1000
    after = list_files(folder)
    after.pop("report.json")
    assert after == before


def test_every_planted_fault_is_found(folder):
    for name, text in PLANTED.items():
        (folder / "planted" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "planted" / name).write_text(text)
    scene = (folder / "masks/scenes/awake.yaml").read_text()
    bend = "bends:\n- {name: oops, layer: b16.conv1, channels: all, transform: planted, mix: 1.0}\n"
    (folder / "masks/scenes/dream.yaml").write_text(re.sub(r"(?ms)^bends:.*?(?=^\w|\Z)", "", scene) + bend)
    (folder / "masks/setlist.yaml").write_text("schema: 2\nshow: [{preset: awake, hold: 8}, {preset: dream, hold: 8}, {preset: nowhere, hold: 8}]\n")
    (folder / "desk.yaml").write_text("schema: 1\nbindings:\n- {control: cc 1/1, to: /bend/nothing}\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silence = f"video=tcp://127.0.0.1:{silent.getsockname()[1]}"
        status, rows, said = rehearse(folder, "--output", "null,stuck,shy,frail", "--source", silence, "--mapping", "desk.yaml", "--no-kill", PYTHONPATH=str(folder / "planted"))
    assert status == 1, said
    for what, words in {"preset dream": "a planted bug", "cues": "'nowhere'", "mapping desk.yaml": "/bend/nothing", "output stuck": "", "output shy": "hangs",
                        "output frail": "the cable is out", f"source {silence}": "no picture"}.items():
        passed, reason = rows[what]
        assert not passed and words in reason and reason and "\n" not in reason, (what, rows, said)
    for what in ("preset awake", "the show begins", "output null", "an OSC flood"):
        assert rows[what][0], (what, rows)


def test_a_source_that_is_not_there_is_one_line(folder):
    status, rows, said = rehearse(folder, "--source", "video=none.mp4", "--no-kill", "--no-show")
    assert status == 0 and "an OSC flood" not in rows, said                                    # the looks alone need no source


def test_a_full_disk_is_found(tmp_path, monkeypatch):
    assert [row.passed for row in look_at_disks([tmp_path, tmp_path / "not/there/yet"])] == [True]
    monkeypatch.setattr("live.processes.rehearsing.shutil.disk_usage", lambda path: type("Usage", (), {"free": recorder.RESERVE // 2})())
    [row] = look_at_disks([tmp_path])
    assert not row.passed and "128 MB are free" in row.reason and "make room" in row.reason
