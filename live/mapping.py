"""Turn what hands did into what the instrument hears. No I/O, no clock, no tensors.

MIDI and keys act through bindings (live/binding.py). OSC reaches every parameter and command by its address, and
through bindings as well. Of a fader the newest value in a frame counts; of a button, every press.
"""
import logging
import math

from engine.errors import UserError
from live import binding as files
from live.binding import AT_DEVICE, Binding
from live.commands import COMMANDS, fires
from live.events import Call, Change
from live.faders import Faders
from live.osc_address import NORMALIZED, is_pattern, matches, spelled
from live.pairs import Pairs
from live.takeover import Grip

log = logging.getLogger(__name__)

REMEMBERED = 4096                   # controls known to be bound to nothing
SWITCHES = ("cc", "cc14", "bend", "pressure")        # as buttons they are pressed by passing the middle upwards
PROGRAMS = [Binding(control=f"program {channel}", to="/preset/recall") for channel in range(1, 17)]


class Held:
    """A binding as one control of one device plays it. reads_scene: what it does depends on the value there is."""

    def __init__(self, binding: Binding):
        self.binding, self.grip, self.pressed = binding, Grip(), False
        self.is_button = binding.button or binding.to in COMMANDS
        self.reads_scene = binding.pressing in ("toggle", "step") if self.is_button else binding.takeover == "pickup"


class Turn:
    """What has been heard so far in one frame."""

    def __init__(self, scene):
        self.scene, self.found, self.ahead, self.called = scene, [], {}, False

    def value(self, address):
        """The value at an address, with what this frame has already changed."""
        return self.ahead[address] if address in self.ahead else self.scene[address]

    def change(self, address, value):
        self.ahead[address] = value
        self.found.append(Change(address, value))

    def call(self, command, arguments):
        self.called = True
        self.found.append(Call(command, tuple(arguments)))


