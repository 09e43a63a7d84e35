"""Modulators: what they are put on, how far each has got, and the scene as they leave it. No clock, no tensors.

A modulator moves a parameter to and fro around the value that hands and presets have set, which stays what it was: the
scene holds the setting, Motion holds how far each modulator has got, and modulate() is what is drawn from.
"""
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from engine.errors import UserError
from engine.modulators import SHAPES, How
from engine.names import check_name
from engine.parameter import Parameter

PARAMETERS = {
    "shape": Parameter("sine", choices=tuple(SHAPES), about="how it moves; an envelope follows another parameter"),
    "rate": Parameter(0.25, 0.01, 30.0, curve="log", unit="Hz", about="cycles a second, where unit is hz"),
    "beats": Parameter(4.0, 0.0625, 128.0, curve="log", unit="beats", about="how long a cycle takes, where unit is beats"),
    "unit": Parameter("hz", choices=("hz", "beats"), about="what the cycle is counted in"),
    "depth": Parameter(0.25, -1.0, 1.0, about="how far from the value set, in shares of its parameter's range; negative turns it over"),
    "offset": Parameter(0.0, -1.0, 1.0, about="moves its middle, in shares of the range"),
    "phase": Parameter(0.0, 0.0, 1.0, curve="circular", unit="cycles", about="so much further on in its cycle"),
    "polarity": Parameter("both", choices=("both", "up", "down"), about="to both sides of the value set, only above or only below"),
    "mute": Parameter(0.0, step=1, about="1 silences it; its depth stays where it is"),
    "attack": Parameter(0.05, 0.0, 10.0, curve="square", unit="s", about="an envelope's way up"),
    "release": Parameter(0.5, 0.0, 30.0, curve="square", unit="s", about="an envelope's way down"),
    "floor": Parameter(0.0, 0.0, 0.99, about="what is below it in the parameter followed counts as silence; hits have to pass it"),
    "curve": Parameter(1.0, 0.25, 4.0, curve="log", about="how what is followed counts: above 1 only what is loud does, below 1 what is soft does as well"),
    "places": Parameter((), 0.0, 1.0, size=32, about="where a stepper goes, one after the other, in shares of its depth; empty = where nobody chose"),
}
DEFAULTS = tuple(p.default for p in PARAMETERS.values())      # read in this order
FIXED = ("/output", "/quality", "/tempo", "/audio", "/deck", "/set", "/timecode",            # what nothing but a hand or the show moves
         "/source/signal", "/source/picture", "/source/seen")
HELD = 0.5                          # seconds after a touch in which the hand has the parameter to itself
SHUT, OPEN = 0.1, 0.5               # seconds a modulator takes to let go of a parameter, and to come back


@dataclass(frozen=True)
class Modulator:
    """target: the address of the parameter it moves. source: of the one that an envelope follows."""
    name: str
    target: str
    source: str = ""

    def parameters(self) -> dict[str, Parameter]:
        """Return the parameters that can be turned on it, by address."""
        return {self.address(setting): parameter for setting, parameter in PARAMETERS.items()}

    def address(self, setting: str) -> str:
        return f"/modulators/{self.name}/{setting}"

    def to_dict(self) -> dict:
        """Return the modulator as plain data for a preset, which from_dict() reads."""
        return {"name": self.name, "target": self.target} | ({"source": self.source} if self.source else {})

    @classmethod
    def from_dict(cls, data) -> "Modulator":
        """Return the modulator that plain data describes; UserError says what in it is wrong."""
        if not isinstance(data, dict) or not {"name", "target"} <= data.keys() <= {"name", "target", "source"}:
            raise UserError(f"a modulator: expected name, target and perhaps source, got {data!r}")
        name = check_name(data["name"])
        for key in ("target", "source"):
            if not isinstance(data.get(key, ""), str):
                raise UserError(f"modulator {name!r}: {key}: expected an address, got {data[key]!r}")
        if _fix(data["target"]):
            raise UserError(f"modulator {name!r}: {data['target']} is not for modulators")
        return cls(name, data["target"], data.get("source", ""))


