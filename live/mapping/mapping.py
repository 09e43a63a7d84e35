"""Turn what hands did into what the instrument hears. No I/O, no clock, no tensors.

MIDI and keys act through bindings (live/mapping/binding.py). OSC reaches every parameter and command by its address, and
through bindings as well. Of a fader the newest value in a frame counts; of a button, every press.
"""
import logging
import math
from typing import NamedTuple

from engine.errors import UserError
from live.mapping import files
from live.mapping.binding import AT_DEVICE, Binding
from live.mapping.faders import Faders
from live.mapping.held import Held, Turn, to_number
from live.mapping.learn import Learn
from live.mapping.repeats import Repeats
from live.mapping.words import WORDS
from live.midi.pairs import Pairs
from live.osc.address import NORMALIZED, find_matches, find_spelled, is_pattern
from live.show.commands import COMMANDS, is_trigger
from live.show.parameters import MACRO_PARAMETERS

log = logging.getLogger(__name__)

REMEMBERED = 4096                   # controls known to be bound to nothing
PROGRAMS = [Binding(control=f"program {channel}", to="/preset/recall") for channel in range(1, 17)]
ECHOED = 0.5                        # seconds in which a controller may send back what it was sent
NO_HAND = -math.inf                 # the time of the last touch of a control that has only sent back values
OF_LEARN = "/midi/"                 # keys bound to these commands go on doing so while a control is learned


class Layer(NamedTuple):
    """Bindings by the name of their control, those that are of two controls or more, and how OSC controls are spelled."""
    named: dict
    pairs: list
    spellings: dict

    @classmethod
    def of(cls, bindings):
        named: dict[str, list] = {}
        for binding in bindings:
            named.setdefault(binding.control, []).append(binding)
        spellings = {control.casefold(): control for control in named if control.startswith("osc ")}
        return cls(named, [b for b in bindings if b.kind in ("cc14", "nrpn")], spellings)


