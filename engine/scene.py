"""A Scene is everything that decides the next picture, except time. It never changes: set() returns a new one.

A preset is a Scene in a YAML file. This module knows names and numbers, no tensors and no files.
"""
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.errors import UserError
from engine.parameter import Parameter

EMPTY: Mapping = MappingProxyType({})


@dataclass(frozen=True)
class Scene:
    """parameters: what can be turned, by address. values: what has been turned. bends: in order, engine.bending.Bend
    (their settings are parameters too: /bends/<name>/<setting>). modulators: engine.modulation.Modulator, likewise.
    """
    parameters: Mapping[str, Parameter]
    values: Mapping[str, object] = field(default_factory=lambda: EMPTY)
    bends: tuple = ()
    modulators: tuple = ()

    def __getitem__(self, address: str):
        """Return the plain value at an address."""
        if address in self.values:
            return self.values[address]
        return self.parameter(address).default

    def parameter(self, address: str) -> Parameter:
        """Return the declaration at an address; UserError naming the near ones if there is none."""
        if address not in self.parameters:
            raise UserError(f"no parameter {address!r}; {self._nearby(address)}")
        return self.parameters[address]

    def set(self, changes) -> "Scene":
        """Return a new scene with the changes in place, each clamped to its range. UserError: an unknown address or NaN."""
        return self.set_values({change.address: change.value for change in changes}) if changes else self

    def set_values(self, values: Mapping[str, object]) -> "Scene":
        """Return a new scene with {address: plain value} in place, each clamped; UserError names the address that is wrong."""
        checked = dict(self.values)
        for address, value in values.items():
            try:
                checked[address] = self.parameter(address).clamp(value)
            except UserError as error:
                raise UserError(f"{address}: {error}" if address in self.parameters else str(error)) from None
        return dataclasses.replace(self, values=MappingProxyType(checked))

    def with_bends(self, bends) -> "Scene":
        """Return a new scene with these bends; values of bends that stay are kept, those of bends that left are dropped."""
        return self._with("bends", bends)

    def with_modulators(self, modulators) -> "Scene":
        """Return a new scene with these modulators, in the same way."""
        return self._with("modulators", modulators)

    def _with(self, kind, parts):
        parts = tuple(parts)
        ours = {address: p for part in getattr(self, kind) for address, p in part.parameters().items()}
        base = {a: p for a, p in self.parameters.items() if a not in ours}
        theirs = {address: p for part in parts for address, p in part.parameters().items()}
        values = {a: v for a, v in self.values.items() if a in base or a in theirs and _same_knob(ours.get(a), theirs[a])}
        return dataclasses.replace(self, parameters=MappingProxyType(base | theirs), values=MappingProxyType(values), **{kind: parts})

    def with_parameters(self, more) -> "Scene":
        """Return a new scene that has these parameters as well, at their defaults; itself if it has them all."""
        if all(self.parameters.get(address) == parameter for address, parameter in more.items()):
            return self
        return dataclasses.replace(self, parameters=MappingProxyType(dict(sorted((self.parameters | more).items()))))

    def _nearby(self, address):
        import difflib

        near = difflib.get_close_matches(str(address), self.parameters, n=4, cutoff=0.4)
        return f"near: {', '.join(near)}" if near else f"there are {len(self.parameters)} (run_live.py --list-parameters)"


def _same_knob(old, new) -> bool:
    """Return whether two declarations differ in nothing but their default."""
    return old is not None and dataclasses.replace(old, default=new.default) == new
