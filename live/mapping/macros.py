"""Macros: eight parameters, each of which moves others. A player of the loop; knows no controls.

A preset holds where a macro stands and what its targets were set to; which targets it has is the mapping's. What moves
a macro moves its targets: hands, gestures, modulators. A recall or a morph sets everything itself.
"""
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from engine.modulation import modulate
from engine.parameter import Parameter
from engine.scene import Scene
from live.files.config import Model
from live.mapping import curves
from live.show.events import Change
from live.show.parameters import MACRO_PARAMETERS, MACROS

Part = Annotated[float, Field(ge=0.0, le=1.0)]


class Target(Model):
    """A parameter that a macro moves. range: where in its normalized range the macro's ends put it."""
    to: str
    range: tuple[Part, Part] = Field((0.0, 1.0), strict=False)
    curve: curves.CurveName = "linear"
    inverse: bool = False

    @field_validator("to")
    @classmethod
    def _to(cls, address):
        if not address.startswith("/") or address in MACRO_PARAMETERS:
            raise ValueError(f"expected a parameter's address such as /truncation, and no macro's, got {address!r}")
        return address

    @model_validator(mode="after")
    def _rises(self):
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range expected [low, high] with low below high, got {list(self.range)}; inverse: true turns it round")
        return self

    def map_position(self, position: float, parameter: Parameter):
        """Return the plain value with the macro at this position."""
        return parameter.clamp(parameter.plain(curves.place(position, self.range, self.curve, self.inverse)))


class Macro(Model):
    """What a mapping file says of a macro."""
    macro: int = Field(ge=1, le=MACROS)
    name: str = ""
    to: list[Target] = []


def check_once(macros: list[Macro]) -> list[Macro]:
    """Return what a file says of macros. ValueError: of one of them twice."""
    for n, macro in enumerate(macros):
        if macro.macro in [other.macro for other in macros[:n]]:
            raise ValueError(f"macro {macro.macro} is given twice; one entry may have several targets")
    return macros


class Macros:
    """show: the Show it plays in; its mapping has .macros ({number: Macro})."""

    def __init__(self, show):
        self.show, self._done = show, {}

    def play(self, tick) -> list:
        """Return what became of macros that gestures or other players moved in the frame before."""
        show, scene = self.show, modulate(self.show.scene, self.show.motion)
        values = {address: scene[address] for address in MACRO_PARAMETERS}
        placed = any(isinstance(item, Scene) for item in show.applied) or bool(show.recall and show.recall.leading)
        turned = [] if placed or not self._done else [a for a, value in values.items() if value != self._done[a]]
        self._done = values
        changes = [change for address in turned for change in move_targets(address, values[address], show.scene, show.mapping.macros)]
        return [change for change in changes if change.value != show.scene[change.address]]

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Note the macros that hands moved, whose targets the mapping has moved already. Returns nothing to apply."""
        self._done |= {item.address: self.show.scene[item.address] for item in applied
                       if isinstance(item, Change) and item.address in MACRO_PARAMETERS}
        return []


def move_targets(address: str, value, scene: Scene, macros) -> list[Change]:
    """Return the changes of a macro's targets at this value of the macro. macros: {number: Macro}."""
    macro, found = macros.get(int(address.rpartition("/")[2])), []
    for target in macro.to if macro else ():
        parameter = scene.parameters.get(target.to)
        if parameter is not None and not parameter.size:
            found.append(Change(target.to, target.map_position(MACRO_PARAMETERS[address].clamp(value), parameter)))
    return found


def label(scene: Scene, macros) -> Scene:
    """Return the scene with macros' parameters that are named and described after their targets."""
    named = {f"/macro/{n}": replace(MACRO_PARAMETERS[f"/macro/{n}"], about=_describe(macro)) for n, macro in macros.items()}
    return replace(scene, parameters=MappingProxyType(dict(scene.parameters) | named)) if named else scene


def _describe(macro):
    moves = f"moves {', '.join(target.to for target in macro.to)}" if macro.to else "moves nothing yet"
    return f"{macro.name}: {moves}" if macro.name else moves
