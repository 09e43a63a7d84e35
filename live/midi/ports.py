"""The MIDI ports of this machine: which there are, which are open, what comes and goes.

Knows ports and bytes, not what a message means. A device is called by its port's name, the second of the same name
"NAME #2"; what it is sent goes out through the output of the same name, if there is one.
"""
import logging
import os
import re
import sys

from engine.errors import UserError
from live.show.clock import now
from live.show.events import ControlEvent

log = logging.getLogger(__name__)
LIBRARIES = ("mido", "rtmidi")

CLIENT = "Latent Jockey"
SONG_POSITION, END_OF_SYSEX = 0xF2, 0xF7
SYSTEM = (0xF0, 0xF1)               # first bytes of SysEx and timecode: only the clock hears them
CLOCK = {0xF8: "clock", 0xFA: "start", 0xFB: "continue", 0xFC: "stop", SONG_POSITION: "songpos"}      # first byte -> what it is


def make_test(pattern):
    """Return the test that a port's name has to pass. UserError: not a regular expression."""
    try:
        expression = re.compile(pattern or "", re.IGNORECASE)
    except re.error as error:
        raise UserError(f"--midi-ports {pattern!r}: {error}; expected part of a port's name, or a regular expression") from None
    return lambda name: expression.search(name) is not None


def strip_numbers(name, system=sys.platform) -> str:
    """Return a port's name without the numbers that change when it is plugged in again."""
    name = re.sub(r"\s+\d+:\d+$", "", name)           # ALSA: "nanoKONTROL2:nanoKONTROL2 MIDI 1 24:0"
    name = re.sub(r"-\d\d(?=:)", "", name)            # JACK: "client-01:out" is the second that calls itself "client"
    return re.sub(r"\s+\d+$", "", name) if system == "win32" else name     # Windows: "nanoKONTROL2 1"


def find_belonging(name, outputs):
    """Return the output key (name, which of that name) that belongs to an input: the same port, or else of the same client."""
    client = lambda text: text.partition(":")[0]
    tests = (lambda o: o == name, lambda o: client(o) == client(name), lambda o: strip_numbers(o) == strip_numbers(name),
             lambda o: client(strip_numbers(o)) == client(strip_numbers(name)))
    return next((key for same in tests for key in outputs if same(key[0])), None)


