"""The linter and the type checker find nothing. What they look for is in pyproject.toml."""
import ast
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]


def check(*command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing():
    check("ruff", "check", "--no-cache", ".")


def test_the_type_checker_finds_nothing():
    check("mypy")


PARTICIPLES = frozenset("""heard told asked written made kept held shown seen known found given drawn begun gone lit spoken said sent bound led taken chosen
left spelled""".split())
VERBS = frozenset(("feed", "need", "seed", "speed", "embed"))
WORDS = {"normalized"}                  # of the interface that other programs use
REGISTERED = {"solver", "transform", "walk", "cycle", "follower", "listener", "source", "output", "control", "command"}    # named as people write them


def participles(code):
    """Yield (line, name) of the functions in some code that are named by a past participle; a property is a value and may be."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in WORDS:
            marks = {ast.unparse(mark).partition("(")[0] for mark in node.decorator_list}
            first = node.name.strip("_").split("_")[0]
            if marks & REGISTERED or any("property" in mark for mark in marks):
                continue
            if first in PARTICIPLES or first.endswith("ed") and first not in VERBS:
                yield node.lineno, node.name


def test_functions_are_verbs_not_participles():
    assert [name for _, name in participles("def heard(): ...\ndef _checked_name(): ...\ndef feed(): ...")] == ["heard", "_checked_name"]
    found = [f"{path.relative_to(ROOT)}:{line} {name}" for house in ("engine", "live") for path in sorted((ROOT / house).rglob("*.py"))
             for line, name in participles(path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)
