"""A new thing is one file: one of each kind, in a folder of its own, is found, listed and played, and no other file knows of it."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]

FILES = {
    "engine/bends/stain.py": '''
from engine.bends import transform
from engine.parameter import Parameter
CALLS = []

@transform(amount=Parameter(0.5, 0.0, 1.0, about="how much"))
def stain(x, amount):
    """Leave a mark."""
    CALLS.append(x.shape)
    return x * amount
''',
    "engine/walks/zigzag.py": '''
from engine.walks import SEED, standing, walk
CALLS = []

@walk(standing, seed=SEED)
def zigzag(at, seed):
    """Go nowhere."""
    CALLS.append(at)
    return ((int(seed), 1.0),)
''',
    "engine/modulators/stair.py": '''
"""In steps."""
from engine.modulators import cycle
CALLS = []

@cycle
def stair(at, seed):
    """In steps of a quarter."""
    CALLS.append(at)
    return int(at * 4) % 4 / 2 - 0.75
''',
    "engine/rewriting/solvers/coward.py": '''
"""Does nothing."""
from engine.rewriting.solvers import solver
CALLS = []

@solver("leaves everything as it is")
def coward(task):
    """Return zeros."""
    CALLS.append(1)
    return task.directions.new_zeros(len(task.directions), len(task.weight), 3, 3)
''',
    "live/sources/stripes.py": '''
"""Stripes."""
import numpy as np
from live.sources import Seen, source
CALLS = []

@source
class Stripes:
    """target: nothing."""
    exact, listed = True, ("stripes", "stripes=WIDTH")

    def __init__(self, target, longest):
        CALLS.append(target)

    def pictures(self):
        yield Seen(self.at(0))

    def at(self, number):
        return np.indices((32, 32))[1, :, :, None].repeat(3, 2).astype(np.uint8) // 8 % 2 * 255

    def close(self):
        pass
''',
    "live/controls/metronome.py": '''
"""Ticks at the start of a show."""
from live.controls import control
from live.mapping.words import Word
from live.show.events import ControlEvent
CALLS = []

class Stats:
    def report(self):
        return {"ticks": len(CALLS)}

def arguments(group):
    group.add_argument("--metronome", type=int, default=0, metavar="N", help="so many ticks; 0 = off")

def settings(options, show, closing, stats):
    return {"ticks": options.metronome} if options.metronome else None

@control(stats=Stats, arguments=arguments, settings=settings, words={"tick": Word("[1-9]", "tick NUMBER", button=True)})
def metronome(emit, stop, ticks=0, stats=None):
    """Emit ticks at once."""
    for number in range(1, ticks + 1):
        CALLS.append(number)
        emit(ControlEvent(f"tick {number}", 1.0, True))
''',
    "live/outputs/ledger.py": '''
"""Keeps books."""
from live.outputs import output
CALLS = []

@output
class Ledger:
    """target: whose."""

    def __init__(self, target=""):
        self.target = target

    def send(self, frame):
        CALLS.append((self.target, frame.pixels.shape))

    def close(self):
        pass
''',
    "live/show/greeting_commands.py": '''
"""Greets."""
from live.show.commands import command
CALLS = []

@command("/greet")
def greet(show, name="you"):
    """Say hello."""
    CALLS.append((name, show.scene["/walk/kind"]))
''',
    "live/cli/wave.py": '''
"""Wave once.

    python run_live.py wave
"""
CALLS = []

def arguments(parser):
    parser.add_argument("--times", type=int, default=1)

def run(options):
    CALLS.append(options.times)
''',
}
# Packages also look in this folder: the modules there count as files that were put into the project's own.
PROGRAM = '''
import importlib, json, pathlib, sys
from importlib.machinery import PathFinder

folder, out, sys.path[0] = pathlib.Path(sys.argv[1]), sys.argv[2], ""
files = [path.relative_to(folder) for path in folder.glob("e*/**/*.py")] + [path.relative_to(folder) for path in folder.glob("live/**/*.py")]
packages = {".".join(file.parent.parts): folder / file.parent for file in files}

class Beside:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in packages:
            spec = PathFinder.find_spec(name, path)
            spec.submodule_search_locations.append(str(packages[name]))
            return spec

sys.meta_path.insert(0, Beside)
import run_live

def run(arguments):
    print("---", arguments, "---", flush=True)
    try:
        return run_live.main(arguments)
    except SystemExit as ended:                        # after --help
        return ended.code

codes = [run(arguments) for arguments in json.loads(sys.argv[3])]
import torch
from engine.rewriting.solvers import Task, solver_named

solved = solver_named("coward").solve(Task(torch.ones(4, 3, 3, 3), torch.eye(3)[:1], (), None, None))
calls = {file.stem: importlib.import_module(".".join(file.with_suffix("").parts)).CALLS for file in files}
pathlib.Path(out).write_text(json.dumps({"codes": codes, "calls": calls, "solved": list(solved.shape)}))
'''
BINDINGS = """
- {control: tick 1, to: /walk/kind, value: zigzag}
- {control: tick 2, to: /bends/add, arguments: [mark, b16.conv1, all, stain]}
- {control: tick 3, to: /modulators/add, arguments: [steps, /truncation, stair, 0.5]}
- {control: tick 4, to: /greet, arguments: [world]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one file")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.lstrip())
    (folder / "program.py").write_text(PROGRAM)
    (folder / "ticks.yaml").write_text("schema: 1\nbindings:" + BINDINGS)
    return folder


def run(folder, *commands):
    done = subprocess.run([sys.executable, str(folder / "program.py"), str(folder), str(folder / "out.json"), json.dumps(commands)], cwd=ROOT,
                          capture_output=True, text=True, timeout=300, env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}, check=False)
    return done, json.loads((folder / "out.json").read_text()) if done.returncode == 0 and (folder / "out.json").exists() else {}


def test_one_of_each_kind_is_played(folder):
    done, found = run(folder, ["wave", "--times", "3"],
                      ["--size", "64", "--frames", "8", "--output", "ledger=mine", "--source", "stripes", "--metronome", "4", "--osc-port", "0",
                       "--midi-ports", "none", "--mapping", str(folder / "ticks.yaml"), "--report", str(folder / "report.json")])
    assert found.get("codes") == [0, 0], done.stderr
    calls = found["calls"]
    assert calls["wave"] == [3] and calls["greeting_commands"] == [["world", "zigzag"]] and calls["stripes"] == [""]
    assert calls["metronome"] == [1, 2, 3, 4] and calls["ledger"][0] == ["mine", [64, 64, 3]]
    assert calls["coward"] and found["solved"] == [1, 4, 3, 3]
    assert calls["stain"] and calls["zigzag"] and calls["stair"]
    assert json.loads((folder / "report.json").read_text())["metronome"] == {"ticks": 4}


def test_help_lists_and_messages_know_it(folder):
    (folder / "wrong.yaml").write_text("schema: 1\nbindings:\n- {control: gesture 1, to: /panic}\n")
    done, found = run(folder, ["--help"], ["rewrite", "--help"], ["--list-parameters"], ["--mapping", str(folder / "wrong.yaml")])
    said = [" ".join(text.split()) for text in done.stdout.split("\n--- ") if text]
    for text, known in zip([*said[:3], done.stderr], (["wave", "Wave once.", "--metronome", "stripes=WIDTH"], ["coward", "leaves everything as it is"],
                                                      ["zigzag", "/greet", "Say hello."], ["tick NUMBER"]), strict=True):
        assert all(word in text for word in known), text
    assert found["codes"] == [0, 0, 0, 2]
