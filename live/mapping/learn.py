"""Learn: name a parameter, move a control, and the two are bound. Decides what kind of control it was that moved.

What has travelled is learned, not what twitched, and a button once it is let go: touching a fader presses one as well, and then the
fader moves (live/mapping/travel.py). Knows events and bindings; what a binding then does, and what is kept on the disk, is elsewhere.
"""
from collections import deque
from dataclasses import dataclass, field

from engine.errors import UserError
from live.mapping.binding import AT_DEVICE, Binding, make_binding
from live.mapping.learned import Learned, escape_device
from live.mapping.travel import FAR, Ways, guess_range
from live.mapping.words import WORDS
from live.midi import relative
from live.midi.pairs import NO_NUMBER, NUMBER, VALUE
from live.show.commands import COMMANDS

ENOUGH = 4                          # messages of a control change from which its kind can be told
FEWEST = 3                          # messages of an OSC control that are a way
ARGUMENTS = 64                      # numbers of one message that may be learned; a longer one is a vector
MOST = 256                          # control changes of a channel that are looked at
PLAIN = 0.25                        # of its range: so far comes no neighbour of the control that is meant
MOVING = ("cc", "bend", "osc")      # what moves while a touch of it is held
HOW = ("absolute", *relative.ENCODINGS, "trigger", "toggle", "momentary", "velocity")


