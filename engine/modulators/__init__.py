"""Modulator shapes: how a modulator moves what it is put on. Numbers only: no scenes, no clock.

A cycle is a pure function `f(at, seed) -> signal`: -1..1 after `at` cycles. A follower goes after another parameter:
`f(level, heard, dt, attack, release) -> level`, all levels 0..1, times in seconds. To add one, put a file in this
folder; nothing else changes.
"""
import inspect
from collections.abc import Callable
from dataclasses import dataclass

from engine.registry import load_all


@dataclass(frozen=True)
class Shape:
    """follows: it is a follower; otherwise a cycle."""
    name: str
    function: Callable
    about: str
    follows: bool = False


SHAPES: dict[str, Shape] = {}


def cycle(function):
    """Declare a shape that repeats, or goes on, cycle by cycle; its name is the function's."""
    return _declare(function, ["at", "seed"], follows=False)


def follower(function):
    """Declare a shape that goes after another parameter."""
    return _declare(function, ["level", "heard", "dt", "attack", "release"], follows=True)


def _declare(function, wanted, follows):
    name, taken = function.__name__, list(inspect.signature(function).parameters)
    if taken != wanted:
        raise TypeError(f"shape {name} takes {taken}; expected {wanted}")
    SHAPES[name] = Shape(name, function, inspect.getdoc(function) or "", follows)
    return function


def chance(seed: int, n: int) -> float:
    """A number -1..1 that nothing but (seed, n) decides, evenly spread (SplitMix64, Steele et al. 2014)."""
    z = (seed * 0x9E3779B97F4A7C15 + n * 0xD1B54A32D192ED03 + 0x9E3779B97F4A7C15) & (2 ** 64 - 1)
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & (2 ** 64 - 1)
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & (2 ** 64 - 1)
    return ((z ^ z >> 31) >> 11) / 2 ** 52 - 1.0


load_all(__name__)
