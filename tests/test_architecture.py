"""Who may import whom, and how long things may get. If a rule here is in your way, talk about the rule first."""
import ast
import functools
import pathlib
import re
import sys
import typing

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FILES = sorted(p for d in ("engine", "live") for p in (ROOT / d).rglob("*.py")) + [ROOT / "run_live.py"]

# name -> the only places it may appear. Other third-party libraries are declared by the file that needs them: LIBRARIES = ("mido",)
ONLY_IN = {
    "live": ["live", "run_live.py"],
    "torch": ["engine"],
    "safetensors": ["engine"],
    "triton": ["engine/fast/fused.py"],
    "time": ["live/show/clock.py"],
    "pickle": ["engine/checkpoints/unpickler.py"],
    "random": ["live/show/loop.py"],
}
EVERYWHERE = {"engine", "live", "numpy", "pydantic"}
ENGINE_NEEDS = {"torch", "numpy", "safetensors", "yaml", "engine", "triton"}     # the last one only if it is there
NO_TORCH = ["engine/parameter.py", "engine/scene.py", "engine/errors.py", "engine/motion.py", "engine/walks"]
MANY_ROOMS = {"av", "PIL", "cyndilib", "SpoutGL", "syphon"}       # pictures and films are read, written, sent and shown in several rooms
LONGEST_FILE, LONGEST_FUNCTION, MOST_ARGUMENTS = 300, 40, 8
ONE_PIECE = {"engine/generator.py": 420}             # a network reads best in one file, top to bottom

# The rooms of live/ from top to bottom: a file imports from its own line and from those below it.
ROOMS = (
    ("cli",),                                                       # subcommands: where parts meet
    ("processes",),                                                 # one show as several processes
    ("instrument", "presets", "takes", "weights", "decks", "stage", "doctor"),         # what is on the disk, and going to it
    ("surface", "audio", "mapping", "midi", "osc", "sources", "outputs", "controls"),       # hands, ears and eyes
    ("show",),                                                      # one frame
    ("files",),                                                     # reading and writing whole files
)
BELOW_ALL = {"live.show.clock", "live.show.events", "live.show.threads"}      # what time it is, the values that travel through a show, and who makes threads


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


@functools.cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imported(path):
    """The modules that a file imports anywhere in it, by their whole names."""
    return frozenset(_imported(path))


def _imported(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


def declared(path):
    """The third-party libraries that a file says it needs."""
    for node in parsed(path).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "LIBRARIES":
            return ast.literal_eval(node.value)
    return ()


def room_of(module):
    return module.split(".")[1] if module.count(".") else ""


def level(module):
    """How far up a module of live/ is; 0 is the bottom."""
    if module in BELOW_ALL:
        return 0
    found = [n for n, rooms in enumerate(reversed(ROOMS)) if room_of(module) in rooms]
    assert found, f"{module}: tests/test_architecture.py has no place for it in ROOMS"
    return found[0]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports(path):
    here = name_of(path)
    for name in {module.split(".")[0] for module in imported(path)}:
        homes = ONLY_IN.get(name)
        assert homes is None or any(here.startswith(home) for home in homes), f"{here} imports {name}"
        assert name != "torch" or not any(here.startswith(place) for place in NO_TORCH)
        if here.startswith("engine/"):
            assert name in ENGINE_NEEDS or name in sys.stdlib_module_names, f"{here} imports {name}"
        elif homes is None and name not in EVERYWHERE and name not in sys.stdlib_module_names:
            assert name in declared(path), f"{here} imports {name}; a file says so: LIBRARIES = ({name!r},)"


def test_a_library_has_one_home():
    homes = {}
    for path in FILES:
        for name in declared(path):
            assert name in {module.split(".")[0] for module in imported(path)}, f"{name_of(path)} declares {name} and does not import it"
            homes.setdefault(name, set()).add(room_of(module_of(path)))
    spread = {name: sorted(rooms) for name, rooms in homes.items() if len(rooms) > 1 and name not in MANY_ROOMS}
    assert not spread


@pytest.mark.parametrize("path", [p for p in FILES if name_of(p).startswith("live/") and p.parent != ROOT / "live"], ids=name_of)
def test_rooms_import_downwards(path):
    here = module_of(path)
    for module in imported(path):
        if module.startswith("live."):
            assert level(module) <= level(here), f"{here} imports {module}, which lies above it"


@pytest.mark.parametrize("path", [p for p in FILES if name_of(p).startswith("live/")], ids=name_of)
def test_threads_are_made_in_one_place(path):
    made = {node.lineno for node in ast.walk(parsed(path)) if isinstance(node, (ast.Name, ast.Attribute))
            and ast.unparse(node) in ("Thread", "threading.Thread", "Timer", "threading.Timer", "ThreadPoolExecutor", "futures.ThreadPoolExecutor")}
    annotated = {part.lineno for node in ast.walk(parsed(path)) if isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation for part in [node.annotation]}
    assert name_of(path) == "live/show/threads.py" or made <= annotated, f"line {made - annotated}: live/show/threads.py makes threads"


def test_no_loose_modules_in_live():
    assert [p.name for p in (ROOT / "live").glob("*.py")] == ["__init__.py"]


def test_no_circles():
    """Whatever is imported anywhere in a file counts, inside functions as well."""
    needs = {module: {name for name in imported(path) if name in MODULES and name != module} for module, path in MODULES.items()}
    while free := {module for module, needed in needs.items() if not needed & needs.keys()}:
        for module in free:
            del needs[module]
    assert not needs, f"circles among {sorted(needs)}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_print_no_eval_and_no_swallowing(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "eval", "exec"), f"line {node.lineno}"
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")
            assert not broad or name_of(path) == "live/show/loop.py", f"line {node.lineno} catches everything"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_says_what_it_is_and_stays_short(path):
    text = path.read_text(encoding="utf-8")
    tree = parsed(path)
    if text.strip() and "bends/" not in name_of(path):           # a transform's own docstring says what the file is
        assert ast.get_docstring(tree), "no module docstring"
    assert len(text.splitlines()) <= ONE_PIECE.get(name_of(path), LONGEST_FILE)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{node.name} is too long"
            if any(ast.unparse(decorator) == "triton.jit" for decorator in node.decorator_list):
                continue                                         # a kernel is given every pointer and number by itself
            counted = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            assert len(counted) - (counted[:1] != [] and counted[0].arg == "self") <= MOST_ARGUMENTS, node.name


def test_a_show_says_what_it_is_made_of():
    """Every field has a type that says what is called of it."""
    from live.show.loop import Show

    hints = typing.get_type_hints(Show)
    assert {"instrument", "mapping", "recall", "tempo", "echo"} <= hints.keys()
    assert not [name for name, hint in hints.items() if hint in (object, typing.Any) or typing.Any in typing.get_args(hint)]


def test_the_page_about_it_is_true():
    """Every path it names is there, every room of live/ is named, and players stand in the order they play in."""
    from live.show.players import ORDER

    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:live|engine|tests)/[\w/.]+)`", page)
    assert len(paths) > 20 and not [path for path in paths if not (ROOT / path).exists()]
    assert not [path.name for path in (ROOT / "live").iterdir() if (path / "__init__.py").exists() and f"`{path.name}/`" not in page]
    players = re.findall(r"^\| (\w+) \|.*\.py` \|$", page, re.M)
    assert tuple(players) == ORDER
