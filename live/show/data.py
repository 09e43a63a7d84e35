"""Scenes, motions and changes as plain data and back, exactly: what presets, takes and the autosave hold.

Knows no files and no tensors. Plain data is what JSON and YAML hold; floats keep every bit.
"""
import math
import reprlib
from dataclasses import fields, replace
from types import MappingProxyType

from engine.errors import UserError
from engine.modulation import Modulator
from engine.motion import Motion
from engine.scene import Scene
from engine.walks import Arc, Kept, Mixed, Vector
from live.show.events import Change, Fade, Touch

POINTS = {"mixed": Mixed, "vector": Vector, "arc": Arc, "kept": Kept}                # named tuples that plain data has to tell from other lists
RESTING = Motion()
MOST_BENDS, MOST_MODULATORS = 64, 128                   # of a scene, whoever puts them there: hands, presets, takes
LARGEST = 2 ** 53                                          # the largest number in a motion: above it a float has no fractions and skips whole numbers
PLACES = ("place", "start", "led")
ROWS = {"modulators": 4, "holds": 1, "kept": 1}                       # of a motion: rows of a name and so many numbers


def to_plain(value):
    """Return a value of a scene, motion or change as plain data."""
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if isinstance(value, (Mixed, Vector, Arc, Kept)):
        return {type(value).__name__.lower(): to_plain(value[0])}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if hasattr(value, "items"):
        return {"table": [[to_plain(key), to_plain(item)] for key, item in value.items()]}
    raise TypeError(f"{type(value).__name__} has no plain form")


def from_plain(data):
    """Return the inverse of to_plain(). UserError for what it cannot have made."""
    if isinstance(data, list):
        return tuple(from_plain(item) for item in data)
    if isinstance(data, dict):
        (kind, inner), *more = list(data.items()) or [("", None)]
        if kind == "table" and isinstance(inner, list) and not more:
            return {from_plain(key): from_plain(item) for key, item in inner}
        if kind not in POINTS or more or not isinstance(inner, list):
            raise UserError(f"expected one of {', '.join(POINTS)}, got {kind!r}")
        return POINTS[kind](from_plain(inner))
    if isinstance(data, float) and not math.isfinite(data):
        raise UserError(f"expected a finite number, got {data}")
    return data


def motion_to_plain(motion: Motion) -> dict:
    """Return what differs from a motion at rest."""
    return {f.name: to_plain(getattr(motion, f.name)) for f in fields(Motion)
            if f.compare and getattr(motion, f.name) != getattr(RESTING, f.name)}


def motion_from_plain(data: dict) -> Motion:
    """Return the inverse of motion_to_plain. UserError names the entry that cannot be."""
    allowed = [f.name for f in fields(Motion) if f.compare]
    values = {}
    for name, found in data.items():
        if name not in allowed:
            raise UserError(f"motion: unknown {name}; allowed: {', '.join(allowed)}")
        try:
            values[name] = _check_like(getattr(RESTING, name), from_plain(found))
            _check_rows(values[name], ROWS.get(name))
            for place in values[name] if name == "styles_led" else [values[name]] if name in PLACES else ():
                _check_place(place)
        except (UserError, TypeError, ValueError) as error:
            raise UserError(f"motion > {name}: {error}") from None
    return replace(RESTING, **values)


def _check_like(resting, found):
    """Return `found` if it could stand where `resting` stands. UserError otherwise."""
    if resting is None and found is None:
        return found
    if resting is None or isinstance(resting, (int, float)):
        if not _to_number(found):
            raise UserError(f"expected a number, got {reprlib.repr(found)}")
        if isinstance(resting, int) and not isinstance(found, int):
            raise UserError(f"expected a whole number, got {found!r}")
        return found
    if isinstance(found, dict) or not isinstance(resting, tuple):
        return found
    if not isinstance(found, tuple) or (resting and len(found) != len(resting)):
        raise UserError(f"expected a list{f' of {len(resting)} numbers' if resting else ''}, got {found!r}")
    if resting and not all(map(_to_number, found)):
        raise UserError(f"expected {len(resting)} numbers, got {found!r}")
    return found


def _check_place(place):
    for row in place:
        if not (isinstance(row, tuple) and len(row) == 2 and _to_number(row[1]) and isinstance(row[0], (int, tuple))):
            raise UserError(f"expected [point, weight], got {row!r}")
        _check_point(row[0])


