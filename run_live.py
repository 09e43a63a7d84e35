#!/usr/bin/env python3
"""Latent Jockey: play StyleGAN2 live.

    python run_live.py                      play the built-in instrument in a window
    python run_live.py --instrument my.pkl  play your own network
    python run_live.py COMMAND --help       what else there is

Flags become objects here and errors become exit codes; the work is done by live/cli/, one subcommand a file.
"""
import argparse
import contextlib
import io
import os
import sys

from engine.errors import UserError
from live.cli import SUBCOMMANDS, load
from live.files.paths import expand_argument
from live.show import garbage
from live.show.journal import spell_out

DEFAULT = "play"
# Threads that wait for the others of a layer spin for some 20 microseconds, which is how long the next layer takes to come,
# and then sleep: where cores are shared, spinning takes them from the very threads that are waited for (docs/speed.md).
# OpenMP reads this when torch is imported, which is not yet.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
garbage.look_seldom()               # in the processes of a show as well, which run these lines


def parser_for(name: str, module) -> argparse.ArgumentParser:
    """The argument parser of one subcommand, with its docstring as help."""
    parser = argparse.ArgumentParser(prog=f"run_live.py {name}", description=module.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    module.arguments(parser)
    return parser


def overview() -> str:
    """What `run_live.py --help` adds to the flags of play: the subcommands."""
    rows = "\n".join(f"  {name:<15}{about}" for name, about in SUBCOMMANDS.items())
    return f"subcommands (each has its own --help):\n{rows}"


def main(arguments: list[str]) -> int:
    """Run one command line; returns the exit status. 2 = a mistake the message explains, 130 = interrupted."""
    _write_any_letter()
    name = arguments[0] if arguments and arguments[0] in SUBCOMMANDS else None
    rest = arguments[1:] if name else arguments
    if rest and name is None and not rest[0].startswith("-"):
        sys.stderr.write(f"run_live.py: no subcommand {rest[0]!r}; there are: {', '.join(SUBCOMMANDS)}\n")
        return 2
    program = f"run_live.py {name}" if name else "run_live.py"
    try:
        module = load(name or DEFAULT)
        parser = parser_for(name or DEFAULT, module)
        if (name or DEFAULT) != DEFAULT:
            garbage.look_often()
        if name is None:
            parser.prog, parser.epilog = program, overview()
        return module.run(parser.parse_args([expand_argument(argument) for argument in rest])) or 0
    except UserError as error:
        _say(spell_out(f"{program}: {error}") + "\n")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:                            # the reader of our output has gone: `... | head`
        _leave_output()
        return 0


def _say(text):
    """Write to standard error, if there is one and it is read."""
    with contextlib.suppress(OSError, AttributeError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _leave_output():
    """Have what is still to be written at the end go nowhere: its reader has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(nowhere, stream.fileno())


def _write_any_letter():
    """Have letters that the terminal's encoding lacks written as escapes instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
