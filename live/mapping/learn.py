"""Learn: name a parameter, move a control, and the two are bound. Decides what kind of control it was that moved.

Knows events and bindings; what a binding then does, and what is kept on the disk, is elsewhere.
"""
import re
from collections import deque
from dataclasses import dataclass, field

from engine.errors import UserError
from live.mapping.binding import AT_DEVICE, CONTROLS, Binding, bound
from live.midi import relative
from live.midi.pairs import NO_NUMBER, NUMBER, VALUE
from live.show.commands import COMMANDS

ENOUGH = 4                          # messages of a control change from which its kind can be told
REMEMBERED = 100                    # what can be taken back
HOW = ("absolute", *relative.ENCODINGS, "trigger", "toggle", "momentary", "velocity")
_SPECIAL = re.compile(r"[.^$*+?{}\[\]|()\\]")


@dataclass
class Learn:
    """wanted: (address, how) still to be learned, in turn. layer: the bindings learned so far. before: earlier layers."""
    wanted: deque = field(default_factory=deque)
    layer: list = field(default_factory=list)
    before: deque = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _values: dict = field(default_factory=dict)          # of control changes: (number, value) in order, by channel and device
    _taken: set = field(default_factory=set)             # controls learned since nothing was waited for: a hand is still on them

    def begin(self, address: str, how: str | None = None):
        """Wait for a control to move. UserError: how is no way to play one."""
        if how is not None and how not in HOW:
            raise UserError(f"learn: expected one of {', '.join(HOW)}, got {how!r}")
        if how in relative.ENCODINGS and address in COMMANDS:
            raise UserError(f"learn: {how} is for parameters; a command is pressed, and {address} is one")
        if not self.wanted:
            self._taken.clear()
            self._values.clear()
        self.wanted.append((address, how))

    def cancel(self) -> list[str]:
        """Stop waiting; returns what was waited for."""
        waited = [address for address, _ in self.wanted]
        self.wanted.clear()
        self._values.clear()
        return waited

    def hears(self, event) -> bool:
        """Whether an event is of a control that could be learned now."""
        return bool(self.wanted) and event.control not in self._taken and event.control.partition(" ")[0] in CONTROLS

    def heard(self, event, parameter, bank=None) -> Binding | None:
        """The binding this event completes, None if more has to be heard. parameter: the target's, None: a command.

        UserError: its control can't be played as was wanted; another one is waited for.
        """
        control, _, device = event.control.partition(AT_DEVICE)
        kind, _, rest = control.partition(" ")
        found = (control, {}) if kind != "cc" else self._change(rest, device, event)
        if found is None or kind != "cc" and event.momentary and event.value == 0.0:      # a release
            return None
        control, more = found
        if self._named(control, device) in self._taken:
            self._settle()
            return None
        address, how = self.wanted[0]
        binding = bound(control=control, to=address, **self._options(control, parameter, how, more), bank=bank,
                        **({"device": pattern(device)} if device else {}))
        self.wanted.popleft()
        self._taken |= {self._named(part, device) for part in (control, *parts(control))}
        self._settle()
        self.keep(binding)
        return binding

    @staticmethod
    def _named(control, device):
        return control + AT_DEVICE + device if device else control

    def _settle(self):
        """What was heard so far has been made use of; which parameter number was chosen stands."""
        self._values = {key: list(dict(pair for pair in heard if pair[0] in NUMBER).items()) for key, heard in self._values.items()}

    def _change(self, rest, device, event):
        """What a control change is part of, and what is known of it; None: more has to be heard."""
        channel, number = (int(part) for part in rest.split("/"))
        heard = self._values.setdefault((channel, device), [])
        heard.append((number, round(event.value * 127)))
        chosen = dict(pair for pair in heard if pair[0] in NUMBER)
        if number in (*NUMBER, *NO_NUMBER):
            return None
        if number in VALUE and len(chosen) == len(NUMBER):
            return f"nrpn {channel}/{chosen[99] << 7 | chosen[98]}", {}
        values = [value for n, value in heard if n == number]
        other = number + 32 if number < 32 else number - 32
        alternating = sum(n == other for n, _ in heard[-2 * ENOUGH:]) >= ENOUGH // 2 if 0 <= other < 64 else False
        if alternating and len(values) >= ENOUGH // 2:
            return f"cc14 {channel}/{min(number, other)}", {}
        if len(values) >= 2 and set(values) == {0, 127}:
            return f"cc {channel}/{number}", {"button": True}
        if len(values) < ENOUGH or alternating:
            return None
        return f"cc {channel}/{number}", {"relative": relative.guessed(values)}

    def _options(self, control, parameter, how, more):
        pressed = control.split(" ")[0] in ("note", "program", "key") or more.get("button")
        if how in relative.ENCODINGS:
            return {"relative": how}
        if how not in (None, "absolute"):
            return {"mode": how}
        if how is None and pressed and parameter is not None:
            return {"step": 1.0} if parameter.choices else {"mode": "toggle"}
        if how is None and parameter is not None and more.get("relative"):
            return {"relative": more["relative"]}
        return {}

    # -- what was learned

    def keep(self, binding: Binding):
        """Add a binding, in the place of what the same control did in the same bank."""
        self.replace([*(b for b in self.layer if same_control(b) != same_control(binding)), binding])

    def forget(self, address: str) -> int:
        """Take away what was learned for an address; returns how many bindings that were."""
        kept = [b for b in self.layer if b.to != address]
        gone = len(self.layer) - len(kept)
        if gone:
            self.replace(kept)
        return gone

    def replace(self, layer):
        self.before.append(self.layer)
        self.layer = layer

    def undo(self) -> bool:
        """Back to what was learned before; whether there was anything."""
        if not self.before:
            return False
        self.layer = self.before.pop()
        return True


def parts(control: str) -> tuple[str, ...]:
    """The control changes that a 14-bit control alone is made of."""
    kind, _, rest = control.partition(" ")
    if kind != "cc14":
        return ()
    channel, number = rest.split("/")
    return f"cc {channel}/{number}", f"cc {channel}/{int(number) + 32}"


def same_control(binding):
    """What two bindings share of which the later one takes the other's place."""
    return binding.control, binding.device, binding.bank


def pattern(device: str) -> str:
    """The regular expression that this device's name matches, and no other's."""
    return "^" + _SPECIAL.sub(r"\\\g<0>", device) + "$"


def named_by(pattern: str) -> str:
    """The name of the device that pattern() was made for."""
    return re.sub(r"\\(.)", r"\1", pattern[1:-1])


def target(address, scene):
    """The parameter or command to learn. UserError: there is no such."""
    if not isinstance(address, str):
        raise UserError(f"learn: expected an address such as /truncation, got {address!r}")
    if address not in COMMANDS and scene.parameter(address).size:
        raise UserError(f"{address} takes several numbers, a control gives one")
    return address
