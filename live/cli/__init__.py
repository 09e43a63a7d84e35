"""Subcommands of run_live.py, one a file: a docstring, arguments(parser) and run(options) -> exit status.

To add one, put a file in this folder; the file's first docstring line is its entry in the overview. Modules are
imported when they are run, so that `--help` and a start need only what they use.
"""
import argparse
import ast
import importlib
import json
import pathlib
import sys
from collections.abc import Mapping


def read_about(path: pathlib.Path) -> str:
    """Return the first line of a module's docstring, without importing it."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


class Subcommands(Mapping):
    """What each subcommand does, in one line, by its name. A file is read when somebody asks what it does: starts need only names."""

    def __init__(self, folders):
        self._paths = {path.stem.replace("_", "-"): path for folder in folders for path in sorted(pathlib.Path(folder).glob("[a-z]*.py"))}

    def __getitem__(self, name):
        return read_about(self._paths[name])

    def __iter__(self):
        return iter(self._paths)

    def __len__(self):
        return len(self._paths)


SUBCOMMANDS = Subcommands(__path__)


def parse_size(text: str) -> int:
    """Return the number of --size. The argument parser's own error says what is allowed."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected one number, such as 1024, the height of a picture of the network's own "
                                         "shape; --frame 16:9 gives it another one, and the window shows it as large as it can") from None


def add_device(parser, default: str | None = None, about: str = ""):
    """Add --device to a subcommand that computes; the name goes to engine.device.choose(). default: None = the fastest there is. about: what happens there."""
    kinds = "cpu, cuda, mps; default: cuda where there is one, else cpu" if default is None else ", ".join(
        f"{kind} (default)" if kind == default else kind for kind in ("cpu", "cuda", "mps"))
    parser.add_argument("--device", default=default, help=f"{kinds}: {about}" if about else kinds)


def write_json_line(data: dict):
    """Write a line of JSON to the standard output at once, for a program that reads along."""
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


def load(name: str):
    """Return the module of a subcommand."""
    return importlib.import_module(f"live.cli.{name.replace('-', '_')}")
