"""Commands: what a pad, key or OSC trigger does that is not a parameter. Each is a function of the show.

A command returns what the loop shall apply before this frame: Changes, a Scene or a Motion, in order. To add one,
write a function under @command in a file called commands.py or something_commands.py, in any room of live/: load_commands()
finds it there.
"""
import importlib
import inspect
import logging
import math
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.errors import UserError
from live.show.events import Change, Fade

log = logging.getLogger(__name__)

COMMANDS: dict[str, "Command"] = {}


@dataclass(frozen=True)
class Command:
    """about: its docstring. arguments: names of what may follow the address, as shown to users; the first `needed` must.

    timed: it is told when the hand did it, on the clock of live.show.clock.now(), as the keyword `at`. guarded: over the network
    only those with a token may call it, as it ends the show, deletes, or writes where every show reads.
    """
    address: str
    function: Callable
    arguments: tuple[str, ...]
    about: str
    needed: int = 0
    timed: bool = False
    guarded: bool = False


def command(address, guarded=False):
    """Declare a command `f(show, *arguments)` at an OSC address. guarded: see Command."""
    def declare(function):
        every = list(inspect.signature(function).parameters.values())[1:]
        arguments = [a for a in every if a.kind is not a.KEYWORD_ONLY]
        needed = sum(a.default is a.empty for a in arguments)
        names = tuple(a.name for a in arguments)
        COMMANDS[address] = Command(address, function, names, inspect.getdoc(function) or "", needed, len(every) > len(arguments), guarded)
        return function
    return declare


def load_commands(package: str = "live"):
    """Import every file of commands in the rooms of a package, so that COMMANDS has what they declare."""
    importlib.import_module(package)
    for module in pkgutil.walk_packages(sys.modules[package].__path__, f"{package}."):
        if module.name.endswith((".commands", "_commands")):
            importlib.import_module(module.name)


def is_trigger(arguments: tuple) -> bool:
    """Return whether the arguments fire a trigger: none do, or a number other than 0; a single 0 is the release of a button."""
    return arguments not in ((0,), (0.0,), (False,))


def call(show, order):
    """Run one Call; what it returns is for the loop to apply. UserError: unknown, or arguments it cannot use."""
    found = COMMANDS.get(order.command)
    if found is None:
        raise UserError(f"no command {order.command!r}; there are: {', '.join(sorted(COMMANDS))}")
    arguments = order.arguments[:len(found.arguments)]
    if len(arguments) < found.needed:
        raise UserError(f"{order.command} needs {' and '.join(found.arguments[:found.needed])}")
    return found.function(show, *arguments, **({"at": order.at} if found.timed else {})) or ()


@command("/freeze")
def freeze(show, on=None):
    """Hold the picture; again to let go."""
    return [Change("/output/freeze", 0.0 if show.scene["/output/freeze"] else 1.0)]


@command("/blackout")
def blackout(show, seconds=None):
    """Go black over so many seconds (else /output/fade); again to come back. It wins over a freeze and whatever fails."""
    to = 0.0 if show.scene["/output/blackout"] >= 1.0 else 1.0
    if seconds is None or seconds is True or seconds == 1:                       # 1: a button's press
        seconds = show.scene["/output/fade"]
    seconds = show.scene.parameter("/output/fade").clamp(to_number(seconds, of="/blackout"))
    return [Fade(to, seconds), Change("/output/blackout", to)]


@command("/panic")
def panic(show, on=None):
    """Back to the scene the show began with, at once: no freeze, no bends left on. It lifts a blackout too; /blackout goes black."""
    return [show.first, Fade(show.first["/output/blackout"], 0.0)]


@command("/seed/random")
def random_seed(show, on=None):
    """Jump (or glide, /walk/glide) to a seed nobody chose; a loop with stops gets as many others."""
    kind, stops = show.scene["/walk/kind"], show.scene["/walk/stops"]
    if kind == "loop" and stops:
        return [Change("/walk/stops", tuple(show.random.randrange(2 ** 31) for _ in stops))]
    if kind == "vector" and show.scene["/walk/z"]:
        log.info("/seed/random: the walk is at the latent of /walk/z; the numbers left out there come from the seed, and /walk/kind hold goes to it")
    return [Change("/walk/seed", show.random.randrange(2 ** 31))]


@command("/seed/go")
def go_to_seed(show, seed, seconds=0.0):
    """Go to a seed over so many seconds, and stay there."""
    length = show.scene.parameters["/walk/glide"].clamp(to_number(seconds, of="/seed/go"))
    return [Change("/walk/seed", to_number(seed, of="/seed/go")), Change("/walk/kind", "hold"), *show.mark_own([replace(show.motion, glide=length)])]


@command("/quit", guarded=True)
def quit_show(show, on=None):
    """End the show. A key needs to be pressed twice."""
    show.stop()


def to_number(value, what: str = "a number", of: str = "") -> float:
    """Return a command's argument as a finite number. UserError: it is none, as a word such as "nan". of: which argument it is."""
    try:
        found = float(value)
        what = "a finite number" if what == "a number" else what
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise UserError(f"{of}: expected {what}, got {value!r}" if of else f"expected {what}, got {value!r}")
    return found
