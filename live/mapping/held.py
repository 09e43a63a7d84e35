"""A binding as one control of one device plays it: turned, clicked or pressed. Remembers what its hand did last.

Knows one control and one target; which bindings an event is for is Mapping's business.
"""
import logging
from math import isfinite

from engine.errors import UserError
from live.mapping import macros
from live.mapping.binding import AT_DEVICE, Binding
from live.mapping.takeover import SoftTakeover
from live.midi import relative
from live.show.commands import COMMANDS
from live.show.events import Call, Change
from live.show.parameters import MACRO_PARAMETERS

log = logging.getLogger(__name__)

STEP = 1 / 127                      # of a 7-bit fader's way
SWITCHES = ("cc", "cc14", "nrpn", "bend", "pressure")        # as buttons they are pressed by passing the middle upwards


class Turn:
    """What has been heard so far in one frame. macros: {number: live.mapping.macros.Macro}."""

    def __init__(self, scene, macros=None, tell=None):
        self.scene, self.macros, self.found, self.ahead, self.called = scene, macros or {}, [], {}, False
        self.tell = tell or (lambda text, kind="": None)

    def read(self, address):
        """Return the value at an address, including what this frame has already changed."""
        return self.ahead[address] if address in self.ahead else self.scene[address]

    def change(self, address, value):
        self.ahead[address] = value
        self.found.append(Change(address, value))
        if address in MACRO_PARAMETERS and address in self.scene.parameters:
            try:
                moved = macros.move_targets(address, value, self.scene, self.macros)
            except UserError:
                return                                       # no number: the loop says so
            self.ahead |= {change.address: change.value for change in moved}
            self.found += moved

    def call(self, command, arguments, at=0.0):
        self.called = True
        self.found.append(Call(command, tuple(arguments), at))


