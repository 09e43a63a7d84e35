"""MIDI in: notes, control changes, bend, pressure and program changes of every controller, as ControlEvents.

Controllers come and go: port names are listed every second, what is new is opened, what has gone is closed, and
what comes back is known again by its name. Knows what hands did, not what it means. No system tells us when a cable
is pulled, hence the listing (measured on ALSA and JACK; CoreMIDI and WinMM are said to be the same).
"""
import logging
import os
import re
import sys
import threading

from engine.errors import UserError
from live.binding import AT_DEVICE
from live.clock import now
from live.controls import control
from live.events import ControlEvent

log = logging.getLogger(__name__)

LOOK = 1.0                          # seconds between looks at which ports there are
CLIENT = "Latent Jockey"


@control
def midi(emit, stop, ports=None, api=None, stats=None, look=LOOK):
    """Listen to all ports, or to those whose name matches the regular expression `ports`, until `stop` is set.

    api: LINUX_ALSA, UNIX_JACK, MACOSX_CORE, WINDOWS_MM; None = the system's own. stats: a Stats to fill.
    Besides controls it emits "device NAME" with 1 when a port opens and 0 when it has gone. UserError: no MIDI here.
    """
    supervisor = Supervisor(emit, wanted(ports), Library(api), Stats() if stats is None else stats)
    try:
        supervisor.look()
        while not stop.wait(look):
            supervisor.look()
    finally:
        supervisor.close()


def list_ports(api=None) -> dict:
    """{"inputs": names, "outputs": names}, and "problem" where there is no MIDI: one line that says why."""
    try:
        library = Library(api)
        return {"inputs": library.names(), "outputs": library.names(outputs=True)}
    except UserError as error:
        return {"inputs": [], "outputs": [], "problem": str(error)}


class Stats:
    """What came in. Counted by the system's MIDI threads and the supervisor; report() may be called from any."""

    def __init__(self):
        self.messages = self.bad = self.reconnects = 0
        self.ports, self.known = [], set()
        self._lock = threading.Lock()                 # every port has a thread of its own

    def came(self, good):
        with self._lock:
            self.messages += good
            self.bad += not good

    def opened(self, device):
        self.reconnects += device in self.known
        self.known.add(device)
        self.ports = [*self.ports, device]

    def closed(self, device):
        self.ports = [other for other in self.ports if other != device]

    def report(self) -> dict:
        """The figures so far, ready for JSON."""
        return {"ports": list(self.ports), "messages": self.messages, "bad": self.bad, "reconnects": self.reconnects}


# -- messages

def _bend(message):
    """-8192..8191 -> 0..1 with the middle at exactly a half."""
    return 0.5 + message.pitch / (16384 if message.pitch < 0 else 16382)


CHANNEL_MESSAGES = {                # mido's type -> (control, value, momentary); c is the channel from 1
    "control_change": lambda m, c: (f"cc {c}/{m.control}", m.value / 127, False),
    "note_on": lambda m, c: (f"note {c}/{m.note}", m.velocity / 127, True),             # velocity 0 is a release
    "note_off": lambda m, c: (f"note {c}/{m.note}", 0.0, True),
    "pitchwheel": lambda m, c: (f"bend {c}", _bend(m), False),
    "polytouch": lambda m, c: (f"pressure {c}/{m.note}", m.value / 127, False),
    "aftertouch": lambda m, c: (f"pressure {c}", m.value / 127, False),
    "program_change": lambda m, c: (f"program {c}/{m.program + 1}", 1.0, True),     # counted from 1, as presets are
}


def heard(message, device="", at=0.0) -> ControlEvent | None:
    """What a mido message means; None for clock, SysEx and whatever else is no control."""
    meaning = CHANNEL_MESSAGES.get(message.type)
    if meaning is None:
        return None
    name, value, momentary = meaning(message, message.channel + 1)
    return ControlEvent(f"{name}{AT_DEVICE}{device}" if device else name, value, momentary, at)


# -- ports

def wanted(pattern):
    """The test a port's name has to pass. UserError: not a regular expression."""
    try:
        expression = re.compile(pattern or "", re.IGNORECASE)
    except re.error as error:
        raise UserError(f"--midi-ports {pattern!r}: {error}; expected part of a port's name, or a regular expression") from None
    return lambda name: expression.search(name) is not None


def stripped(name, system=sys.platform) -> str:
    """A port's name without the numbers that change when it is plugged in again."""
    name = re.sub(r"\s+\d+:\d+$", "", name)           # ALSA: "nanoKONTROL2:nanoKONTROL2 MIDI 1 24:0"
    name = re.sub(r"-\d\d(?=:)", "", name)            # JACK: "client-01:out" is the second that calls itself "client"
    return re.sub(r"\s+\d+$", "", name) if system == "win32" else name     # Windows: "nanoKONTROL2 1"