# How far a modulator has got: (name, cycles, an envelope's level 0..1, how much of it is let through 0..1, the beat then).
# Those that count in beats go on from the beat they were left at, so that a preset's are in step when they come back.
State = tuple[str, float, float, float, float]


def is_allowed(address: str, parameter: Parameter) -> bool:
    """Return whether a modulator can be put on a parameter."""
    return not parameter.size and not _fix(address)


def _fix(address) -> bool:
    return any(address == prefix or address.startswith(prefix + "/") for prefix in FIXED)


def apply_modulators(scene, states, dt: float = 0.0, beat: float | None = None, held=()) -> tuple[tuple[State, ...], object]:
    """Return (the states dt seconds later, at this beat; the scene as the modulators then leave it). No beat: as they are.

    held: addresses that hands have to themselves.
    """
    if not scene.modulators:
        return (), scene
    before = {state[0]: state for state in states}
    moved: dict[str, float] = {}
    after = []
    for line, settings in _settings(scene):
        if line.modulated:
            settings = _modulate_settings(scene, line, moved)
        state = before.get(line.name) or (line.name, 0.0, 0.0, 0.0, 0.0)
        if beat is not None:
            step = dt * settings.hz + (beat - state[4]) * settings.per_beat
            state = _advance(line, settings, state, dt, beat, held)
            if settings.follows and dt:
                state = _follow(line, settings, state, scene, moved, dt, step)
        after.append(state)
        _, at, level, open, _ = state
        signal = 2.0 * level - 1.0 if settings.follows else settings.function(at + settings.phase, line.seed)
        if by := open * (settings.gain * signal + settings.middle):
            moved[line.target] = moved.get(line.target, 0.0) + by
    return tuple(after), _move(scene, moved)


def modulate(scene, motion):
    """Return the scene as its modulators leave it at this moment; itself where it has none."""
    if not scene.modulators:
        return scene
    before, states, after = motion.played or (None, None, None)
    if before is scene and states is motion.modulators:             # advance() has just worked it out
        return after
    return apply_modulators(scene, motion.modulators)[1]


def carry_states(states, played, target) -> tuple[State, ...]:
    """Return the states for another scene: a modulator goes on from the one of `played` that did the same under its name."""
    found = []
    for modulator in target.modulators:
        names = [m.name for m in played.modulators if (m.target, m.source) == (modulator.target, modulator.source)]
        wanted = modulator.name if modulator.name in names else next(
            (name for name in names if name.rstrip("+") == modulator.name.rstrip("+")), modulator.name)
        found += [(modulator.name, *state[1:]) for state in states if state[0] == wanted]
    return tuple(found)


class Line(NamedTuple):
    """A modulator, ready to be read every frame. modulated: another one is put on it."""
    name: str
    target: str
    source: str
    addresses: tuple[str, ...]
    modulated: bool
    seed: int


class Settings(NamedTuple):
    """A modulator's settings as they are worked with: it moves its target by gain * signal + middle."""
    function: Callable
    follows: bool
    remembers: bool
    hz: float
    per_beat: float
    gain: float
    middle: float
    phase: float
    mute: float
    attack: float
    release: float
    floor: float
    curve: float
    places: tuple

    @classmethod
    def of(cls, values):
        """Return the settings for the values of PARAMETERS, in their order."""
        shape, rate, beats, unit, depth, offset, phase, polarity, *rest = values
        half, by_beats = 0.5 * depth, unit == "beats"
        gain, middle = {"both": (depth, 0.0), "up": (half, half), "down": (half, -half)}[polarity]
        how = SHAPES[shape]
        return cls(how.function, how.follows, how.remembers, 0.0 if by_beats else rate, 1.0 / beats if by_beats else 0.0,
                   gain, middle + offset, phase, *rest)


def _settings(scene) -> tuple[tuple[Line, Settings], ...]:
    """Return the modulators and their settings."""
    lines, addresses = _arrange(scene.modulators)
    return _add_settings(lines, tuple(map(scene.values.get, addresses)))


