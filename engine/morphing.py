"""Between scenes: what each parameter does on the way from one value to another, and how places mix.

Numbers only: no tensors, no time, no files. t runs from 0 (the first scene) to 1 (the second).
"""
import math
from dataclasses import replace
from typing import Callable

from engine.parameter import Parameter
from engine.scene import Scene
from engine.walks import Place, fade

EASES: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "smooth": lambda t: t * t * (3 - 2 * t),
    "smoother": lambda t: t * t * t * (t * (t * 6 - 15) + 10),
    "in": lambda t: t * t,
    "out": lambda t: t * (2 - t),
}
RULES = ("linear", "log", "circular", "slerp", "step", "hold")


def rule_of(parameter: Parameter) -> str:
    """How a parameter goes from value to value unless a preset says otherwise."""
    if parameter.choices or parameter.step:
        return "step"
    if parameter.size:
        return "slerp"
    return parameter.curve if parameter.curve in ("log", "circular") else "linear"


def path(parameter: Parameter, a, b, rule: str = "", step_at: float = 0.5) -> Callable[[float], object]:
    """The value at t, as a function. hold: stays at `a`; step: `b` from `step_at` on, and always at 1.

    A rule that the parameter cannot follow (log without a positive range, slerp of a single number) gives way to its own.
    """
    rule = rule or rule_of(parameter)
    if rule == "hold":
        return lambda t: a
    if rule == "step" or parameter.choices or a == b:
        return lambda t: b if t >= step_at or t >= 1.0 else a
    if parameter.size:
        return _vector(a, b, rule)
    if parameter.step:
        return lambda t: parameter.clamp(a + (b - a) * t)
    if rule == "circular" or parameter.curve == "circular":
        return _circular(parameter, a, b)
    if rule == "log" and a > 0 and b > 0:
        return lambda t: a if t <= 0 else b if t >= 1 else a * (b / a) ** t
    return lambda t: b if t >= 1 else a + (b - a) * t


def _circular(parameter, a, b):
    around = parameter.high - parameter.low
    way = (b - a + around / 2) % around - around / 2                # the short way round
    return lambda t: b if t >= 1 else parameter.low + (a + way * t - parameter.low) % around


def _vector(a, b, rule):
    """Between vectors of numbers; slerp keeps the length that a latent must have. An empty one has no place to start from."""
    if not a or not b:
        return lambda t: b if t >= 0.5 else a
    size = max(len(a), len(b))
    a, b = (tuple(v) + (0.0,) * (size - len(v)) for v in (a, b))
    long_a, long_b = math.hypot(*a), math.hypot(*b)
    angle = 0.0
    if rule == "slerp" and long_a and long_b:
        angle = math.acos(min(max(sum(x * y for x, y in zip(a, b)) / (long_a * long_b), -1.0), 1.0))
    if not 1e-4 < angle < math.pi - 1e-4:
        return lambda t: tuple(x + (y - x) * t for x, y in zip(a, b))
    turned = math.sin(angle)

    def between(t):
        p, q = math.sin((1 - t) * angle) / turned, math.sin(t * angle) / turned
        length = long_a + (long_b - long_a) * t
        return tuple((x / long_a * p + y / long_b * q) * length for x, y in zip(a, b))
    return between


def together(scenes) -> list[Scene]:
    """The same scenes, all with the bends of all: a bend that a scene did not have is there at mix 0.

    Two that share a name and nothing else stay apart: the later one goes by <name>+ while scenes mix.
    """
    union, names = [], []
    for scene in scenes:
        renamed = {}
        for bend in scene.bends:
            other = next((b for b in union if b.name == bend.name), None)
            if other is not None and not same_place(other, bend):
                name = bend.name + "+"
                while any(b.name == name and not same_place(b, bend) for b in union):
                    name += "+"
                renamed[bend.name] = name
            bend = replace(bend, name=renamed.get(bend.name, bend.name))
            if all(b.name != bend.name for b in union):
                union.append(bend)
        names.append(renamed)
    return [_joined(scene, union, renamed) for scene, renamed in zip(scenes, names)]


def same_place(a, b) -> bool:
    """Whether two bends differ in nothing but what can be turned."""
    return (a.layer, a.channels, a.transform) == (b.layer, b.channels, b.transform)


def _joined(scene: Scene, union, renamed) -> Scene:
    joined = scene.with_bends(union)
    mine = {renamed.get(bend.name, bend.name) for bend in scene.bends}
    values = {f"/bends/{bend.name}/mix": 0.0 for bend in union if bend.name not in mine}
    for bend in scene.bends:
        name = renamed.get(bend.name, bend.name)
        values |= {f"/bends/{name}/{key}": scene[f"/bends/{bend.name}/{key}"] for key in bend.settings_names()}
    return joined.set_values(values)


def routes(a: Scene, b: Scene, rules=None, step_at: float = 0.5) -> dict[str, Callable]:
    """{address: value at t} for all that differs between two scenes with the same bends."""
    rules = rules or {}
    found = {}
    for address in a.values.keys() | b.values.keys():
        if address in a.parameters and address in b.parameters and a[address] != b[address]:
            found[address] = path(a.parameters[address], a[address], b[address], rules.get(address, ""), step_at)
    return found


def corners(places, x: float, y: float) -> Place:
    """Four places under a pad: 0 and 1 are the upper left and right, 2 and 3 the lower."""
    return fade(fade(places[0], places[1], x), fade(places[2], places[3], x), y)