class Mapping:
    """layers: lists of bindings, one a file. For one control of one device the last layer that binds it decides, and
    all its bindings there act. stats: told of OSC messages nothing is called by (live.osc_stats.Stats), or None.
    """

    def __init__(self, layers=(), stats=None):
        self.layers, self.stats = [PROGRAMS, *layers], stats
        self.pairs = Pairs({b.control for layer in self.layers for b in layer if b.kind == "cc14"})
        self._held, self._unbound, self._later = {}, set(), []
        self._armed, self._said, self._faders = {}, set(), Faders()

    @classmethod
    def load(cls, paths=(), stats=None):
        """The mapping of these files, over the ones that are always there. UserError: what is wrong where."""
        return cls([files.load(path) for path in (*files.DEFAULTS, *paths)], stats)

    def heard(self, events, scene) -> list:
        """Events of one frame -> the changes and calls they mean, in order; an event that calls before it may give
        a meaning to is among them, to be heard again once they are done.
        """
        if not events and not self._later and not self.pairs.waiting:
            return []
        if not self._later and not self.pairs.waiting and (found := self._faders.changes(events, scene.parameters, self._unbound)) is not None:
            return found
        events = newest(self._later + self.pairs.joined(events), lambda control: self._every_counts(control, scene))
        self._later, turn = [], Turn(scene)
        for event in events:
            held = self._bound(event.control)
            if turn.called and any(h.reads_scene for h in held):
                self._later.append(event)             # the command will change the scene: see what is there next frame
                continue
            try:
                self._event(event, held, turn)
            except UserError as error:
                self._say(str(error))
        return turn.found

    def _event(self, event, held, turn):
        kind, _, rest = event.control.partition(" ")
        for h in held:
            self._play(h, event, turn)
        if kind == "osc" and not held:
            if turn.called and rest not in turn.scene.parameters and rest not in COMMANDS:
                turn.found.append(event)              # of a bend, say, that a command before it brings: heard again after it
            else:
                self._direct(rest, event.value, turn)
        elif kind == "device":
            self._forget(rest)

    # -- which bindings an event is for

    def _bound(self, control) -> list:
        """What is bound to a control of a device; the same objects every time, for they remember."""
        if control in self._held:
            return self._held[control]
        if control in self._unbound:
            return []
        found = self._search(control)
        if found:
            self._held[control] = found
            return found
        if len(self._unbound) >= REMEMBERED:
            self._unbound.clear()
        self._unbound.add(control)
        return []

    def _search(self, control):
        name, _, device = control.partition(AT_DEVICE)
        pair, _ = self.pairs.parts.get(name, (None, True))
        for layer in reversed(self.layers):
            mine = [b for b in layer if b.hears(device or None)]
            found = [b for b in mine if b.control == name or b.kind == "program" and name.startswith(b.control + "/")]
            if found or any(b.control == pair for b in mine):    # part of a 14-bit pair is nothing by itself
                exact = [b for b in found if b.control == name]
                return [Held(b) for b in exact or found]
        return []

    def _forget(self, device):
        """A device has come or gone: its faders may have been moved unseen."""
        for control, held in self._held.items():
            if control.endswith(AT_DEVICE + device):
                for h in held:
                    h.grip.forget()

    def _every_counts(self, control, scene):
        """Whether each event of a control is heard, not only the newest in a frame."""
        held = self._bound(control)
        if held:
            return any(h.is_button for h in held)
        address = control[4:]
        return control.startswith("osc ") and address not in scene.parameters and not address.startswith(NORMALIZED + "/")

    # -- bindings

    def _play(self, h, event, turn):
        binding = h.binding
        if binding.to not in COMMANDS and binding.to not in turn.scene.parameters:
            self._say(f"{binding.control}: there is no {binding.to} now; the binding does nothing")
        elif h.is_button:
            self._button(h, event, turn)
        elif (position := _number(event.value)) is not None:
            self._turned(h, min(max(position, 0.0), 1.0), turn)
        elif event.value != ():
            turn.change(binding.to, event.value)      # a choice by its name

    def _turned(self, h, position, turn):
        binding, parameter = h.binding, turn.scene.parameters[h.binding.to]
        if parameter.size:
            raise UserError(f"{binding.control}: {binding.to} takes {parameter.size} numbers, a control gives one")
        current, place = turn.value(binding.to), binding.at(position)
        if binding.takeover == "pickup" and not h.grip.takes(place, parameter, current, *binding.range):
            return
        value = parameter.clamp(parameter.plain(place))
        h.grip.hold(value)
        if value != current or binding.takeover == "jump":
            turn.change(binding.to, value)

    def _button(self, h, event, turn):
        number = _number(event.value)
        down = number is None or number != 0          # no argument, a word: a press
        if h.binding.kind in SWITCHES:
            down = number >= 0.5
            if down == h.pressed:
                return
            h.pressed = down
        if down and h.binding.confirm and not self._confirmed(h.binding, event):
            return
        if h.binding.to in COMMANDS:
            if down:
                turn.call(h.binding.to, _arguments(h.binding, event))
        else:
            self._pressed(h.binding, down, number, turn)

    def _confirmed(self, binding, event):
        """Whether this is the second press in time; any control with the same target counts as the first."""
        first = self._armed.pop(binding.to, None)
        if first is not None and event.at - first <= binding.confirm:
            return True
        self._armed[binding.to] = event.at
        log.warning("%s: once more within %g s for %s", binding.control, binding.confirm, binding.to)
        return False

    def _pressed(self, binding, down, number, turn):
        parameter, mode = turn.scene.parameters[binding.to], binding.pressing
        if not down:
            if mode == "momentary":
                turn.change(binding.to, parameter.plain(binding.at(0.0)))
            return
        current = turn.value(binding.to)
        on = parameter.plain(binding.at(1.0)) if binding.value is None else parameter.clamp(binding.value)
        if mode == "toggle":
            off = parameter.plain(binding.at(0.0))
            here, away = parameter.normalized(current), parameter.normalized
            on = off if current == on or abs(here - away(on)) < abs(here - away(off)) else on
        elif mode == "velocity":
            on = parameter.plain(binding.at(min(1.0 if number is None else number, 1.0)))
        elif mode == "step":
            on = _stepped(binding, parameter, current)
        turn.change(binding.to, on)

    # -- OSC without a binding

    def _direct(self, address, value, turn):
        parameters = turn.scene.parameters
        if address in parameters or address in COMMANDS:
            names = [address]
        else:
            names = spelled(address, parameters)
            if not names and not is_pattern(address):            # a wildcard never calls a command
                names = matches(address, COMMANDS)
        for name in names:
            if name in COMMANDS and name not in parameters:
                arguments = value if isinstance(value, tuple) else (value,)
                if fires(arguments):
                    turn.call(name, arguments)
            elif value != ():
                self._set(name, value, parameters, turn)
        if (not names or value == () and names[0] not in COMMANDS) and self.stats is not None:
            self.stats.unknown(address, value)

    def _set(self, name, value, parameters, turn):
        """A parameter by its address or by its 0..1 twin."""
        plain = name if name in parameters else name.removeprefix(NORMALIZED)
        parameter = parameters[plain]
        if isinstance(value, tuple) and not parameter.size:
            value = value[-1]
        if plain is not name and not parameter.size and (number := _number(value)) is not None and math.isfinite(number):
            value = parameter.plain(number)
        turn.change(plain, value)

    def _say(self, text):
        """Log a complaint once."""
        if text not in self._said and len(self._said) < 1000:
            self._said.add(text)
            log.warning("%s", text)


def newest(events, every_counts=lambda control: False) -> list:
    """Drop the values that a later one of the same control overtakes; keep the order, and every press."""
    every, kept = {}, []
    for event in reversed(events):
        control = event.control
        if control not in every:
            every[control] = every_counts(control)
            kept.append(event)
        elif event.momentary or every[control]:
            kept.append(event)
    return kept[::-1]


def _number(value):
    """The number in an event's value, the last of several; None if there is none."""
    if isinstance(value, tuple):
        value = value[-1] if value else None
    return float(value) if isinstance(value, (int, float)) else None


def _arguments(binding, event):
    """What a command is called with: what the binding says, else the program's number, else what OSC sent along."""
    counts = binding.kind == "program" and "/" not in binding.control        # any program: which one is the argument
    if binding.arguments or binding.kind != "osc" and not counts:
        return binding.arguments
    if counts:
        return [int(event.control.partition(AT_DEVICE)[0].rpartition("/")[2])]
    return event.value if isinstance(event.value, tuple) else (event.value,)


def _stepped(binding, parameter, current):
    """The value one step on: choices and angles go round, all else stops at the ends of the binding's range."""
    if parameter.choices:
        return parameter.choices[(parameter.choices.index(current) + round(binding.step)) % len(parameter.choices)]
    value = current + binding.step
    if parameter.curve == "circular":
        return parameter.clamp(value)
    low, high = (parameter.plain(end) for end in binding.range)
    return parameter.clamp(min(max(value, low), high))