class Library:
    """python-rtmidi, asked for one system's ports. UserError: it is not installed, or the system has no MIDI."""

    def __init__(self, api=None):
        try:
            import mido
            import rtmidi
        except ImportError as error:
            raise UserError(f"MIDI: {error}; pip install mido python-rtmidi") from None
        self.rtmidi, self.message = rtmidi, mido.Message
        self.api = self._find_api(api)
        self.troubles = (rtmidi.RtMidiError, OSError, RuntimeError, ValueError)
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        self._listers, self._server = {}, None
        self.jack = self.api == rtmidi.API_UNIX_JACK
        if not self.jack:                             # a JACK server may come later
            self._make_lister(rtmidi.MidiIn)

    def _find_api(self, api):
        rtmidi = self.rtmidi
        names = {name.removeprefix("API_"): getattr(rtmidi, name) for name in dir(rtmidi) if name.startswith("API_")}
        there = {name: number for name, number in names.items() if number in rtmidi.get_compiled_api()}
        if api is not None and api not in there:
            raise UserError(f"--midi-api {api}: not on this machine; there: {', '.join(sorted(there))}")
        if api is None and sys.platform.startswith("linux") and not os.path.exists("/dev/snd"):
            raise UserError("MIDI: this machine has no ALSA sequencer; with a JACK server: --midi-api UNIX_JACK")
        return there[api] if api else rtmidi.API_UNSPECIFIED

    def _make_lister(self, kind):
        """Return an object to list ports with. It is kept, as every new one is a client of the system."""
        if kind not in self._listers:
            try:
                self._listers[kind] = kind(self.api, name=f"{CLIENT} ports")
            except self.troubles as error:
                raise UserError(f"MIDI: {error}; is its server or driver running?") from None
        return self._listers[kind]

    def is_another(self) -> bool:
        """Return whether the JACK server is another one than at the last look, or has gone: all that was opened at it is dead.

        Its clients are not told. It has a socket, which a new server makes anew (measured: jackd 1.9.22); where there is none,
        as with PipeWire, nothing is known.
        """
        if not self.jack or not hasattr(os, "getuid"):
            return False
        try:
            found = os.stat(f"/dev/shm/jack_{os.environ.get('JACK_DEFAULT_SERVER') or 'default'}_{os.getuid()}_0")
            server = found.st_ino, found.st_mtime_ns
        except OSError:
            server = None
        before, self._server = self._server, server
        return before not in (None, server)

    def list_names(self, outputs=False) -> list[str]:
        """Return the ports there are; UserError if the system does not say."""
        try:
            return self._make_lister(self.rtmidi.MidiOut if outputs else self.rtmidi.MidiIn).get_ports()
        except self.troubles as error:
            raise UserError(f"MIDI: the ports can't be listed: {error}") from None

    def open(self, index, receive):
        """Open input number `index`; receive(bytes) is called from a thread of the system's. Returns an Input."""
        port = self.rtmidi.MidiIn(self.api, name=CLIENT)
        try:
            port.ignore_types(sysex=False, timing=False, active_sense=True)
            port.set_callback(lambda event, data: receive(event[0]))
            before = self.list_names(outputs=True) if self.jack else []
            port.open_port(index, name="in")
            return Input(port, self._find_own(before) if self.jack else None, self.troubles)
        except self.troubles:
            port.delete()
            raise

    def _find_own(self, before):
        """Return an output to our own input that has come since those names were listed, None where there is none."""
        names = self.list_names(outputs=True)
        new = next((index for index, name in enumerate(names) if name not in before and name.startswith(CLIENT)), None)
        return None if new is None else self.open_output(new).port

    def open_output(self, index):
        """Open output number `index`; returns an Output."""
        port = self.rtmidi.MidiOut(self.api, name=CLIENT)
        try:
            port.open_port(index, name="out")
        except self.troubles:
            port.delete()
            raise
        return Output(port, self.troubles)

    def close(self):
        for lister in self._listers.values():
            lister.delete()
        self._listers = {}


class Input:
    """An open input. Over JACK, own is an output of ours that is connected to it."""

    def __init__(self, port, own, troubles):
        self.port, self.own, self.troubles = port, own, troubles

    def unstick(self):
        """End a SysEx message that came without its end: RtMidi would wait for it, and hear nothing else of this JACK port."""
        try:
            if self.own is not None:
                self.own.send_message([END_OF_SYSEX])
        except self.troubles:
            pass

    def close(self):
        for port in (self.own, self.port):
            if port is not None:
                port.close_port()
                port.delete()


class Output:
    """An open output. send() raises OSError where the device is gone."""

    def __init__(self, port, troubles):
        self.port, self.troubles = port, troubles

    def send(self, message: bytes):
        try:
            self.port.send_message(message)
        except self.troubles as error:
            raise OSError(str(error)) from None

    def close(self):
        self.port.close_port()
        self.port.delete()