class Library:
    """python-rtmidi, asked for one system's ports. UserError: it is not installed, or the system has no MIDI."""

    def __init__(self, api=None):
        try:
            import mido
            import rtmidi
        except ImportError as error:
            raise UserError(f"MIDI: {error}; pip install mido python-rtmidi") from None
        self.rtmidi, self.message = rtmidi, mido.Message
        self.api = self._number(api)
        self.troubles = (rtmidi.RtMidiError, OSError, RuntimeError, ValueError)
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        self._listers = {}
        self._lister(rtmidi.MidiIn)

    def _number(self, api):
        rtmidi = self.rtmidi
        names = {name.removeprefix("API_"): getattr(rtmidi, name) for name in dir(rtmidi) if name.startswith("API_")}
        there = {name: number for name, number in names.items() if number in rtmidi.get_compiled_api()}
        if api is not None and api not in there:
            raise UserError(f"--midi-api {api}: not on this machine; there: {', '.join(sorted(there))}")
        if api is None and sys.platform.startswith("linux") and not os.path.exists("/dev/snd"):
            raise UserError("MIDI: this machine has no ALSA sequencer; with a JACK server: --midi-api UNIX_JACK")
        return there[api] if api else rtmidi.API_UNSPECIFIED

    def _lister(self, kind):
        """An object to list ports with: one for good, for every new one is a client of the system."""
        if kind not in self._listers:
            try:
                self._listers[kind] = kind(self.api, name=f"{CLIENT} ports")
            except self.troubles as error:
                raise UserError(f"MIDI: {error}; is its server or driver running?") from None
        return self._listers[kind]

    def names(self, outputs=False) -> list[str]:
        """The ports there are; UserError if the system does not say."""
        try:
            return self._lister(self.rtmidi.MidiOut if outputs else self.rtmidi.MidiIn).get_ports()
        except self.troubles as error:
            raise UserError(f"MIDI: the ports can't be listed: {error}") from None

    def open(self, index, receive):
        """Open input number `index`; receive(bytes) is called from a thread of the system's. Returns what to close()."""
        port = self.rtmidi.MidiIn(self.api, name=CLIENT)
        try:
            port.set_callback(lambda event, data: receive(event[0]))
            port.open_port(index, name="in")
        except self.troubles:
            port.delete()
            raise
        return port

    def close(self):
        for lister in self._listers.values():
            lister.delete()
        self._listers = {}


class Supervisor:
    """Keeps a port open for every controller there is."""

    def __init__(self, emit, wanted, library, stats):
        self.emit, self.wanted, self.library, self.stats = emit, wanted, library, stats
        self.open, self._said = {}, set()             # (name, which of that name, how many) -> (port, device)

    def look(self):
        """Close what has gone, open what is new."""
        try:
            names = self.library.names()
        except UserError as error:
            self._say(str(error))
            names = []
        there = {(name, names[:i].count(name), names.count(name)): i for i, name in enumerate(names) if self._mine(name)}
        for key in [key for key in self.open if key not in there]:
            self._gone(key)
        for key, index in there.items():
            if key not in self.open:
                self._new(key, index)

    def _mine(self, name):
        return self.wanted(name) and not name.startswith((CLIENT, f"{CLIENT.replace(' ', '_')}"))

    def _new(self, key, index):
        """A device is called by its port's name, the second of the same name "NAME #2"."""
        base, taken = stripped(key[0]), {device for _, device in self.open.values()}
        device = next(name for name in (base, *(f"{base} #{n}" for n in range(2, 1000))) if name not in taken)
        try:
            port = self.library.open(index, lambda data: self._received(data, device))
        except self.library.troubles as error:
            self._say(f"MIDI: {key[0]} can't be opened: {error}; another program may have it (on Windows only one can)")
            return
        self.open[key] = port, device
        self._said.clear()
        log.info("MIDI: %s is here", device)
        self.stats.opened(device)
        self.emit(ControlEvent(f"device {device}", 1.0, True))

    def _gone(self, key):
        port, device = self.open.pop(key)
        port.close_port()
        port.delete()
        log.warning("MIDI: %s has gone; what it set stays", device)
        self.stats.closed(device)
        self.emit(ControlEvent(f"device {device}", 0.0, True))

    def _received(self, data, device):
        moment = now()
        try:
            message = self.library.message.from_bytes(data)
        except (ValueError, TypeError, IndexError):
            self.stats.came(False)
            return
        self.stats.came(True)
        event = heard(message, device, moment)
        if event is not None:
            self.emit(event)

    def _say(self, text):
        if text not in self._said:
            self._said.add(text)
            log.warning("%s", text)

    def close(self):
        for key in list(self.open):
            port, _ = self.open.pop(key)
            port.close_port()
            port.delete()
        self.library.close()
