"""The linter and the type checker find nothing. What they look for is in pyproject.toml."""
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