class Held:
    """reads_scene: what it does depends on the value there is. every_counts: each event is heard, not the newest in a frame.

    armed: {target: when} of presses that wait for their second one, shared by all.
    """

    def __init__(self, binding: Binding, position: float | None = None, armed=None):
        self.binding, self.takeover, self.pressed = binding, SoftTakeover(), False
        self.takeover.position = None if position is None else binding.put(binding.position_of(position))
        self.armed = {} if armed is None else armed
        self.is_button = binding.button or binding.to in COMMANDS
        self.every_counts = self.is_button or binding.relative is not None
        waits = binding.takeover != "jump" or binding.relative is not None
        self._back: tuple | None = None                      # of a momentary that is down: (what was there, what it set)
        self.reads_scene = binding.pressing in ("toggle", "step", "momentary") if self.is_button else waits
        self._plain = binding.curve == "linear" and not binding.inverse
        self._waits = False                                  # for its value: it has been said
        self._place = self._turned = None                    # of an encoder: where it has got to, when it was turned last

    def play(self, event, turn):
        """Act on an event of its control. UserError: its target can't be turned by a control."""
        binding = self.binding
        said = binding.pick(event.value)
        if said == () and event.value != ():
            raise UserError(f"{binding.control}: argument {binding.argument} is bound, and a message came with fewer")
        if self.is_button:
            self._switch(event, said, turn)
        elif said == ():
            return
        elif isinstance(word := pick_last(said), str) and word in turn.scene.parameters[binding.to].choices:
            turn.change(binding.to, word)
        elif (position := to_number(said)) is None:
            raise UserError(f"{binding.control}: {binding.to} is turned by numbers, and {word!r} came")
        elif binding.relative:
            self._step(binding.relative, event, position, turn)
        else:
            self._move(min(max(binding.position_of(position), 0.0), 1.0), turn)

    def counts_every(self, scene) -> bool:
        """Return whether every event counts, and not only the newest of a frame: a fader that waits for pickup may pass the value on its way."""
        if self.every_counts or self.binding.takeover != "pickup":
            return self.every_counts
        held = self.takeover.held
        return held is None or self.binding.to in scene.parameters and held != scene[self.binding.to]

    def settle(self, event, turn):
        """Note that the control reports the place it was sent to, and change nothing. It has picked the value up if the value is still there."""
        parameter, position = turn.scene.parameters.get(self.binding.to), to_number(event.value)
        if not self.every_counts and parameter is not None:
            self.takeover.position = self.binding.put(self.binding.position_of(position))
            current = turn.read(self.binding.to)
            if abs(self.binding.find_position(parameter.normalized(current)) - self.binding.position_of(position)) < STEP:
                self.takeover.hold(current)

    # -- turned

    def _find_parameter(self, turn):
        parameter = turn.scene.parameters[self.binding.to]
        if parameter.size:
            raise UserError(f"{self.binding.control}: {self.binding.to} takes {parameter.size} numbers, a control gives one")
        return parameter

    def _move(self, position, turn):
        binding, parameter = self.binding, self._find_parameter(turn)
        low, high = binding.range
        current, place = turn.read(binding.to), low + position * (high - low) if self._plain else binding.put(position)
        if binding.takeover == "pickup" and not self.takeover.takes(place, parameter, current, *binding.range):
            self._wait(place, parameter, current, turn)
            return
        self._waits = False
        if binding.takeover == "scale":
            place, at = self.takeover.scale(place, parameter, current, *binding.range), place
            if place is None:
                return
        value = parameter.clamp(parameter.plain(place))
        if binding.takeover != "scale" or place == at:
            self.takeover.hold(value)
        if value != current or binding.takeover == "jump":
            turn.change(binding.to, value)

    def _wait(self, place, parameter, current, turn):
        """Say once that the control has to meet the value there is, and which way it is."""
        if not self._waits:
            self._waits, binding = True, self.binding
            way = "up" if (place < parameter.normalized(current)) != binding.inverse else "down"
            at = f"{current:.3g}" if isinstance(current, (int, float)) else current
            turn.tell(f"{binding.control.partition(AT_DEVICE)[0]} waits to pick up {binding.to}: move it {way}, to {at}", f"waits {binding.to}")

    def _step(self, encoding, event, position, turn):
        """Move the value on by an encoder's steps, from where it is. What is less than a whole step adds up."""
        binding, parameter = self.binding, self._find_parameter(turn)
        current, (low, high) = turn.read(binding.to), binding.range
        since = 1.0 if self._turned is None else event.at - self._turned
        self._turned = event.at
        way = relative.accelerate(relative.count_clicks(encoding, position), since, binding.acceleration) * binding.click * (high - low)
        here = self._place if self._place is not None and self.takeover.held == current else parameter.normalized(current)
        place = here - way if binding.inverse else here + way
        around = parameter.curve == "circular" and (low, high) == (0.0, 1.0)
        self._place = place % 1.0 if around else min(max(place, min(low, here)), max(high, here))
        value = parameter.clamp(parameter.plain(self._place))
        self.takeover.hold(value)
        if value != current:
            turn.change(binding.to, value)

    # -- pressed

    def _switch(self, event, said, turn):
        binding, value = self.binding, to_number(said)
        if value is not None and binding.own_range is not None:
            value = binding.position_of(value)
        down = value is None or value != 0               # no argument, a word: a press
        if binding.kind in SWITCHES or binding.own_range is not None:
            down = value is None or value >= 0.5
            if down == self.pressed:
                return
        elif not down and not self.pressed:
            return                                       # a release of what was pressed before this was bound
        self.pressed = down
        if down and binding.confirm and not self._confirm(event):
            return
        if binding.to in COMMANDS:
            if down:
                turn.call(binding.to, _make_arguments(binding, event), event.at)
        else:
            self._press(down, value, turn)

    def _confirm(self, event):
        """Return whether this is the second press in time; any control with the same target counts as the first."""
        binding = self.binding
        first = self.armed.pop(binding.to, None)
        if first is not None and event.at - first <= binding.confirm:
            return True
        self.armed[binding.to] = event.at
        log.warning("%s: once more within %g s for %s", binding.control, binding.confirm, binding.to)
        return False

    def _press(self, down, value, turn):
        binding, mode = self.binding, self.binding.pressing
        parameter = self._find_parameter(turn)
        current = turn.read(binding.to)
        if not down:
            back, self._back = self._back, None
            if back and current == back[1]:                  # else somebody else has moved it meanwhile
                turn.change(binding.to, back[0])
            return
        on = parameter.plain(binding.put(1.0)) if binding.value is None else parameter.clamp(binding.value)
        if mode == "toggle":
            off = parameter.plain(binding.put(0.0))
            here, away = parameter.normalized(current), parameter.normalized
            on = off if current == on or abs(here - away(on)) < abs(here - away(off)) else on
        elif mode == "velocity":
            on = parameter.plain(binding.put(min(1.0 if value is None else value, 1.0)))
        elif mode == "step":
            on = _step_on(binding, parameter, current)
        elif mode == "momentary" and self._back is None:
            self._back = current, on
        turn.change(binding.to, on)


def pick_last(value):
    """Return what counts of an event's value: the last number of several, else the last word; None if there is nothing."""
    if not isinstance(value, tuple):
        return value
    return next((item for item in reversed(value) if to_number(item) is not None), value[-1] if value else None)


def to_number(value):
    """Return the number in an event's value, written out or not, the last of several; None if there is none."""
    if isinstance(value, tuple):
        value = pick_last(value)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, (int, float)) and isfinite(value) else None


def _make_arguments(binding, event):
    """Return the arguments a command is called with: the binding's own, else the number of the program change, else those that came by OSC."""
    counts = binding.kind == "program" and "/" not in binding.control        # any program: which one is the argument
    if binding.arguments or binding.kind != "osc" and not counts:
        return binding.arguments
    if counts:
        return [int(event.control.partition(AT_DEVICE)[0].rpartition("/")[2])]
    return event.value if isinstance(event.value, tuple) else (event.value,)


def _step_on(binding, parameter, current):
    """Return the value one step on: choices and angles go round, all else stops at the ends of the binding's range."""
    if parameter.choices:
        return parameter.choices[(parameter.choices.index(current) + round(binding.step)) % len(parameter.choices)]
    value = current + binding.step
    if parameter.curve == "circular":
        return parameter.clamp(value)
    low, high = (parameter.plain(end) for end in binding.range)
    return parameter.clamp(min(max(value, low), high))
