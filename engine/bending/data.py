"""Bends from plain data: what presets, takes and commands are made of. Checks everything it is given."""
import logging

from engine.bending.layer import EVERY, Bend
from engine.bending.selection import resolve
from engine.bends import TRANSFORMS
from engine.errors import UserError
from engine.names import check_name
from engine.yaml_file import shown

log = logging.getLogger(__name__)

# Files may go beyond what a fader reaches, so far: the published transforms take any number.
OPEN = {"scalar_multiply": 1e6, "binary_threshold": 1e6, "translate": 1e3, "scale": 1e6, "erode": 512, "dilate": 512}
KEYS = ("name", "layer", "channels", "transform", "settings", "mix", "indices")


def bend_from_dict(data, generator, clusters=None) -> Bend:
    """Return the bend that Bend.to_dict() wrote, or a person, for this generator; UserError says what in it is wrong."""
    if not isinstance(data, dict):
        raise UserError(f"a bend: expected a mapping with {', '.join(KEYS[:4])}, got {shown(data)}")
    where = f"bend {data['name']!r}" if isinstance(data.get("name"), str) else "a bend"
    try:
        if unknown := [key for key in data if key not in KEYS]:
            raise UserError(f"no entry {unknown[0]!r}; there are {', '.join(KEYS)}")
        if missing := [key for key in ("name", "layer", "transform") if not isinstance(data.get(key), str)]:
            raise UserError(f"{missing[0]}: expected text, got {shown(data.get(missing[0]))}")
        channels = _channels(data, generator, clusters)
        wanted = data.get("channels", "all")
        selection = " ".join(wanted.split()) if isinstance(wanted, str) and channels is not None else ""
        mix = EVERY["mix"].clamp(data.get("mix", 1.0))
        return Bend(check_name(data["name"]), data["layer"], channels, data["transform"],
                    check_settings(data["transform"], data.get("settings") or {}), mix, selection)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def check_settings(transform: str, settings) -> dict:
    """Return the settings, if the transform has them, each a value it can take; ranges are not insisted on."""
    declared = find_transform(transform)
    if not isinstance(settings, dict):
        raise UserError(f"settings: expected a mapping, got {shown(settings)}")
    return {name: _check_setting(declared, name, value) for name, value in settings.items()}


def find_transform(name: str):
    """Return the transform of that name."""
    if name not in TRANSFORMS:
        raise UserError(f"no transform {shown(name)}; there are {', '.join(sorted(TRANSFORMS))}")
    return TRANSFORMS[name]


def _check_setting(declared, name, value):
    if name in declared.options:
        if not isinstance(value, bool):
            raise UserError(f"{declared.name} {name}: expected true or false, got {shown(value)}")
        return value
    if name not in declared.settings:
        known = ", ".join((*declared.settings, *declared.options)) or "none"
        raise UserError(f"{declared.name} has no setting {shown(name)}; it has {known}")
    parameter = declared.settings[name]
    try:
        clamped = parameter.clamp(value)
    except UserError as error:
        raise UserError(f"{declared.name} {name}: {error}") from None
    if isinstance(clamped, str) or parameter.curve == "circular" or abs(clamped - float(value)) <= parameter.step / 2:
        return clamped
    low, high = max(parameter.low, 0.0) if parameter.step else -OPEN.get(declared.name, 0), OPEN.get(declared.name, 0)
    if not low <= float(value) <= high:
        raise UserError(f"{declared.name} {name} {value:g}: expected {parameter.low:g} to {parameter.high:g}")
    return float(round(value)) if parameter.step else float(value)


def _channels(data, generator, clusters):
    wanted = data.get("channels", "all")
    kept = data.get("indices")
    if kept is not None and not isinstance(kept, str):
        raise UserError(f"indices: expected text such as 0,4,7-9, got {shown(kept)}")
    try:
        return resolve(wanted, generator, data["layer"], clusters)
    except UserError as error:
        if not kept:
            raise
        log.warning("bend %r: %s; its channels are taken from the indices kept beside it", data["name"], error)
        return resolve(kept, generator, data["layer"])
