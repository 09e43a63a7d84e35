"""Subcommands of run_live.py, one a file: a docstring, arguments(parser) and run(options) -> exit status.

To add one, put a file in this folder; the file's first docstring line is its entry in the overview. Modules are
imported when they are run, so that `--help` and a start need only what they use.
"""
import argparse
import ast
import importlib
import pathlib


def read_about(path: pathlib.Path) -> str:
    """Return the first line of a module's docstring, without importing it."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


SUBCOMMANDS = {path.stem.replace("_", "-"): read_about(path) for folder in __path__ for path in sorted(pathlib.Path(folder).glob("[a-z]*.py"))}


def parse_size(text: str) -> int:
    """Return what --size says; the argument parser's own error says what it may."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected one number, such as 1024, the height of a picture of the network's own "
                                         "shape; --frame 16:9 gives it another one, and the window shows it as large as it can") from None


def load(name: str):
    """Return the module of a subcommand."""
    return importlib.import_module(f"live.cli.{name.replace('-', '_')}")