class Mapping:
    """layers: lists of bindings, one a file. For one control of one device the last layer that binds it decides, and
    all its bindings there act. stats: told of OSC messages nothing is called by (live.osc.stats.Stats), or None.

    bank: which of the bindings that name one act. macros: {number: live.mapping.macros.Macro}. learn: what is learned on top.
    hands: where each control of a device was last, {control: (value, when)}. version: goes up when bindings change.
    shown: what feedback has sent lately to controls that are positions, {control: ((position, when), ...)}.
    surfaces: what OSC controls with feedback said last, {control, small letters: (address, arguments, when)}.
    tell(text, kind): tells the performer. last: the address that a hand changed last. paths: the files it was read from. profiles: those the files name.
    """

    def __init__(self, layers=(), stats=None, moves=()):
        self.layers, self.stats, self.learn = [PROGRAMS, *layers], stats, Learn()
        self.macros = {macro.macro: macro for macro in moves}
        self.bank, self.version, self.hands, self.last, self.paths = 1, 0, {}, None, ()
        self.macros_changed, self.shown, self.profiles, self.surfaces = False, {}, [], {}
        self._later, self._armed, self._said, self._down = [], {}, set(), {}
        self._faders, self._repeats, self.tell = Faders(), Repeats(), None
        self.rebind()

    @classmethod
    def load(cls, paths=(), stats=None, macros=()):
        """Return the mapping of these files, over the ones that are always loaded and an instrument's macros. UserError: what is wrong where."""
        read = [*map(files.read, files.DEFAULTS), files.Read(files.list_plays(), []), *map(files.read, paths)]
        mapping = cls([file.bindings for file in read], stats, [*macros, *(macro for file in read for macro in file.macros)])
        mapping.paths, mapping.profiles = tuple(paths), [file.profile for file in read if file.profile]
        return mapping

    @property
    def banks(self) -> int:
        """How many banks there are."""
        return max((b.bank or 1 for layer in (*self.layers, self.learn.layer) for b in layer), default=1)

    def rebind(self, bank=None):
        """Take up other bindings or another bank. Controls have to pick their values up again; what is pressed is released where it was pressed."""
        held = getattr(self, "_held", {})
        self._down |= {control: found for control, found in held.items() if any(h.pressed for h in found)}
        self.bank = bank or self.bank
        self._layers = [Layer.of(layer) for layer in (self.learn.layer, *reversed(self.layers))]      # the first decides
        self.pairs = Pairs({b.control for layer in self._layers for b in layer.pairs})
        self._held, self._unbound = {}, set()
        self.version += 1

    def binds(self, control: str) -> bool:
        """Return whether anything is bound to a control."""
        return any(control in layer.named or control.casefold() in layer.spellings for layer in self._layers)

    def list_keys(self) -> frozenset[str]:
        """Return the keys that something is bound to: what a window in another process has to know."""
        return frozenset(control for layer in self._layers for control in layer.named if control.startswith("key "))

    def translate(self, events, scene) -> list:
        """Return the changes and calls that events of one frame mean, in order, and events that calls before them give a meaning."""
        if not events and not self._later and not self.pairs.waiting:
            return []
        events = self._repeats.filter(events, lambda control: self._is_pressed(control, scene))
        if not self._later and not self.pairs.waiting and (found := self._faders.translate(events, scene.parameters, self._unbound)) is not None:
            return self._translate_direct(found, scene)
        events = keep_newest(self._later + self.pairs.join(events), lambda control: self._counts_every(control, scene))
        self._later, turn = [], Turn(scene, self.macros, self.tell)
        for event in events:
            held = self._find_bound(event.control)
            if turn.called and any(h.reads_scene for h in held):
                self._later.append(event)             # the command will change the scene: see what is there next frame
                continue
            try:
                self._translate_event(event, held, turn)
            except UserError as error:
                self._say(str(error))
        self.last = next(reversed(turn.ahead), self.last)
        return turn.found

    def _translate_direct(self, changes, scene):
        """Return what numbers sent straight to parameters mean."""
        self.last = changes[-1].address if changes else self.last
        if not any(change.address in MACRO_PARAMETERS for change in changes):
            return changes
        turn = Turn(scene, self.macros, self.tell)
        for change in changes:
            turn.change(change.address, change.value)
        return turn.found

    def _translate_event(self, event, held, turn):
        kind, _, rest = event.control.partition(" ")
        if kind in WORDS and self.learn.overhear(event):
            self.rebind()
        if self.learn.wanted and self._learn_from(event, kind, rest, held, turn.scene):
            return
        if held and AT_DEVICE in rest:
            if self.shown.get(event.control) and self._is_echo(event):
                self.hands[event.control] = event.value, NO_HAND
                for h in held:
                    h.settle(event, turn)
                return
            self.hands[event.control] = event.value, event.at
        elif kind == "osc" and any(h.binding.feedback for h in held):
            self.surfaces[event.control.casefold()] = rest, event.value if isinstance(event.value, tuple) else (event.value,), event.at
        for h in (self._down and self._find_released(event)) or held:
            self._play(h, event, turn)
        if kind == "osc" and not held:
            if turn.called and rest not in turn.scene.parameters and rest not in COMMANDS:
                turn.found.append(event)              # of a bend, say, that a command before it brings: heard again after it
            else:
                self._send_directly(rest, event.value, turn, event.at)
        elif kind == "device":
            self._forget(rest)

    def _learn_from(self, event, kind, rest, held, scene):
        """Pass an event to learning where that is on; returns whether it was used there."""
        if not self.learn.may_learn(event) or any(h.binding.to.startswith(OF_LEARN) for h in held):
            return False
        if kind == "osc" and (is_pattern(rest) or find_spelled(rest, scene.parameters) or find_matches(rest, COMMANDS)):
            return False
        parameter = scene.parameters.get(self.learn.wanted[0][0])
        binding = self.learn.look_at(event, parameter, self.bank if self.banks > 1 else None)
        if binding is not None:
            self.rebind()
            self.hands[event.control] = event.value, event.at
            of = f" of {event.control.partition(AT_DEVICE)[2]}" if binding.device else f", argument {binding.argument}," if binding.argument else ""
            log.info("learned: %s%s plays %s%s; /midi/undo takes it back, /mapping/save keeps it", binding.control, of, binding.to,
                     " from {:g} to {:g}".format(*binding.own_range) if binding.own_range else "")
        return True

    def _is_echo(self, event):
        """Return whether a motor fader only reports the position it was sent to, now or a moment ago. Any other position is a hand's."""
        sent = [(position, at) for position, at in self.shown[event.control] if event.at - at < ECHOED]
        said = next((n for n, (position, _) in enumerate(sent) if abs(position - event.value) < 0.5 / 127), len(sent))
        self.shown[event.control] = tuple(sent[said:])
        return said < len(sent)

    def _find_released(self, event):
        """Return the bindings that a release belongs to: those that got the press, even if bindings have changed since."""
        if (to_number(event.value) or 0.0) < 0.5 and (event.value == 0.0 or not event.momentary):
            return self._down.pop(event.control, None)
        return None

    # -- which bindings an event is for

    def _find_bound(self, control) -> list:
        """Return the bindings of a control of a device; the same objects every time, as they have a memory."""
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
        channel = name.partition("/")[0] if name.startswith("program ") else name      # any program of a channel
        if name.startswith("osc ") and not any(name in layer.named for layer in self._layers):       # capital letters make no difference
            name = channel = next((layer.spellings[name.casefold()] for layer in self._layers if name.casefold() in layer.spellings), name)
        for layer in self._layers:
            found = (self._filter_device(layer.named.get(name, ()), device)
                     or self._filter_device(layer.named.get(channel, ()) if channel != name else (), device))
            active = [b for b in found if b.bank in (None, self.bank)]
            if active:
                position = to_number(self.hands[control][0]) if control in self.hands else None
                return [Held(b, position, self._armed) for b in active]
            elsewhere = found and layer is not self._layers[0]       # in another bank of the same file
            if elsewhere or layer.pairs and self.pairs.is_part(name, {b.control for b in self._filter_device(layer.pairs, device)}):
                return []
        return []

    def _filter_device(self, bindings, device):
        return [b for b in bindings if b.hears(device or None)]

    def _forget(self, device):
        """Have a device's controls pick their values up again: it has come or gone, and they may have moved meanwhile."""
        self.hands = {control: hand for control, hand in self.hands.items() if not control.endswith(AT_DEVICE + device)}
        for control, held in self._held.items():
            if control.endswith(AT_DEVICE + device):
                for h in held:
                    h.takeover.forget()

    def _counts_every(self, control, scene):
        """Return whether every event of a control counts, and not only the newest in a frame."""
        if self.learn.wanted:
            return True
        held = self._held.get(control) or self._find_bound(control)
        if held:
            return any(h.counts_every(scene) for h in held)
        address = control[4:]
        return control.startswith("osc ") and address not in scene.parameters and not address.startswith(NORMALIZED + "/")

    def _is_pressed(self, control, scene) -> bool:
        """Return whether saying the same again means something: of all that turns nothing, and while a control is learned."""
        held = self._find_bound(control)
        return bool(self.learn.wanted) or (any(h.is_button for h in held) if held else not find_spelled(control[4:], scene.parameters))

    # -- bindings

    def _play(self, h, event, turn):
        binding = h.binding
        if binding.to not in COMMANDS and binding.to not in turn.scene.parameters:
            self._say(f"{binding.control}: there is no {binding.to} now; the binding does nothing")
        else:
            h.play(event, turn)

    # -- OSC without a binding

    def _send_directly(self, address, value, turn, at=0.0):
        parameters = turn.scene.parameters
        if address in parameters or address in COMMANDS:
            names = [address]
        else:
            names = find_spelled(address, parameters)
            if not names and not is_pattern(address):            # a wildcard never calls a command
                names = find_matches(address, COMMANDS)
        for name in names:
            if name in COMMANDS and name not in parameters:
                arguments = value if isinstance(value, tuple) else (value,)
                if is_trigger(arguments):
                    turn.call(name, arguments, at)
            elif value != ():
                self._set(name, value, parameters, turn)
        if (not names or value == () and names[0] not in COMMANDS) and self.stats is not None:
            self.stats.unknown(address, value, parameters)

    def _set(self, name, value, parameters, turn):
        """Set a parameter by its address or by its 0..1 twin."""
        plain = name if name in parameters else name.removeprefix(NORMALIZED)
        parameter = parameters[plain]
        if isinstance(value, tuple) and not parameter.size:
            value = value[-1]
        if plain is not name and not parameter.size and (given := to_number(value)) is not None and math.isfinite(given):
            value = parameter.plain(given)
        turn.change(plain, value)

    def _say(self, text):
        """Log a complaint once."""
        if hash(text) not in self._said and len(self._said) < 1000:
            self._said.add(hash(text))
            log.warning("%s", text)


def keep_newest(events, every_counts=lambda control: False) -> list:
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
