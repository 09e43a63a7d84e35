"""Bends from plain data: what presets, takes and commands are made of. Checks everything it is given."""
import logging
from dataclasses import replace

from engine.bending.layer import EVERY, Bend
from engine.bending.place import EVERYWHERE, FADES, NO_PLACES, Place, Places, check_where, find_kind, list_knobs, list_names
from engine.bending.selection import resolve
from engine.bends import TRANSFORMS
from engine.errors import UserError
from engine.names import check_name
from engine.yaml_file import shorten

log = logging.getLogger(__name__)

# Files may go beyond what a fader reaches, so far: the published transforms take any number.
OPEN = {"scalar_multiply": 1e6, "binary_threshold": 1e6, "translate": 1e3, "scale": 1e6, "erode": 512, "dilate": 512}
KEYS = ("name", "layer", "channels", "transform", "settings", "mix", "indices", "where", "fade")
PART = "part"                       # channels of a part, in each of the bend's layers
MOST_LAYERS = 16


def bend_from_dict(data, generator, clusters=None, places=NO_PLACES) -> Bend:
    """Return the bend that Bend.to_dict() wrote, or a person, for this generator; UserError says what in it is wrong.

    places: where bends may act.
    """
    if not isinstance(data, dict):
        raise UserError(f"a bend: expected a mapping with {', '.join(KEYS[:4])}, got {shorten(data)}")
    named = f"bend {data['name']!r}" if isinstance(data.get("name"), str) else "a bend"
    try:
        if unknown := [key for key in data if key not in KEYS]:
            raise UserError(f"no entry {unknown[0]!r}; there are {', '.join(KEYS)}")
        if missing := [key for key in ("name", "layer", "transform") if not isinstance(data.get(key), str)]:
            raise UserError(f"{missing[0]}: expected text, got {shorten(data.get(missing[0]))}")
        layers = _layers(data["layer"], generator)
        where = check_where(data.get("where", EVERYWHERE), layers, places)
        channels, selection = _channels(data, layers, where, generator, clusters)
        mix, fade = EVERY["mix"].clamp(data.get("mix", 1.0)), FADES.clamp(data.get("fade", "picture"))
        settings = check_settings(data["transform"], data.get("settings") or {}, list_knobs(where))
        place = None if where == EVERYWHERE else Place(where, places)
        return Bend(check_name(data["name"]), "+".join(layers), channels, data["transform"], settings, mix, selection, where, fade, place=place)
    except UserError as error:
        raise UserError(f"{named}: {error}") from None


def check_settings(transform: str, settings, knobs=None) -> dict:
    """Return the settings, if the transform or the place (its knobs, by name) has them, each a value it can take; a transform's ranges are not insisted on."""
    declared = find_transform(transform)
    if not isinstance(settings, dict):
        raise UserError(f"settings: expected a mapping, got {shorten(settings)}")
    return {name: _check_knob(name, knobs[name], value) if knobs and name in knobs else _check_setting(declared, name, value)
            for name, value in settings.items()}


def _check_knob(name, knob, value):
    try:
        return knob.clamp(value)
    except UserError as error:
        raise UserError(f"{name}: {error}") from None


def find_transform(name: str):
    """Return the transform of that name."""
    if name not in TRANSFORMS:
        raise UserError(f"no transform {shorten(name)}; there are {', '.join(sorted(TRANSFORMS))}")
    return TRANSFORMS[name]


def _check_setting(declared, name, value):
    if name in declared.options:
        if not isinstance(value, bool):
            raise UserError(f"{declared.name} {name}: expected true or false, got {shorten(value)}")
        return value
    if name not in declared.settings:
        known = ", ".join((*declared.settings, *declared.options)) or "none"
        raise UserError(f"{declared.name} has no setting {shorten(name)}; it has {known}")
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


