"""The commonest events in their quickest form: numbers sent over OSC straight to a parameter's address.

A show driven by TouchDesigner hears thousands of them a second, between two frames. Knows addresses and parameters;
which controls are bound to something else is Mapping's business.
"""
from collections.abc import Mapping
from math import isfinite

from live.osc.address import NORMALIZED
from live.show.events import Change

OSC = "osc "
NUMBERS = (float, int)


class Faders:
    """Remembers which parameter a control means, for one set of parameters."""

    def __init__(self):
        self._parameters: Mapping = {}
        self._meant: dict[str, tuple] = {}

    def translate(self, events, parameters, unbound) -> list | None:
        """Return the changes that the events of a frame mean, the newest of each parameter. None if any of them is more than a number for a parameter,
        from a control that is `unbound`.
        """
        if parameters is not self._parameters:
            self._parameters, self._meant = parameters, {}
        newest, meant = {}, self._meant
        for control, value, momentary, _ in events:
            address, normalized = meant.get(control) or self._find_meaning(control)
            if address is None or momentary or control not in unbound or type(value) not in NUMBERS:
                return None
            newest[address] = value if normalized is None or not isfinite(value) else normalized.plain(value)
        return [Change(address, value) for address, value in newest.items()]

    def _find_meaning(self, control):
        """Return (address, parameter if values are 0..1 else None); address None: not for us."""
        name = control.removeprefix(OSC)
        address = name.removeprefix(NORMALIZED) if name.startswith(NORMALIZED + "/") and name not in self._parameters else name
        parameter = self._parameters.get(address)
        if parameter is None or parameter.size or not control.startswith(OSC):
            return None, None
        self._meant[control] = address, None if address == name else parameter
        return self._meant[control]
