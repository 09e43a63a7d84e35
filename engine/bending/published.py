"""The published network-bending tool's YAML files -> Bends. Everything is checked when it is read, nothing when it plays.

Top level: a mapping whose `transforms` is a list of {layer: int, transform: name, params: [numbers], features: all |
random | cluster, feature-param: null | share | cluster number}; other keys are ignored. Source: SPEC.md B.1-B.3, E.Q.
"""
import logging
from dataclasses import dataclass

from engine.bending.data import check_settings
from engine.bending.layer import Bend
from engine.bending.selection import cluster_channels, draw_channels
from engine.bends import TRANSFORMS
from engine.errors import UserError
from engine.yaml_file import load_yaml, shorten

log = logging.getLogger(__name__)

NAMES = {
    "ablate": "ablate", "invert": "invert", "scalar-multiply": "scalar_multiply", "binary-thresh": "binary_threshold",
    "binary-tresh": "binary_threshold",            # as its README spells it
    "flip-h": "flip_h", "flip-v": "flip_v", "translate": "translate", "scale": "scale", "rotate": "rotate",
    "erode": "erode", "dilate": "dilate",
}
AFFINE = ("translate", "scale", "rotate")
FIELDS = ("layer", "transform", "params", "features")
FEATURES = ("all", "random", "cluster")
MOST = 1000                         # bends


@dataclass(frozen=True)
class Quirks:
    """What the published tool did differently, for files and pictures that depend on it.

    opencv_geometry: turn and zoom about (H/2, W/2), positions in steps of 1/32 px. layer0_inert: bends of layer 0 do
    nothing. lenient: items it would skip or only warn about are skipped, with a warning. seed: of random channels; the
    published tool drew new ones for each picture, which a caller does with a seed for each picture.
    """
    opencv_geometry: bool = False
    layer0_inert: bool = False
    lenient: bool = False
    seed: int = 0


def read_network_bending(path, generator, clusters=None, quirks: Quirks = Quirks()) -> list[Bend]:
    """Return the bends in a YAML file of the published tool (its `transforms:` list), in order.

    UserError: path, item and field, what was expected, what was found.
    """
    content = load_yaml(path)
    if not isinstance(content, dict) or "transforms" not in content:
        raise UserError(f"{path}: expected a mapping with a list `transforms`, found {_kind(content)}")
    items = content["transforms"]
    if items is None:
        return []
    if not isinstance(items, list) or len(items) > MOST:
        found = f"{len(items)} items" if isinstance(items, list) else _kind(items)
        raise UserError(f"{path}: transforms: expected a list of at most {MOST}, found {found}")
    bends = []
    for number, item in enumerate(items, 1):
        try:
            bends += _bend(item, number, generator, clusters, quirks)
        except UserError as error:
            if not quirks.lenient:
                raise UserError(f"{path}: transforms, item {number}: {error}") from None
            log.warning("%s: transforms, item %d left out: %s", path, number, error)
    return bends


def _bend(item, number, generator, clusters, quirks):
    """Return the bend of one item, in a list; an empty one where it is inert."""
    if not isinstance(item, dict):
        raise UserError(f"expected a mapping with {', '.join(FIELDS)}, found {_kind(item)}")
    if missing := [name for name in FIELDS if name not in item]:
        raise UserError(f"{missing[0]} is missing; expected {', '.join(FIELDS)} and feature-param")
    layer = _layer(item["layer"], generator)
    transform = NAMES.get(item["transform"]) if isinstance(item["transform"], str) else None
    if transform is None:
        raise UserError(f"transform {shorten(item['transform'])}: expected one of {', '.join(NAMES)}")
    settings = _settings(transform, item["params"])
    if quirks.opencv_geometry and transform in AFFINE:
        settings["opencv_geometry"] = True
    channels, selection = _channels(item, layer, generator, clusters, quirks.seed + number - 1)
    if quirks.layer0_inert and item["layer"] == 0:
        return []
    return [Bend(f"{number}_{transform}", layer, channels, transform, settings, 1.0, selection)]


def _layer(number, generator):
    if isinstance(number, bool) or not isinstance(number, int):
        raise UserError(f"layer {shorten(number)}: expected a whole number")
    if not 0 <= number < len(generator.layers):
        raise UserError(f"layer {number}: this network has 0 to {len(generator.layers) - 1} (0 is {generator.layers[0]})")
    return generator.layers[number]


def _settings(transform, params):
    names = tuple(TRANSFORMS[transform].settings)
    params = [] if params is None else params
    if not isinstance(params, list):
        raise UserError(f"params: expected a list of {len(names)}, found {_kind(params)}")
    if not params and names:
        log.warning("params of %s are empty: its defaults are used", transform)
    elif len(params) != len(names):
        raise UserError(f"params {shorten(params)}: {transform} takes {len(names)} ({', '.join(names) or 'none'})")
    for value in params:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UserError(f"params: expected numbers, found {shorten(value)}")
    if transform in ("erode", "dilate") and any(value != int(value) for value in params if abs(value) < 1e9):
        raise UserError(f"params {shorten(params)}: {transform} takes a whole radius")
    return check_settings(transform, dict(zip(names, params)))


def _channels(item, layer, generator, clusters, seed):
    """Return (indices or None, selection in words)."""
    mode, value = item["features"], item.get("feature-param")
    count = generator.channels(layer)
    if mode == "all":
        return None, ""
    if mode not in FEATURES:
        raise UserError(f"features {shorten(mode)}: expected {', '.join(FEATURES)}")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise UserError(f"feature-param {shorten(value)}: expected {'a share 0 to 1' if mode == 'random' else 'a cluster number'}")
    if mode == "random":
        if not 0 <= value <= 1:
            raise UserError(f"feature-param {value:g}: expected a share 0 to 1")
        return draw_channels(value, count, seed), f"random:{value:g}:{seed}"
    if clusters is None:
        raise UserError("features cluster: no clusters are loaded; name a cluster file")
    if abs(value) >= 1e9:
        raise UserError(f"feature-param {value:g}: expected a cluster number")
    return cluster_channels(clusters, layer, int(value), count), f"cluster:{int(value)}"


def _kind(value) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {shorten(value)}"