def _layers(text: str, generator) -> list[str]:
    """Return the layers in a text such as "b32.conv0+b32.conv1"; UserError where there is no such."""
    layers = [name.strip() for name in text.split("+")]
    if len(layers) > MOST_LAYERS or len(set(layers)) < len(layers):
        raise UserError(f"layer {text!r}: expected a layer, or up to {MOST_LAYERS} different ones joined by +")
    for name in layers:
        generator.channels(name)
    return layers


def _channels(data, layers, where, generator, clusters):
    """Return (indices, or None for all and for those that every layer has of its own; how they were chosen in words)."""
    wanted = data.get("channels", "all")
    if wanted == PART:
        if find_kind(where) != PART:
            raise UserError("channels part: expected where part:NAME beside it")
        return None, PART
    if len(layers) > 1:
        if wanted != "all":
            raise UserError(f"channels {shorten(wanted)} in {len(layers)} layers: expected all or part")
        return None, ""
    found = _indices(data, wanted, layers[0], generator, clusters)
    return found, " ".join(wanted.split()) if isinstance(wanted, str) and found is not None else ""


def _indices(data, wanted, layer, generator, clusters):
    kept = data.get("indices")
    if kept is not None and not isinstance(kept, str):
        raise UserError(f"indices: expected text such as 0,4,7-9, got {shorten(kept)}")
    try:
        return resolve(wanted, generator, layer, clusters)
    except UserError as error:
        if not kept:
            raise
        log.warning("bend %r: %s; its channels are taken from the indices kept beside it", data["name"], error)
        return resolve(kept, generator, layer)


def spread(bend: Bend, places=NO_PLACES) -> list[Bend]:
    """Return the bend once for each of its layers, with the channels it takes there and its place looked up."""
    if "+" not in bend.layer and bend.selection != PART and (bend.where == EVERYWHERE or bend.place is not None):
        return [bend]
    place = bend.place or (None if bend.where == EVERYWHERE else Place(bend.where, places))
    parts = place.places.parts if place else None
    drawn = parts[list_names(bend.where)[0]].channels if parts is not None and bend.selection == PART else {}
    return [replace(bend, layer=layer, channels=drawn.get(layer, ()) if bend.selection == PART else bend.channels, place=place)
            for layer in bend.layer.split("+")]


def new_bend(data: dict, generator, clusters=None, places=NO_PLACES) -> Bend:
    """Return the bend that a hand adds: as bend_from_dict(), but it shows at once, its mix turns its setting, and it acts where its cluster is.

    data: what there is of name, transform, layer, channels, where and mix. Without a layer the place's own best is taken;
    what only changes values then takes the part's channels in all layers that have it.
    """
    transform = find_transform(str(data.get("transform")))
    where = data.get("where")
    if where is None:
        where = _find_place(data, places.parts)
        data = data | ({"channels": "all"} if where != EVERYWHERE else {})
    if data.get("layer") is None:
        data = data | _best_layers(where, transform, places.parts, generator)
    fade = "setting" if transform.neutral or transform.moves else "picture"
    return bend_from_dict(data | {"where": where, "fade": fade, "settings": dict(transform.shown)}, generator, clusters, places)


def _find_place(data, parts) -> str:
    """Return where a bend of a named cluster acts: at the part of that name, if there is one in its layer."""
    channels, layer = data.get("channels", "all"), data.get("layer")
    name = channels.strip() if isinstance(channels, str) else ""
    there = parts is not None and name in parts and layer in parts[name].heats
    return f"part:{name}" if there else EVERYWHERE


def _best_layers(where, transform, parts, generator) -> dict:
    """Return {layer, channels} that suit a transform at a place."""
    if find_kind(where) != PART:
        return {"layer": next((name for name in generator.layers if name == "b32.conv1"), generator.layers[len(generator.layers) // 2]), "channels": "all"}
    if parts is None:
        check_where(where, (), Places(parts))
    part = parts[(*list_names(where), "")[0]]
    shared = [layer for layer in part.channels if all(layer in parts[name].heats for name in list_names(where))]
    if transform.spans and shared:
        return {"layer": "+".join(shared), "channels": PART}
    return {"layer": part.bend, "channels": "all"}
