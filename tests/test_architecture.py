"""Who may import whom, and how long things may get. If a rule here is in your way, talk about the rule first."""
import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FILES = sorted(p for d in ("engine", "live") for p in (ROOT / d).rglob("*.py")) + [ROOT / "run_live.py"]

# third-party or standard library name -> the only places it may appear
ONLY_IN = {
    "live": ["live", "run_live.py"],
    "torch": ["engine"],
    "safetensors": ["engine"],
    "triton": ["engine/fast/fused.py"],
    "time": ["live/show/clock.py"],
    "mido": ["live/midi/ports.py"],
    "rtmidi": ["live/midi/ports.py"],
    "pythonosc": ["live/controls", "live/osc/packet.py"],
    "websockets": ["live/osc/query.py"],
    "zeroconf": ["live/osc/advertise.py"],
    "pygame": ["live/outputs/window.py", "live/outputs/keyboard.py"],
    "av": ["live/outputs/recorder.py", "live/takes/render.py", "live/takes/sound.py", "live/sources", "live/cli"],
    "PIL": ["live/outputs/files.py", "live/files/sheets.py", "live/sources", "live/cli", "live/takes/render.py"],
    "matplotlib": ["live/cli"],
    "rich": ["live/cli"],
    "pickle": ["engine/checkpoints/unpickler.py"],
    "random": ["live/show/loop.py"],
}
ENGINE_NEEDS = {"torch", "numpy", "safetensors", "yaml", "engine", "triton"}     # the last one only if it is there
NO_TORCH = ["engine/parameter.py", "engine/scene.py", "engine/errors.py", "engine/motion.py", "engine/walks"]
LONGEST_FILE, LONGEST_FUNCTION, MOST_ARGUMENTS = 300, 40, 8
ONE_PIECE = {"engine/generator.py": 420}             # a network reads best in one file, top to bottom


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports(path):
    import sys

    here = name_of(path)
    for name in imports(path):
        homes = ONLY_IN.get(name)
        assert homes is None or any(here.startswith(home) for home in homes), f"{here} imports {name}"
        assert name != "torch" or not any(here.startswith(place) for place in NO_TORCH)
        if here.startswith("engine/"):
            assert name in ENGINE_NEEDS or name in sys.stdlib_module_names, f"{here} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_print_no_eval_and_no_swallowing(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "eval", "exec"), f"line {node.lineno}"
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")
            assert not broad or name_of(path) == "live/show/loop.py", f"line {node.lineno} catches everything"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_says_what_it_is_and_stays_short(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    if text.strip() and "bends/" not in name_of(path):           # a transform's own docstring says what the file is
        assert ast.get_docstring(tree), "no module docstring"
    assert len(text.splitlines()) <= ONE_PIECE.get(name_of(path), LONGEST_FILE)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{node.name} is too long"
            counted = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            assert len(counted) - (counted[:1] != [] and counted[0].arg == "self") <= MOST_ARGUMENTS, node.name
