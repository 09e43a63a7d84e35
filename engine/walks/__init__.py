"""Walks: paths through latent space. Numbers only, no tensors: a walk says which seeds, and how much of each.

A walk is a pure function `f(at, **settings) -> points`: where one is after `at` keyframes. To add one, put a file in
this folder; nothing else changes. Its settings become parameters at /walk/<setting>; walks may share a setting.
"""
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from engine.parameter import Parameter
from engine.registry import load_all


class Mixed(NamedTuple):
    """A point made in z before the mapping network: the weighted sum of seeds' z."""
    seeds: tuple                     # of (seed, weight)


class Vector(NamedTuple):
    """A z given number by number; padded with zeros to the network's z_dim."""
    z: tuple[float, ...]


class Arc(NamedTuple):
    """A point on the arc between two places, around the centre of w; see arc()."""
    way: tuple                       # (start place, end place, how far 0..1)


class Kept(NamedTuple):
    """A kept latent, by its name and its number within the file; no name = that number of all there are, in order."""
    of: tuple


# A point is a seed (an int, or a tuple of ints for derived ones), a Mixed, a Vector, a Kept or an Arc. A place is a tuple of
# (point, weight): the weighted sum of the points' w. Weights add up to 1.
Place = tuple


@dataclass(frozen=True)
class Walk:
    name: str
    place: Callable                  # (at, **settings) -> Place
    rate: Callable                   # (settings, seconds per beat) -> keyframes per second
    settings: dict[str, Parameter]
    about: str
    keyed: bool = False              # goes through the keys of the motion (Motion.kept), which it is given as `keys`
    around: Callable | None = None   # (settings) -> keyframes once around, of a walk that closes; it goes on from there at 0


WALKS: dict[str, Walk] = {}

SEED = Parameter(1, 0, 2 ** 31 - 1, step=1, about="the seed the walk starts from, stays at, or grows from")
SPEED = Parameter(0.25, -4.0, 4.0, unit="keyframes/s",
                  about="how fast the walk goes; negative walks back. A walk with a period keeps it at 0.25, and goes twice as fast at 0.5")
PERIOD = Parameter(16.0, 0.5, 600.0, curve="log", about="how long once around takes, in /walk/unit")
UNIT = Parameter("seconds", choices=("seconds", "beats"), about="what /walk/period counts in")


def walk(rate, around=None, keyed=False, **settings: Parameter):
    """Declare a walk: its name is the function's, its knobs are the keywords. rate, around, keyed: see Walk."""
    def declare(function):
        name = function.__name__
        wanted = [name for name in list(inspect.signature(function).parameters)[1:] if not (keyed and name == "keys")]
        if wanted != list(settings):
            raise TypeError(f"walk {name} takes {wanted} but declares {list(settings)}")
        for other in WALKS.values():
            for shared in other.settings.keys() & settings.keys():
                if other.settings[shared] != settings[shared]:
                    raise TypeError(f"walks {name} and {other.name} declare {shared} differently")
        WALKS[name] = Walk(name, function, rate, settings, inspect.getdoc(function) or "", keyed, around)
        return function
    return declare


def standing(settings, beat):
    """Return the rate of walks that do not move by themselves."""
    return 0.0


def by_speed(settings, beat):
    return settings["speed"]


def seconds(settings, beat):
    """Return the walk's period in seconds; `beat` is the length of one."""
    return settings["period"] * (beat if settings["unit"] == "beats" else 1.0)


def pace(settings):
    """Return how much faster than its period a walk goes: /walk/speed over its default."""
    return settings["speed"] / SPEED.default


def spline(at: float, key: Callable[[int], object]) -> Place:
    """Return the place at position `at` of a Catmull-Rom curve through key(0), key(1), ...: through every key, without corners."""
    n = int(at // 1)
    return blend(((key(n + i - 1), w), ) for i, w in enumerate(catmull_rom(at - n)))


def catmull_rom(t: float) -> tuple[float, float, float, float]:
    """Return the weights of four keys in a row at t, 0..1 of the way from the second to the third."""
    return (-0.5 * t + t * t - 0.5 * t ** 3, 1 - 2.5 * t * t + 1.5 * t ** 3,
            0.5 * t + 2 * t * t - 1.5 * t ** 3, -0.5 * t * t + 0.5 * t ** 3)


def own_walk(seed: int, at: float) -> Place:
    """Return the place of a style group's own walk: its seed at 0, then on through seeds grown from it."""
    return spline(at, lambda n: seed if n == 0 else (seed, n % 2 ** 32))


def blend(places) -> Place:
    """Return several weighted places as one: equal points are added up, those without weight dropped."""
    total: dict = {}
    for place in places:
        for point, weight in place:
            total[point] = total.get(point, 0.0) + weight
    return tuple((point, weight) for point, weight in total.items() if abs(weight) > 1e-9)


def fade(start: Place, end: Place, t: float) -> Place:
    """Return the place at t 0..1 of the way from one place to another, in w."""
    return blend((((p, w * (1 - t)) for p, w in start), ((p, w * t) for p, w in end)))


def arc(start: Place, end: Place, t: float) -> Place:
    """Return the place on the way from one place to another which stays as far from the centre of w as they are: no dull middle."""
    if start == end or t <= 0.0:
        return start
    return end if t >= 1.0 else ((Arc((start, end, t)), 1.0),)


load_all(__name__)
# By name, those that need keys last: over OSC a choice may be a number, and those of the others stay as they were without them.
PARAMETERS = {"kind": Parameter("loop", choices=tuple(sorted(WALKS, key=lambda name: (WALKS[name].keyed, name))), about="which walk leads")}
for _walk in WALKS.values():
    PARAMETERS |= _walk.settings