def _check_point(point):
    if isinstance(point, Arc):
        start, end, t = point.way
        _check_place(start)
        _check_place(end)
        _check_like(0.0, t)
    elif isinstance(point, Mixed):
        for seed, weight in point.seeds:
            _check_point(seed)
            _check_like(0.0, weight)
    elif isinstance(point, Kept):
        name, number = point.of
        if not isinstance(name, str) or type(number) is not int or number < 0:
            raise UserError(f"expected the name of a kept latent and its number, got {point.of!r}")
    elif isinstance(point, Vector):
        for number in point.z:
            _check_like(0.0, number)
    else:
        seeds = point if isinstance(point, tuple) else (point,)
        if not seeds or not all(type(seed) is int and 0 <= seed < 2 ** 32 for seed in seeds):
            raise UserError(f"expected a seed 0..{2 ** 32 - 1} or a list of them, got {point!r}")


def _to_number(found) -> bool:
    return type(found) in (int, float) and abs(found) <= LARGEST


def _check_rows(rows, numbers):
    for row in rows if numbers else ():
        if not (isinstance(row, tuple) and len(row) == numbers + 1 and isinstance(row[0], str)
                and all(map(_to_number, row[1:]))):
            raise UserError(f"expected a name and {numbers} number{'s' if numbers > 1 else ''}, got {row!r}")


def bend_to_plain(bend) -> dict:
    """Return all that makes two bends equal."""
    data = {f.name: getattr(bend, f.name) for f in fields(bend) if f.compare}
    return {name: {k: to_plain(v) for k, v in value.items()} if name == "settings" else to_plain(value) for name, value in data.items()}


def bend_from_plain(data: dict):
    """Return the inverse of bend_to_plain."""
    from engine.bending import Bend  # imported here because it imports torch, which scenes without bends do not need

    values: dict = {name: {k: from_plain(v) for k, v in value.items()} if name == "settings" else from_plain(value)
                    for name, value in data.items()}
    return Bend(**values)


def _check_bend(data, make_bend):
    bend = bend_from_plain(data)
    if make_bend is not None:                       # only its indices matter here, not how they were chosen
        given = bend.to_dict() | {"channels": "all" if bend.channels is None else list(bend.channels)}
        made = make_bend({name: value for name, value in given.items() if name != "indices"})
        for name in ("channels", "mix"):
            if getattr(made, name) != getattr(bend, name):
                raise UserError(f"bend {bend.name!r} > {name}: expected {getattr(made, name)}, got {getattr(bend, name)}")
    return bend


def check_counts(bends, modulators):
    """Raise UserError where a scene would have more bends or modulators than any may have."""
    for name, parts, most in (("bends", bends, MOST_BENDS), ("modulators", modulators, MOST_MODULATORS)):
        if len(parts) > most:
            raise UserError(f"{name}: {len(parts)} of them; a scene has at most {most}")


def scene_to_plain(scene: Scene) -> dict:
    """Return a scene as plain data: the values that differ from the instrument's own, the bends and the modulators."""
    data: dict = {"values": {address: to_plain(value) for address, value in scene.values.items()}}
    if scene.bends:
        data["bends"] = [bend_to_plain(bend) for bend in scene.bends]
    if scene.modulators:
        data["modulators"] = [modulator.to_dict() for modulator in scene.modulators]
    return data


def scene_from_plain(data: dict, base: Scene, make_bend=None) -> Scene:
    """Return the inverse: the same scene again, to the bit. base: any scene of the instrument, for its parameters.

    Values of parameters that it lacks are kept. UserError: a value that can't be one; make_bend(data) -> Bend, where
    there is one, says what of a bend is wrong.
    """
    check_counts(data.get("bends", ()), data.get("modulators", ()))
    scene = base.with_bends(_check_bend(bend, make_bend) for bend in data.get("bends", ()))
    scene = scene.with_modulators(Modulator.from_dict(modulator) for modulator in data.get("modulators", ()))
    values = {address: from_plain(value) for address, value in data["values"].items()}
    known = scene.set_values({address: value for address, value in values.items() if address in scene.parameters}).values
    return replace(scene, values=MappingProxyType({**values, **known}))


def item_to_plain(item):
    """Return one thing the loop applied as plain data: a change, a touch, a fade, a scene or a motion."""
    if isinstance(item, Change):
        return [item.address, to_plain(item.value)]
    if isinstance(item, Touch):
        return {"touch": list(item.addresses)}
    if isinstance(item, Fade):
        return {"fade": [item.to, item.seconds]}
    return {"motion": motion_to_plain(item)} if isinstance(item, Motion) else {"scene": scene_to_plain(item)}


def item_from_plain(data, scene_of):
    """Return the inverse of item_to_plain. scene_of(data) -> Scene."""
    if isinstance(data, list):
        if not isinstance(data[0], str):
            raise UserError(f"expected an address, got {data[0]!r}")
        return Change(data[0], from_plain(data[1]))
    if "touch" in data:
        return Touch(tuple(map(str, data["touch"])))
    if "fade" in data:
        return Fade(*_check_like((0.0, 0.0), from_plain(data["fade"])))
    return motion_from_plain(data["motion"]) if "motion" in data else scene_of(data["scene"])
