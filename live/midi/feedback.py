"""What controllers show: rings, lights and motor faders follow the scene. One thread a device; knows no ports.

Only what has changed is sent, and not more than a device can take; a control that a hand is on is left alone. A device
that blocks holds up nothing but its own thread, and one that fails is left in peace.
"""
import logging
import threading
from dataclasses import dataclass

from live.mapping.binding import AT_DEVICE, Binding
from live.midi import devices
from live.midi.devices import Led
from live.show.clock import now
from live.show.commands import COMMANDS
from live.show.threads import make_thread

log = logging.getLogger(__name__)

EVERY = 1 / 30                      # seconds between looks at the scene
MOST = 16                           # messages at a look
ANSWERS = 15                        # messages that a motor fader may still have to say back, besides the newest
TOUCHED = 0.3                       # seconds after a hand's last move in which its control is left alone
STATES = {"/freeze": "/output/freeze", "/blackout": "/output/blackout"}      # commands whose light shows a parameter
TURNED = ("cc", "cc14", "nrpn", "bend")


@dataclass(frozen=True)
class Shown:
    """control: as events name it, with its device. led: how it is lit. at: the parameter that decides it, or None."""
    control: str
    binding: Binding
    led: Led
    at: str | None


class Feedback:
    """Shows on a device what its controls stand for, until it is closed. port: .send(bytes), .close(); OSError: it is gone.

    show: whose scene and mapping are looked at. profile: the device's, or None.
    """

    def __init__(self, show, device: str, port, profile=None, now=now):
        self.show, self.device, self.port, self.profile, self.now = show, device, port, profile, now
        self._closing = threading.Event()
        self._plan: list[Shown] = []
        self._version = self._scene = None
        self._values: dict = {}
        self._sent: dict = {}
        self._due: dict = {}
        self._dark: dict[str, Led] = {}
        self._hands: dict = {}
        self._thread = make_thread(f"lights of {device}", self._work, self._closing)

    def start(self):
        self._thread.start()
        return self

    def close(self):
        """Stop soon. Does not wait: the device may be blocking."""
        self._closing.set()

    def _work(self):
        try:
            for message in self.profile.start if self.profile else ():
                self.port.send(message)
            while not self._closing.wait(EVERY):
                self.look()
        except OSError as error:
            log.warning("MIDI: %s can't be sent to any more: %s", self.device, error)
        self.port.close()
        for control in [c for c in list(self.show.mapping.shown) if c.endswith(AT_DEVICE + self.device)]:
            self.show.mapping.shown.pop(control, None)

    def look(self):
        """Send what has changed since the last look, as much as the device may be sent at once."""
        mapping, scene = self.show.mapping, self.show.scene
        if mapping.version != self._version:
            self._version = mapping.version
            self._replan(mapping)
        if scene is not self._scene:
            self._scene = scene
            self._find(scene)
        if self._due:
            self._send(mapping, scene)

    def _replan(self, mapping):
        """Plan the feedback for other bindings or another bank: all of it is sent again, and unbound controls go dark."""
        lit = {shown.led.control: shown.led for shown in self._plan}
        self._plan = plan(mapping, self.device, self.profile)
        lit |= {led.control: led for led in self.profile.leds.values()} if self.profile else {}
        bound = {shown.led.control for shown in self._plan}
        self._dark = {control: led for control, led in lit.items() if control not in bound and control.split(" ")[0] in ("cc", "note")}
        self._values.clear()
        self._sent.clear()
        self._due = {shown.control: shown for shown in self._plan}
        self._due |= self._dark
        self._scene = None

    def _find(self, scene):
        """Return the controls whose values have changed since they were sent."""
        get, values, unseen = scene.values.get, self._values, object()
        for shown in self._plan:
            value = get(shown.at) if shown.at else unseen
            if value is unseen or values.get(shown.control, unseen) != value:
                values[shown.control] = value
                self._due[shown.control] = shown

    def _send(self, mapping, scene):
        sent, moment = 0, self.now()
        for control, shown in list(self._due.items()):
            if sent >= MOST:
                return
            if isinstance(shown, Led):
                del self._due[control]
                sent += self._put(control, make_messages(shown, 0.0, True))
                continue
            hand = mapping.hands.get(control)
            if hand is not None and moment - hand[1] < TOUCHED and shown.binding.kind in TURNED:
                continue
            del self._due[control]
            position = measure_light(shown, scene, self.show)
            if position is None:
                continue
            if hand is not None and self._hands.get(control) != hand and shows_itself(shown):
                self._hands[control] = hand
                self._sent[control] = make_messages(shown.led, hand[0], False)           # it is there already
            found = make_messages(shown.led, position, is_pressed(shown.binding))
            if shows_itself(shown) and self._sent.get(control) != found:
                mapping.shown[control] = *mapping.shown.get(control, ())[-ANSWERS:], (position, moment)
            sent += self._put(control, found)

    def _put(self, control, found):
        if self._sent.get(control) == found:
            return 0
        for message in found:
            self.port.send(message)
        self._sent[control] = found
        return len(found)