@dataclass
class Learn(Learned):
    """wanted: (address, how) still to be learned, in turn."""
    wanted: deque = field(default_factory=deque)
    _values: dict = field(default_factory=dict)          # of control changes: (number, value) in order, by channel and device
    _taken: set = field(default_factory=set)             # controls learned since nothing was waited for: a hand is still on them
    _ways: Ways = field(default_factory=Ways)
    _down: dict = field(default_factory=dict)            # what was pressed and not let go yet -> when, in the order of all that is heard
    _pings: set = field(default_factory=set)             # what spoke without a number shortly before

    def begin(self, address: str, how: str | None = None):
        """Wait for a control to move. UserError: how is no way to play one."""
        if how is not None and how not in HOW:
            raise UserError(f"learn: expected one of {', '.join(HOW)}, got {how!r}")
        if how in relative.ENCODINGS and address in COMMANDS:
            raise UserError(f"learn: {how} is for parameters; a command is pressed, and {address} is one")
        if not self.wanted:
            for found in (self._taken, self._values, self._down):
                found.clear()
            self._pings = self._ways.list_speaking()
            self._ways.wait()
        self.wanted.append((address, how))

    def cancel(self) -> list[str]:
        """Stop waiting; returns what was waited for."""
        waited = [address for address, _ in self.wanted]
        self.wanted.clear()
        self._values.clear()
        return waited

    def overhear(self, event) -> bool:
        """Note where a control is, whether one is waited for or not. True: what was learned of its range was too little, and is wider now."""
        kind = event.control.partition(" ")[0]
        if kind == "note" or kind not in WORDS:
            return False
        widened = False
        for argument, value in enumerate(event.value[:ARGUMENTS] if isinstance(event.value, tuple) else (event.value,), 1):
            if isinstance(value, (int, float)):
                way = self._ways.note(event.control, argument, float(value), event.at)
                widened = self.widen(event.control, argument, way) or widened
        if event.value == () or isinstance(event.value, str):
            self._ways.note(event.control, 0, 1.0, event.at)
        return widened

    def may_learn(self, event) -> bool:
        """Return whether an event is of a control that could be learned now; what talks by itself plays on."""
        word = WORDS.get(event.control.partition(" ")[0])
        if not self.wanted or word is None or not word.hand:
            return False
        self._spoil(event)
        return event.control not in self._taken and not self._ways.talks_by_itself(event.control)

    def _spoil(self, event):
        """Presses during which another control moves were touches of that."""
        kind, device = event.control.partition(" ")[0], event.control.partition(AT_DEVICE)[2]
        if kind not in MOVING:
            return
        for control, order in list(self._down.items()):
            same = control.partition(AT_DEVICE)[2] == device and (control.partition(" ")[0] == "osc") == (kind == "osc")
            if same and control != event.control and self._ways.has_moved_since(event.control, order):
                del self._down[control]

    def look_at(self, event, parameter, bank=None) -> Binding | None:
        """Return the binding that this event completes, None if more events are needed. parameter: the target's, None: a command. UserError: the control
        can't play the target; another one is waited for.

        UserError: its control can't be played as was wanted; another one is waited for.
        """
        control, _, device = event.control.partition(AT_DEVICE)
        found = self._identify(control, device, event, parameter)
        if found is None:
            return None
        control, more = found
        if self._name_taken(control, device, more.get("argument")) in self._taken:
            self._settle()
            return None
        address, how = self.wanted[0]
        binding = make_binding(control=control, to=address, **self._make_options(control, parameter, how, more), bank=bank,
                        **({"device": escape_device(device)} if device else {}))
        self.wanted.popleft()
        self._taken |= {self._name_taken(part, device, binding.argument) for part in (control, *split_control(control))}
        if binding.kind == "osc" and not more.get("pressed"):
            self.guessed.add((control, binding.argument))
        self._settle()
        self.keep(binding)
        return binding

    def _identify(self, control, device, event, parameter):
        """Return (the control that has moved by this event, its settings); None if more events are needed."""
        kind, _, rest = control.partition(" ")
        if kind == "note":
            return self._learn_button(event, event.value != 0.0)
        if kind == "osc":
            return self._learn_osc(control, event, parameter)
        if kind == "cc":
            return self._learn_change(rest, device, event, parameter is None)
        if kind == "pressure":
            held = any(down.partition(AT_DEVICE)[2] == device for down in self._down)      # of a key that is down
            return None if held or event.value < FAR else (control, {})
        if kind == "bend":
            return (control, {}) if self._has_travelled(event.control, 1, parameter is None) else None
        return (control, {}) if event.value != 0.0 else None

    def _learn_button(self, event, down):
        """Return a button once it is released, or once it is pressed again where it sends no release."""
        known = self._down.pop(event.control, None)
        if known is not None:
            return event.control.partition(AT_DEVICE)[0], {"pressed": True}
        if down:
            self._down[event.control] = self._ways.count_on()
        return None

    def _learn_osc(self, control, event, parameter):
        """Return an OSC control that a hand has moved. Each of its numbers is looked at by itself."""
        value = event.value
        if value == () or isinstance(value, str):            # nothing to travel: a trigger, a word
            meant = parameter is None or isinstance(value, str) and value in parameter.choices
            return (control, {"pressed": True}) if meant and control not in self._pings else None
        if not isinstance(value, tuple) and value in (0, 1):
            if value or control in self._down:
                if (found := self._learn_button(event, bool(value))) is not None:
                    return found
        else:
            self._down.pop(control, None)
        several = min(len(value), ARGUMENTS) if isinstance(value, tuple) else 1
        ways = {n: self._ways.find(control, n) for n in range(1, several + 1)}
        far = {n: way.measure_travel() for n, way in ways.items() if way is not None and way.count >= FEWEST}
        argument = max(far, key=lambda n: far[n], default=None)
        if argument is None or not self._has_travelled(control, argument, parameter is None):
            return None
        ends = guess_range(ways[argument].low, ways[argument].high)
        more = {"own_range": ends} if ends else {}
        return control, more | ({"argument": argument} if several > 1 else {})

    def _has_travelled(self, control, argument, pressed):
        """Return whether a hand has moved this one on, and more than any other. pressed: a button is waited for, and while one is down no fader counts."""
        way = self._ways.find(control, argument)
        far = way.measure_travel() if way is not None else 0.0
        if far == 0.0 or pressed and self._down:
            return False
        rival = self._ways.measure_rivals(way, lambda other: other == control or other not in self._taken and not self._is_part(other))
        return far >= 2 * rival or far >= PLAIN and far > rival

    def _is_part(self, control):
        """Return whether a control change is only the fine part of another one, or chooses a parameter number. Such values leap."""
        name, at, device = control.partition(AT_DEVICE)
        kind, _, rest = name.partition(" ")
        if kind != "cc":
            return False
        channel, number = (int(part) for part in rest.split("/"))
        if number in (*NUMBER, *NO_NUMBER, *VALUE):
            return any(n in NUMBER for n, _ in self._values.get((channel, device), ()))
        return 32 <= number < 64 and self._ways.find(f"cc {channel}/{number - 32}{at}{device}", 1) is not None

    @staticmethod
    def _name_taken(control, device, argument=None):
        """Return the name under which a learned control is remembered; with the place of the number that was learned where it sends several."""
        return f"{control}#{argument}" if argument else control + AT_DEVICE + device if device else control

    def _settle(self):
        """Forget the events that have been used. The parameter number that was chosen stays."""
        self._down.clear()
        self._ways.settle()
        self._values = {key: list(dict(pair for pair in heard if pair[0] in NUMBER).items()) for key, heard in self._values.items()}

    def _learn_change(self, rest, device, event, pressed):
        """Return (the control that a control change is part of, its settings); None if more events are needed."""
        channel, number = (int(part) for part in rest.split("/"))
        heard = self._values.setdefault((channel, device), [])
        heard.append((number, round(event.value * 127)))
        if len(heard) > MOST:                            # something talks and talks: what counts is the newest
            self._values[channel, device] = heard = [*((n, value) for n, value in heard[:-ENOUGH * 4] if n in NUMBER)][-2:] + heard[-ENOUGH * 4:]
        chosen = dict(pair for pair in heard if pair[0] in NUMBER)
        if number in (*NUMBER, *NO_NUMBER):
            return None
        if number in VALUE and len(chosen) == len(NUMBER):
            return self._learn_number(f"nrpn {channel}/{chosen[99] << 7 | chosen[98]}", device, VALUE[number], event, pressed)
        values = [value for n, value in heard if n == number]
        other = number + 32 if number < 32 else number - 32
        alternating = sum(n == other for n, _ in heard[-2 * ENOUGH:]) >= ENOUGH // 2 if 0 <= other < 64 else False
        if alternating and len(values) >= ENOUGH // 2:
            coarse = f"cc {channel}/{min(number, other)}{AT_DEVICE + device if device else ''}"
            return (f"cc14 {channel}/{min(number, other)}", {}) if self._has_travelled(coarse, 1, pressed) else None
        if len(values) >= 2 and set(values) == {0, 127}:
            return f"cc {channel}/{number}", {"button": True}
        if len(values) < ENOUGH or alternating:
            return None
        encoding = relative.guess_encoding(values)
        if encoding or self._has_travelled(event.control, 1, pressed):
            return f"cc {channel}/{number}", {"relative": encoding}
        return None

    def _learn_number(self, control, device, coarse, event, pressed):
        """Return a parameter number (NRPN) that has travelled, judged by its coarse part."""
        named = self._name_taken(control, device)
        if coarse:
            self._ways.note(named, 1, event.value, event.at)
        return (control, {}) if self._has_travelled(named, 1, pressed) else None

    def _make_options(self, control, parameter, how, more):
        """Return the settings of a binding besides its control and its target."""
        if control.startswith("osc "):
            own = {"argument": more["argument"]} if "argument" in more else {}
            own |= {"from": more["own_range"]} if "own_range" in more else {}
            return own | ({"mode": how} if how not in (None, "absolute", *relative.ENCODINGS) else {"relative": how} if how in relative.ENCODINGS else {})
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


def split_control(control: str) -> tuple[str, ...]:
    """Return the control changes that a 14-bit control consists of."""
    kind, _, rest = control.partition(" ")
    if kind != "cc14":
        return ()
    channel, number = rest.split("/")
    return f"cc {channel}/{number}", f"cc {channel}/{int(number) + 32}"


def find_target(address, scene):
    """Return the parameter or command to learn. UserError: there is no such."""
    if not isinstance(address, str):
        raise UserError(f"learn: expected an address such as /truncation, got {address!r}")
    if address not in COMMANDS and scene.parameter(address).size:
        raise UserError(f"{address} takes several numbers, a control gives one")
    return address
