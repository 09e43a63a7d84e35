"""Modulator shapes: how a modulator moves what it is put on. Numbers only: no scenes, no clock.

A cycle is a pure function `f(at, seed) -> signal`: -1..1 after `at` cycles. A follower goes after another parameter:
`f(level, heard, dt, attack, release) -> level`, all levels 0..1, times in seconds. A listener does so with a memory of its own,
one number: `f(at, level, heard, dt, how) -> (at, level)`. To add one, put a file in this folder; nothing else changes.
"""
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from math import floor as floor_of
from typing import NamedTuple

from engine.registry import load_all


@dataclass(frozen=True)
class Shape:
    """follows: it is a follower; otherwise a cycle. remembers: it is a listener, a follower with a memory.

    source: the address it follows where none is named, "" = one has to be.
    """
    name: str
    function: Callable
    about: str
    follows: bool = False
    remembers: bool = False
    source: str = ""


class How(NamedTuple):
    """What a listener is told besides. step: cycles that its rate or beats make of this moment. places: 0..1 each, set by hand; seed: its own."""
    attack: float
    release: float
    floor: float
    step: float
    places: tuple
    seed: int


HALF, LEAP = 0.5, 0.2               # where a source without a floor fires; how far one that is above it has to leap
MOST = 0.998                        # of a half: a memory stays below the next whole number
SHAPES: dict[str, Shape] = {}


def cycle(function):
    """Declare a shape that repeats, or goes on, cycle by cycle; its name is the function's."""
    return _declare(function, ["at", "seed"], follows=False)


def follower(function=None, *, source=""):
    """Declare a shape that goes after another parameter, after `source` where none is named."""
    def declare(function):
        return _declare(function, ["level", "heard", "dt", "attack", "release"], follows=True, source=source)
    return declare if function is None else declare(function)


def listener(source=""):
    """Declare a shape that follows another parameter and keeps a number of its own from frame to frame."""
    def declare(function):
        return _declare(function, ["at", "level", "heard", "dt", "how"], follows=True, remembers=True, source=source)
    return declare


def _declare(function, wanted, follows, remembers=False, source=""):
    name, taken = function.__name__, list(inspect.signature(function).parameters)
    if taken != wanted:
        raise TypeError(f"shape {name} takes {taken}; expected {wanted}")
    SHAPES[name] = Shape(name, function, inspect.getdoc(function) or "", follows, remembers, source)
    return function


def chance(seed: int, n: int) -> float:
    """Return a number -1..1 that nothing but (seed, n) decides, evenly spread (SplitMix64, Steele et al. 2014)."""
    z = (seed * 0x9E3779B97F4A7C15 + n * 0xD1B54A32D192ED03 + 0x9E3779B97F4A7C15) & (2 ** 64 - 1)
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & (2 ** 64 - 1)
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & (2 ** 64 - 1)
    return ((z ^ z >> 31) >> 11) / 2 ** 52 - 1.0


def detect_hit(at: float, heard: float, floor: float) -> tuple[int, bool, float]:
    """Return (hits so far, whether this is one, the memory to keep) of a source that is heard so loud now.

    at: the memory kept before: a whole number of hits, and half of what was heard then. A hit passes the floor, half of the way
    where that is 0, or leaps up above it.
    """
    count = floor_of(at)
    before, wanted = 2.0 * (at - count), floor or HALF
    hit = heard >= wanted and (before < wanted or heard - before > LEAP)
    return count + hit, hit, count + hit + 0.5 * min(max(heard, 0.0), 1.0) * MOST


load_all(__name__)