def plan(mapping, device: str, profile=None) -> list[Shown]:
    """Return what each control of a device is to show, by the bindings as they are now."""
    found, seen = [], set()
    for layer in (mapping.learn.layer, *reversed(mapping.layers)):
        mine = [b for b in layer if b.control not in seen and b.bank in (None, mapping.bank) and b.hears(device)]
        for binding in mine:
            led = profile.leds.get(binding.control) if profile else None
            wanted = binding.feedback if binding.feedback is not None else binding.shows or led is not None
            if wanted and binding.control not in seen and (led or binding.kind in (*TURNED, "note")):
                at = STATES.get(binding.to) if binding.to in COMMANDS else binding.to
                found.append(Shown(binding.control + AT_DEVICE + device, binding, led or Led(binding.control), at))
            seen.add(binding.control)
    return found


def is_pressed(binding) -> bool:
    return binding.button or binding.to in COMMANDS


def shows_itself(shown: Shown) -> bool:
    """Return whether a control is sent its own position as feedback."""
    return shown.led.control == shown.binding.control and shown.binding.kind in TURNED and not (shown.binding.relative or is_pressed(shown.binding))


def measure_light(shown: Shown, scene, show) -> float | None:
    """Return how brightly a control is lit, or how far along it stands, 0..1. None: it shows nothing here."""
    binding = shown.binding
    if binding.to in COMMANDS:
        return _measure_state(shown, scene, show)
    parameter = scene.parameters.get(binding.to)
    if parameter is None or parameter.size:
        return None
    here = parameter.normalized(scene[binding.to])
    if not is_pressed(binding):
        return binding.find_position(here)
    on = binding.put(1.0) if binding.value is None else parameter.normalized(binding.value)
    off = binding.put(0.0)
    return float(abs(here - on) < abs(here - off))


def _measure_state(shown, scene, show):
    if shown.at:
        return float(shown.at in scene.parameters and scene[shown.at] > 0.5)
    arguments = list(shown.binding.arguments)
    if shown.binding.to == "/bank":
        return float(arguments == [show.mapping.bank])
    if shown.binding.to == "/preset/recall":
        return float(show.recall is not None and arguments[:1] == [show.recall.current])
    return 0.0


def make_messages(led: Led, position: float, switch: bool) -> tuple[bytes, ...]:
    """Return the MIDI messages that light a control: on or off for a switch, so far along for the rest."""
    kind, _, rest = led.control.partition(" ")
    first, _, second = rest.partition("/")
    channel, number = int(first) - 1, int(second or 0)
    position = min(max(position, 0.0), 1.0)
    value = (led.lit if position >= 0.5 else led.dark) if switch else led.dark + round(position * (led.lit - led.dark))
    fine = round(position * 16383)
    if kind == "note":
        return (bytes((0x90 | channel, number, value)),)
    if kind == "bend":
        return (bytes((0xE0 | channel, fine & 127, fine >> 7)),)
    change = lambda *pairs: tuple(bytes((0xB0 | channel, *pair)) for pair in pairs)
    if kind == "cc14":
        return change((number, fine >> 7), (number + 32, fine & 127))
    if kind == "nrpn":
        return change((99, number >> 7), (98, number & 127), (6, fine >> 7), (38, fine & 127))
    return change((number, value))


def make_answer(show):
    """Return what live.controls.midi is given to answer devices with. A profile that a mapping names goes before the others."""
    def answer(device, port):
        named = (profile for profile in show.mapping.profiles if profile.matches(device))
        return Feedback(show, device, port, next(named, None) or devices.find_profile(device)).start()
    return answer
