"""Between scenes: what each parameter does on the way from one value to another, and how places mix.

Numbers only: no tensors, no time, no files. t runs from 0 (the first scene) to 1 (the second).
"""
import math
from collections.abc import Callable
from dataclasses import replace

from engine.easing import smoothstep
from engine.parameter import Parameter
from engine.scene import Scene
from engine.walks import Place, arc, blend, catmull_rom, fade

EASES: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "smooth": smoothstep,
    "smoother": lambda t: t * t * t * (t * (t * 6 - 15) + 10),
    "in": lambda t: t * t,
    "out": lambda t: t * (2 - t),
}
PATHS = ("linear", "slerp", "spline")           # through w
RULES = ("linear", "log", "circular", "slerp", "step", "hold")


def find_rule(parameter: Parameter) -> str:
    """Return the rule by which a parameter goes from value to value where the preset has none of its own."""
    if parameter.choices or parameter.step:
        return "step"
    if parameter.size:
        return "slerp"
    return parameter.curve if parameter.curve in ("log", "circular") else "linear"


def path(parameter: Parameter, a, b, rule: str = "", step_at: float = 0.5) -> Callable:
    """Return the value at t, as a function. hold: stays at `a`; step: `b` from `step_at` on, and always at 1.

    A rule that the parameter cannot follow (log without a positive range, slerp of a single number) gives way to its own.
    """
    rule = rule or find_rule(parameter)
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
    """Return the function between two vectors of numbers; slerp keeps the length that a latent must have. An empty one has no place to start from."""
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


def align(scenes) -> list[Scene]:
    """Return the same scenes, all with the bends and modulators of all: what a scene did not have is there at mix or depth 0.

    Two that share a name and nothing else stay apart: the later one goes by <name>+ while scenes mix.
    """
    bends, new_names = _union([scene.bends for scene in scenes], same_place)
    moved = [_retarget(scene.modulators, names) for scene, names in zip(scenes, new_names)]
    modulators, others = _union(moved, lambda a, b: (a.target, a.source) == (b.target, b.source))
    joined = (_join(scene, bends, names, "bends", {"mix": 0.0}) for scene, names in zip(scenes, new_names))
    return [_join(replace(scene, modulators=mine), modulators, names, "modulators", {"depth": 0.0, "offset": 0.0})
            for scene, mine, names in zip(joined, moved, others)]


def _union(lists, same):
    """Return (all parts there are, for each list {a part's name: what it goes by among all})."""
    union: list = []
    renamings = []
    for parts in lists:
        renamed = {}
        for part in parts:
            other = next((p for p in union if p.name == part.name), None)
            if other is not None and not same(other, part):
                name = part.name + "+"
                while any(p.name == name and not same(p, part) for p in union):
                    name += "+"
                renamed[part.name] = name
            part = replace(part, name=renamed.get(part.name, part.name))
            if all(p.name != part.name for p in union):
                union.append(part)
        renamings.append(renamed)
    return union, renamings


def _retarget(modulators, renamed):
    """Return the modulators, put on the names that a scene's bends have while scenes mix."""
    def there(address):
        for name, other in renamed.items():
            if address.startswith(f"/bends/{name}/"):
                return f"/bends/{other}/" + address.removeprefix(f"/bends/{name}/")
        return address

    return tuple(replace(m, target=there(m.target), source=there(m.source)) for m in modulators)


def same_place(a, b) -> bool:
    """Return whether two bends differ in nothing but what can be turned."""
    return (a.layer, a.channels, a.transform) == (b.layer, b.channels, b.transform)


def _join(scene: Scene, union, renamed, kind, silent) -> Scene:
    """Return the scene with all the parts of a kind: its own under their new names, the others with `silent` values."""
    own = getattr(scene, kind)
    values = {}
    for part in own:
        for address in part.parameters():
            setting = address.rpartition("/")[2]
            values[f"/{kind}/{renamed.get(part.name, part.name)}/{setting}"] = scene[address]
    mine = {renamed.get(part.name, part.name) for part in own}
    values |= {f"/{kind}/{part.name}/{setting}": value for part in union if part.name not in mine for setting, value in silent.items()}
    return (scene.with_bends(union) if kind == "bends" else scene.with_modulators(union)).set_values(values)


def routes(a: Scene, b: Scene, rules=None, step_at: float = 0.5) -> dict[str, Callable]:
    """Return {address: value at t} for all that differs between two scenes with the same bends."""
    rules = rules or {}
    found = {}
    for address in a.values.keys() | b.values.keys():
        if address in a.parameters and address in b.parameters and a[address] != b[address]:
            found[address] = path(a.parameters[address], a[address], b[address], rules.get(address, ""), step_at)
    return found


def interpolate_place(kind: str, before: Place, start: Place, end: Place, t: float) -> Place:
    """Return the place at t on the way from `start` to `end`, by one of PATHS. A spline comes from `before` without a corner."""
    if kind == "slerp":
        return arc(start, end, t)
    if kind == "spline" and before:
        if t >= 1.0:
            return end
        keys = before, start, end, end
        return blend(tuple((point, weight * w) for point, weight in place) for place, w in zip(keys, catmull_rom(t)))
    return fade(start, end, t)


def mix_corners(places, x: float, y: float) -> Place:
    """Return four places mixed under a pad: 0 and 1 are the upper left and right, 2 and 3 the lower."""
    return fade(fade(places[0], places[1], x), fade(places[2], places[3], x), y)