class Supervisor:
    """Keeps a port open for every controller there is. heard(message, device, at) -> ControlEvent or None."""

    def __init__(self, emit, wanted, library, stats, heard, clock=None, answers=None):
        self.emit, self.wanted, self.library, self.stats = emit, wanted, library, stats
        self.heard, self.clock, self.answers = heard, clock, answers
        self.open, self._said = {}, set()             # (name, which of that name, how many) -> (port, device)
        self._spoke = set()                           # the devices that were heard since the last look
        self._answering = {}                          # device -> (its output's key, what answers() returned)

    def look(self):
        """Close ports that have gone, open new ones."""
        if self.library.is_another():
            log.warning("MIDI: the JACK server has gone; what it set stays, and all is opened anew when it is there again")
            for key in list(self.open):
                self._close_device(key)
            self.library.close()
        try:
            names = self.library.list_names()
        except UserError as error:
            self._say(str(error))
            names = []
        there = {(name, names[:i].count(name), names.count(name)): i for i, name in enumerate(names) if self._is_wanted(name)}
        for key in [key for key in self.open if key not in there]:
            self._close_device(key)
        for key, index in there.items():
            if key not in self.open:
                self._open_input(key, index)
        if self.answers:
            self._look_for_outputs()
        for port, device in self.open.values():
            if device not in self._spoke:
                port.unstick()
        self._spoke.clear()

    def _look_for_outputs(self):
        """Give every device that is here the output that belongs to it."""
        try:
            names = self.library.list_names(outputs=True)
        except UserError:
            names = []
        there = {(name, names[:i].count(name)): i for i, name in enumerate(names)}
        for device in [device for device, (key, _) in self._answering.items() if key not in there]:
            self._answering.pop(device)[1].close()
        for (name, *_), (_, device) in self.open.items():
            if device not in self._answering:
                taken = {key for key, _ in self._answering.values()}
                key = find_belonging(name, [key for key in there if key not in taken and self._is_wanted(key[0])])
                if key is not None:
                    self._open_output(device, key, there[key])

    def _open_output(self, device, key, index):
        try:
            port = self.library.open_output(index)
        except self.library.troubles as error:
            self._say(f"MIDI: {device} can't be sent to: {error}; its lights stay as they are")
        else:
            self._answering[device] = key, self.answers(device, port)

    def _is_wanted(self, name):
        return self.wanted(name) and not name.startswith((CLIENT, f"{CLIENT.replace(' ', '_')}"))

    def _open_input(self, key, index):
        """Open an input. The device is called by its port's name, the second of the same name "NAME #2"."""
        base, taken = strip_numbers(key[0]), {device for _, device in self.open.values()}
        device = next(name for name in (base, *(f"{base} #{n}" for n in range(2, 1000))) if name not in taken)
        try:
            port = self.library.open(index, lambda data: self._receive(data, device))
        except self.library.troubles as error:
            self._say(f"MIDI: {key[0]} can't be opened: {error}; another program may have it (on Windows only one can)")
            return
        self.open[key] = port, device
        self._said.clear()
        log.info("MIDI: %s is here", device)
        self.stats.note_opened(device)
        self.emit(ControlEvent(f"device {device}", 1.0, True))

    def _close_device(self, key):
        port, device = self.open.pop(key)
        port.close()
        if device in self._answering:
            self._answering.pop(device)[1].close()
        log.warning("MIDI: %s has gone; what it set stays", device)
        self.stats.note_closed(device)
        self.emit(ControlEvent(f"device {device}", 0.0, True))

    def _receive(self, data, device):
        moment = now()
        if data == [END_OF_SYSEX]:
            return None
        self._spoke.add(device)
        if data and data[0] in CLOCK and len(data) == (3 if data[0] == SONG_POSITION else 1):
            self.stats.count(True)
            if self.clock:
                self.clock(CLOCK[data[0]], moment, data[1] | data[2] << 7 if len(data) > 2 else 0, device)
            return None
        if data and data[0] in SYSTEM:
            self.stats.count(True)
            return self.clock and self.clock("system", moment, tuple(data), device)
        try:
            message = self.library.message.from_bytes(data)
        except (ValueError, TypeError, IndexError):
            self.stats.count(False)
            return None
        self.stats.count(True)
        event = self.heard(message, device, moment)
        return self.emit(event) if event is not None else None

    def _say(self, text):
        if text not in self._said:
            self._said.add(text)
            log.warning("%s", text)

    def close(self):
        for _, answering in self._answering.values():
            answering.close()
        for key in list(self.open):
            self.open.pop(key)[0].close()
        self.library.close()