@lru_cache(maxsize=16)              # nearly always those of the frame before
def _add_settings(lines, values) -> tuple[tuple[Line, Settings], ...]:
    """Return each line with its settings; values: those of all lines in their order, None = the default."""
    count = len(DEFAULTS)
    own = (values[i * count:(i + 1) * count] for i in range(len(lines)))
    return tuple((line, Settings.of(default if value is None else value for value, default in zip(some, DEFAULTS)))
                 for line, some in zip(lines, own))


def _modulate_settings(scene, line, moved) -> Settings:
    """Return the settings as the modulators before this one have left them."""
    return Settings.of(_place(scene, a, moved[a]) if a in moved else scene.values.get(a, default)
                    for a, default in zip(line.addresses, DEFAULTS))


@lru_cache(maxsize=64)
def _arrange(modulators) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """Return the modulators as lines, and the addresses of all their settings.

    In such an order that each comes after those that move what it reads; a ring of them is broken where it began.
    """
    ordered, seen = [], set()
    own = {m: frozenset(m.address(setting) for setting in PARAMETERS) for m in modulators}

    def place(m):
        if m in seen:
            return
        seen.add(m)
        for other in modulators:
            if other.target in own[m] or other.target == m.source:
                place(other)
        ordered.append(m)

    for m in modulators:
        place(m)
    targets = {m.target for m in modulators}
    lines = tuple(Line(m.name, m.target, m.source, tuple(map(m.address, PARAMETERS)), bool(own[m] & targets),
                       zlib.crc32(m.name.encode())) for m in ordered)
    return lines, tuple(address for line in lines for address in line.addresses)


def _advance(line, settings, state, dt, beat, held) -> State:
    name, at, level, open, before = state
    if not settings.remembers:
        at += dt * settings.hz + (beat - before) * settings.per_beat
    if settings.mute or line.target in held:
        open = max(0.0, open - dt / SHUT)
    elif open < 1.0:
        open = min(1.0, open + dt / OPEN)
    return name, at, level, open, beat


def _follow(line, settings, state, scene, moved, dt, step) -> State:
    """Return the state of an envelope after it has followed its source for a moment. step: cycles this moment is."""
    here = _read_source(scene, line.source, moved)
    if here is None:
        return state
    name, at, level, *rest = state
    floor = 0.0 if settings.remembers else settings.floor
    here = (min(max((here - floor) / (1.0 - floor), 0.0), 1.0)) ** settings.curve
    if settings.remembers:
        how = How(settings.attack, settings.release, settings.floor, step, settings.places, line.seed)
        at, level = settings.function(at, level, here, dt, how)
    else:
        level = settings.function(level, here, dt, settings.attack, settings.release)
    return name, at, level, *rest


def _read_source(scene, source, moved) -> float | None:
    """Return where a source is in its range, 0..1; one number of a vector is named by its place: /audio/spectrum/3. None: there is none."""
    if source in scene.parameters:
        return scene.parameters[source].normalized(scene[source]) + moved.get(source, 0.0)
    vector, place = find_vector(source, scene.parameters)
    if vector is None:
        return None
    values, parameter = scene[vector], scene.parameters[vector]
    return (values[place] - parameter.low) / (parameter.high - parameter.low) if place < len(values) else 0.0


def find_vector(address: str, parameters) -> tuple[str | None, int]:
    """Return (the vector that an address names one number of, which, from 0); None: it names none."""
    vector, _, place = address.rpartition("/")
    if vector in parameters and place.isdecimal() and int(place) < parameters[vector].size:
        return vector, int(place)
    return None, 0


def _move(scene, moved):
    """Return the scene with the moved parameters in place."""
    values = {address: _place(scene, address, by) for address, by in moved.items() if address in scene.parameters}
    return replace(scene, values=MappingProxyType(scene.values | values)) if values else scene


def _place(scene, address, by):
    """Return the parameter's plain value, moved by so much of its range."""
    parameter = scene.parameters[address]
    value = scene.values.get(address, parameter.default)
    return value if parameter.size else parameter.move(value, by)
