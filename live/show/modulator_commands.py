"""Commands that put modulators on parameters, and take them off. Knows no tensors.

Import it for its commands. Each works on the scene of the moment and returns what the loop shall apply.
"""
from dataclasses import replace

from engine.errors import UserError
from engine.modulation import Modulator, find_vector, is_allowed
from engine.modulators import SHAPES
from live.show.commands import command
from live.show.data import MOST_MODULATORS
from live.show.parameters import MASTERS, is_below


@command("/modulators/add")
def add(show, name=None, target=None, shape="sine", depth=None, source=""):
    """Put a modulator on a parameter; an envelope needs the parameter it follows: swell /truncation envelope 0.5 /audio/low."""
    if target is None:
        raise UserError("/modulators/add: expected NAME TARGET [SHAPE [DEPTH [SOURCE]]], such as: swell /truncation sine 0.2")
    scene, name = show.scene, str(name)
    if any(modulator.name == name for modulator in scene.modulators):
        raise UserError(f"there is a modulator {name!r} already; /modulators/remove it first, or choose another name")
    if len(scene.modulators) >= MOST_MODULATORS:
        raise UserError(f"there are {MOST_MODULATORS} modulators already; /modulators/remove one first")
    if shape in SHAPES:
        source = source or SHAPES[shape].source
    if shape in SHAPES and SHAPES[shape].follows and not source:
        raise UserError(f"a modulator of shape {shape} follows a parameter: /modulators/add {name} {target} {shape} DEPTH SOURCE")
    added = Modulator.from_dict({"name": name, "target": target, "source": source})
    _check_target(scene, added.target)
    _check_source(scene, added.source)
    scene = scene.with_modulators((*scene.modulators, added))
    values = {"shape": shape} | ({} if depth is None else {"depth": depth}) | ({"polarity": "up"} if source else {})
    return [scene.set_values({added.address(setting): value for setting, value in values.items()})]


@command("/modulators/remove")
def remove(show, name=None):
    """Take a modulator off."""
    gone = _find_modulator(show.scene, name)
    return [show.scene.with_modulators(m for m in show.scene.modulators if m is not gone)]


@command("/modulators/clear")
def clear(show, on=None):
    """Take all modulators off."""
    return [show.scene.with_modulators(())]


@command("/modulators/target")
def target(show, name=None, address=""):
    """Put a modulator on another parameter."""
    _check_target(show.scene, address)
    return [_change(show.scene, _find_modulator(show.scene, name), target=address)]


@command("/modulators/source")
def source(show, name=None, address=""):
    """Have an envelope follow another parameter."""
    _check_source(show.scene, address)
    return [_change(show.scene, _find_modulator(show.scene, name), source=address)]


@command("/modulators/sync")
def sync(show, name=None):
    """Start the cycle of a modulator, or of all, now; those that count in beats fall in with the beat."""
    wanted = {_find_modulator(show.scene, name).name} if isinstance(name, str) else {m.name for m in show.scene.modulators}
    scene, motion = show.scene, show.motion

    def begin(state):
        address = f"/modulators/{state[0]}/"
        at = motion.beat / scene[address + "beats"] if scene[address + "unit"] == "beats" else 0.0
        return (state[0], at, *state[2:])

    return [replace(motion, modulators=tuple(begin(s) if s[0] in wanted else s for s in motion.modulators))]


def _change(scene, modulator, **to):
    found = Modulator.from_dict(modulator.to_dict() | to)
    return scene.with_modulators(found if m is modulator else m for m in scene.modulators)


def _check_target(scene, address):
    """Raise UserError for an address that no modulator can be put on."""
    if not is_allowed(address, scene.parameter(address)) or is_below(address, MASTERS):
        raise UserError(f"{address} is not for modulators: vectors, /tempo and the masters ({', '.join(MASTERS)}) are left to hands")


def _check_source(scene, address):
    """Raise UserError for an address that no modulator can follow. One number of a vector is named by its place."""
    if not isinstance(address, str):
        raise UserError(f"expected an address to follow, got {address!r:.40}")
    if address and find_vector(address, scene.parameters)[0] is None and scene.parameter(address).size:
        raise UserError(f"{address} is {scene.parameter(address).size} numbers: name one by its place, {address}/0 and so on")


def _find_modulator(scene, name):
    for modulator in scene.modulators:
        if modulator.name == str(name):
            return modulator
    there = ", ".join(modulator.name for modulator in scene.modulators) or "none"
    raise UserError(f"no modulator {name!r}; there are: {there}")
