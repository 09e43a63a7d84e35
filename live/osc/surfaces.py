"""Where the controls of OSC surfaces stand: what bindings with `feedback: true` have them told, at their own addresses.

Reads the newest scene and bindings from the echo's thread; knows no sockets. A control that a hand is on is left alone.
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from engine.scene import Scene
from live.mapping.held import to_number
from live.midi.devices import Led
from live.midi.feedback import STATES, TOUCHED, Shown, measure_light
from live.show.clock import now
from live.show.commands import COMMANDS

OSC = "osc "


class Bindings(Protocol):
    """What is looked at of a live.mapping.mapping.Mapping: how often its bindings changed, and what OSC controls said last."""
    version: int
    surfaces: dict


class MappedShow(Protocol):
    """What is looked at of a show."""
    mapping: Bindings
    scene: Scene


@dataclass
class Surfaces:
    """show: whose scene and mapping are looked at. standing: {address: (numbers, version of the bindings)} as they were told last."""
    show: MappedShow
    now: Callable[[], float] = now
    standing: dict = field(default_factory=dict)
    _plan: dict = field(default_factory=dict)            # control -> its bindings
    _version: int | None = None

    def look(self) -> list:
        """Find where the controls are now; returns the addresses of those that stand elsewhere than they were told."""
        mapping, scene = self.show.mapping, self.show.scene
        if mapping.version != self._version:
            self._version = mapping.version
            self._plan = plan(mapping)
        moment = self.now()
        found: dict = {}
        for control, bindings in self._plan.items():
            address, said, at = mapping.surfaces.get(control.casefold(), (control.removeprefix(OSC), (), None))
            if address in scene.parameters:
                continue
            if at is not None and moment - at < TOUCHED:
                found |= {address: self.standing[address]} if address in self.standing else {}
            elif (numbers := self._make_numbers(bindings, said)) is not None:
                found[address] = numbers, self._version
        before, self.standing = self.standing, found
        return [address for address, told in found.items() if before.get(address) != told]

    def _make_numbers(self, bindings, said):
        """Return the arguments of the feedback for a control: those the hand last sent, with the bound value in its place."""
        told = list(said)
        for binding in bindings:
            at = STATES.get(binding.to) if binding.to in COMMANDS else binding.to
            position = measure_light(Shown(binding.control, binding, Led(binding.control), at), self.show.scene, self.show)
            if position is None:
                return None
            place = (binding.argument or _find_last(told)) - 1
            told += [0.0] * (place + 1 - len(told))
            told[place] = binding.value_at(position)
        return tuple(float(item) if isinstance(item, (bool, int)) else item for item in told)


def plan(mapping) -> dict:
    """Return {control: bindings} of the OSC controls that are told where they stand, as the bindings are now."""
    found: dict[str, list] = {}
    seen: set[str] = set()
    for layer in (mapping.learn.layer, *reversed(mapping.layers)):
        mine = [b for b in layer if b.kind == "osc" and b.control not in seen and b.bank in (None, mapping.bank)]
        for binding in mine:
            if binding.feedback:
                found.setdefault(binding.control, []).append(binding)
        seen |= {b.control for b in mine}
    return found


def _find_last(arguments) -> int:
    """Return the number, from 1, of the argument that counts where none is named: the last one that is a number."""
    return next((n for n in range(len(arguments), 0, -1) if to_number(arguments[n - 1]) is not None), len(arguments) + 1)
