"""MIDI in: notes, control changes, bend, pressure and program changes of every controller, as ControlEvents.

Controllers come and go: port names are listed every second, what is new is opened, what has gone is closed, and
what comes back is known again by its name. Knows what hands did, not what it means. No system tells us when a cable
is pulled, hence the listing (measured on ALSA and JACK; CoreMIDI and WinMM are said to be the same).
"""
import threading

from engine.errors import UserError
from live.controls import control
from live.mapping.binding import AT_DEVICE
from live.mapping.words import Word
from live.midi import feedback
from live.midi.mtc import TimecodeReader, read_show_control
from live.midi.ports import Library, Supervisor, make_test
from live.show.events import Asked, ControlEvent
from live.show.tempo import find_tempo
from live.show.timecode import find_timecode

CHANNEL = r"(?:[1-9]|1[0-6])"
SEVEN = r"(?:[0-9]|[1-9][0-9]|1[01][0-9]|12[0-7])"                                   # bits
FOURTEEN = r"(?:[0-9]|[1-9][0-9]{1,3}|1[0-5][0-9]{3}|16[0-2][0-9]{2}|163[0-7][0-9]|1638[0-3])"
LOOK = 1.0                          # seconds between looks at which ports there are


class Stats:
    """What came in. Counted by the system's MIDI threads and the supervisor; report() may be called from any."""

    def __init__(self):
        self.messages = self.bad = self.reconnects = 0
        self.ports, self.known = [], set()
        self._lock = threading.Lock()                 # every port has a thread of its own

    def count(self, good):
        with self._lock:
            self.messages += good
            self.bad += not good

    def note_opened(self, device):
        self.reconnects += device in self.known
        self.known.add(device)
        self.ports = [*self.ports, device]

    def note_closed(self, device):
        self.ports = [other for other in self.ports if other != device]

    def report(self) -> dict:
        """Return the figures so far, ready for JSON."""
        return {"ports": list(self.ports), "messages": self.messages, "bad": self.bad, "reconnects": self.reconnects}


WORDS = {
    "cc": Word(rf"{CHANNEL}/{SEVEN}", "cc CHANNEL/NUMBER, 1-16 and 0-127", end=127.0),
    "cc14": Word(rf"{CHANNEL}/(?:[12]?[0-9]|3[01])", "cc14 CHANNEL/NUMBER, 1-16 and 0-31", end=16383.0),
    "nrpn": Word(rf"{CHANNEL}/{FOURTEEN}", "nrpn CHANNEL/NUMBER, 1-16 and 0-16383", end=16383.0),
    "note": Word(rf"{CHANNEL}/{SEVEN}", "note CHANNEL/NUMBER, 1-16 and 0-127", end=127.0, button=True),
    "bend": Word(CHANNEL, "bend CHANNEL, 1-16", end=16383.0),
    "pressure": Word(rf"{CHANNEL}(?:/{SEVEN})?", "pressure CHANNEL or CHANNEL/NOTE", end=127.0),
    "program": Word(rf"{CHANNEL}(?:/(?:[1-9][0-9]?|1[01][0-9]|12[0-8]))?", "program CHANNEL or CHANNEL/NUMBER, 1-16 and 1-128", button=True),
}


def arguments(group):
    """Add the flags of MIDI."""
    group.add_argument("--midi-ports", metavar="REGEX", help="only MIDI ports whose name matches; 'none' = no MIDI")
    group.add_argument("--midi-api", help="MIDI system (LINUX_ALSA, UNIX_JACK, MACOSX_CORE, WINDOWS_MM)")


def settings(options, show, closing, stats):
    """Return what midi() is started with, None where the flags turn it off."""
    if options.midi_ports == "none":
        return None
    return {"ports": options.midi_ports, "api": options.midi_api, "answers": feedback.make_answer(show),
            "clock": Clocks(find_tempo(show).receive_clock, find_timecode(show).receive, show.inbox.put).receive}


@control(stats=Stats, arguments=arguments, settings=settings, words=WORDS)
def midi(emit, stop, ports=None, api=None, stats=None, look=LOOK, clock=None, answers=None):
    """Listen to all ports, or to those whose name matches the regular expression `ports`, until `stop` is set.

    api: LINUX_ALSA, UNIX_JACK, MACOSX_CORE, WINDOWS_MM; None = the system's own. stats: a Stats to fill.
    clock(kind, at, value, device): told of clock, start, stop, continue, songpos, and of timecode and SysEx as "system", their bytes as value.
    answers(device, port): called for a device that can be sent to; what it returns is closed when the
    device has gone.
    Besides controls it emits "device NAME" with 1 when a port opens and 0 when it has gone. UserError: no MIDI here.
    """
    supervisor = Supervisor(emit, make_test(ports), Library(api), Stats() if stats is None else stats, decode, clock, answers)
    try:
        supervisor.look()
        while not stop.wait(look):
            supervisor.look()
    finally:
        supervisor.close()


def list_ports(api=None) -> dict:
    """Return {"inputs": names, "outputs": names}, and "problem" where there is no MIDI: one line that says why."""
    try:
        library = Library(api)
        return {"inputs": library.list_names(), "outputs": library.list_names(outputs=True)}
    except UserError as error:
        return {"inputs": [], "outputs": [], "problem": str(error)}


class Clocks:
    """Gives each clock what comes of it: beats(kind, at, value, device), time(source, seconds, at, running); emit(item): what Show Control asks for."""

    def __init__(self, beats, time, emit):
        self._beats, self._time, self._emit = beats, time, emit
        self._readers: dict = {}                         # device -> TimecodeReader: each counts its own pieces

    def receive(self, kind, at, value, device):
        """Take a message of any clock. Of the device's own thread."""
        if kind != "system":
            self._beats(kind, at, value, device)
            return
        order = read_show_control(value)
        if order is not None:
            self._emit(Asked(*order, at))
        elif (read := self._readers.setdefault(device, TimecodeReader()).read(value)) is not None:
            self._time(f"MTC of {device}", read[0], at, read[1])


# -- messages

def _scale_bend(message):
    """Return a pitch bend of -8192..8191 as 0..1, with the middle at exactly a half."""
    return 0.5 + message.pitch / (16384 if message.pitch < 0 else 16382)


CHANNEL_MESSAGES = {                # mido's type -> (control, value, momentary); c is the channel from 1
    "control_change": lambda m, c: (f"cc {c}/{m.control}", m.value / 127, False),
    "note_on": lambda m, c: (f"note {c}/{m.note}", m.velocity / 127, True),             # velocity 0 is a release
    "note_off": lambda m, c: (f"note {c}/{m.note}", 0.0, True),
    "pitchwheel": lambda m, c: (f"bend {c}", _scale_bend(m), False),
    "polytouch": lambda m, c: (f"pressure {c}/{m.note}", m.value / 127, False),
    "aftertouch": lambda m, c: (f"pressure {c}", m.value / 127, False),
    "program_change": lambda m, c: (f"program {c}/{m.program + 1}", 1.0, True),     # counted from 1, as presets are
}


def decode(message, device="", at=0.0) -> ControlEvent | None:
    """Return a mido message as a ControlEvent; None for clock, SysEx and anything else that is no control."""
    meaning = CHANNEL_MESSAGES.get(message.type)
    if meaning is None:
        return None
    name, value, momentary = meaning(message, message.channel + 1)
    return ControlEvent(f"{name}{AT_DEVICE}{device}" if device else name, value, momentary, at)
