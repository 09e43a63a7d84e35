"""PortAudio, in the process of its own that live/audio/device.py begins: drivers may end it, and the show plays on.

The driver's callback copies, nothing else; blocks and their times go to the show through a pipe, as it asks for them.
"""
import contextlib
import os
import queue
import re
import struct
import sys
from collections.abc import Callable

import numpy as np

from engine.errors import UserError
from live.audio.inputs import SYSTEM, Lost
from live.audio.sample_clock import SampleClock
from live.show.child import BYTES, prepare_child
from live.show.clock import now

LIBRARIES = ("sounddevice",)
RATE, BLOCK, CHANNELS = 48000, 512, 2
LONGEST_LATENCY = 1.0               # seconds that a driver may say
SILENT = 2.0                        # seconds without a block after which an input has gone
HEAD = struct.Struct("<dq")         # of a block: the time of its last sample, how many channels it has
KEPT = 500                          # blocks that wait while the show stands still; more are forgotten
LOOPBACKS = re.compile(r"loopback|monitor|stereo mix|what u hear|blackhole|soundflower|vb-cable", re.IGNORECASE)
MISSING = "hearing sound needs sounddevice: pip install -r requirements-audio.txt (on Linux apt install libportaudio2 too)"


def serve(link):
    """Do what the show asks for, one thing after the other, until it asks no more. This is the whole life of the process."""
    prepare_child()
    _silence_drivers()
    tasks: dict[str, Callable] = {"list": _tell_inputs, "hear": _hear, "speak": _speak}
    with contextlib.suppress(EOFError, ConnectionError):             # the show has gone
        while True:
            kind, *rest = link.recv()
            if kind in tasks:
                tasks[kind](link, *rest)


def _silence_drivers():
    """Keep what drivers write off the terminal, where it would look like an error of the show; our own errors are seen."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        for number in (1, 2):
            os.dup2(nowhere.fileno(), number)


def _tell_inputs(link):
    found, problem = list_inputs()
    link.send(("inputs", found, problem))


def _hear(link, text):
    """Send an input's blocks until the show sends something, or the input has gone."""
    try:
        source = Capture(text)
    except Lost as error:
        link.send(("lost", str(error)))
        return
    try:
        link.send(("open", source.name, source.rate))
        for samples, at in source.read_blocks(lambda: link.poll(0)):
            link.send_bytes(pack_block(samples, at))
    except Lost as error:
        link.send(("lost", str(error)))
    finally:
        source.close()
    link.send(("closed",))


def pack_block(samples: np.ndarray, at: float) -> bytes:
    """Return a block, float [N, channels], and the time of its last sample, as bytes for the show."""
    return BYTES + HEAD.pack(at, samples.shape[1]) + np.ascontiguousarray(samples, np.float32).tobytes()


def unpack_block(message: bytes) -> tuple[np.ndarray, float]:
    """Return (samples, at) of what pack_block() made, without its first word."""
    at, channels = HEAD.unpack_from(message)
    return np.frombuffer(message, np.float32, offset=HEAD.size).reshape(-1, channels), at


def _speak(link, rate, channels):
    """Play the sound that the show sends, until it sends something else."""
    try:
        output = Playback(rate, channels)
    except Lost as error:
        link.send(("lost", str(error)))
        return
    try:
        link.send(("open", output.latency))
        while (message := link.recv())[0] == "play":
            output.write(message[1])
            link.send(("played",))
    except Lost as error:
        link.send(("lost", str(error)))
    finally:
        output.close()
    link.send(("closed",))


def _find_library():
    try:
        import sounddevice
    except (ImportError, OSError) as error:                     # OSError: PortAudio itself is missing
        raise Lost(f"{MISSING}; {error}") from None
    return sounddevice


def _refresh(sd):
    """Have the library look again: it lists devices once, when it is loaded."""
    with contextlib.suppress(sd.PortAudioError):
        sd._terminate()
    try:
        sd._initialize()
    except sd.PortAudioError as error:
        raise Lost(f"no sound here: {_read_reason(error)}") from None


def list_inputs() -> tuple[list, str | None]:
    """Return ([(number, name)] of inputs, why there are none)."""
    try:
        sd = _find_library()
        _refresh(sd)
        found = [(number, device["name"]) for number, device in _read_inputs(sd)]
    except UserError as error:
        return [], str(error)
    return found, None if found else "no sound input is plugged in"


def _read_inputs(sd):
    try:
        return [(number, device) for number, device in enumerate(sd.query_devices()) if device["max_input_channels"] > 0]
    except sd.PortAudioError as error:
        raise Lost(f"sound devices can't be listed: {_read_reason(error)}") from None


def _find_input(sd, text: str):
    """Return (number, device) of the input a text names. Lost: there is none."""
    inputs = _read_inputs(sd)
    names = ", ".join(f"{number} {device['name']}" for number, device in inputs) or "none is plugged in"
    if text.isdecimal():
        found = [pair for pair in inputs if pair[0] == int(text)]
    elif text == SYSTEM:
        found = [pair for pair in inputs if LOOPBACKS.search(pair[1]["name"])]
        if not found:
            raise Lost("this system offers no input with what it plays itself; a monitor of PipeWire or PulseAudio, WASAPI's loopback or "
                       f"BlackHole would be one; inputs: {names}")
    else:
        found = [pair for pair in inputs if text.casefold() in pair[1]["name"].casefold()]
        found.sort(key=lambda pair: pair[1]["name"].casefold() != text.casefold())
    if not found:
        raise Lost(f"no sound input {text!r}; inputs: {names}")
    return found[0]


class Capture:
    """An open input. Lost: it can't be opened."""

    def __init__(self, text: str, now=now):
        sd = _find_library()
        _refresh(sd)
        number, device = _find_input(sd, text)
        self.now, self.name, self._sd = now, device["name"], sd
        self._blocks: queue.SimpleQueue = queue.SimpleQueue()
        channels = min(CHANNELS, device["max_input_channels"])
        self._stream = self._open(number, channels, device.get("default_samplerate") or RATE)
        self.rate = float(self._stream.samplerate)
        self._clock = SampleClock(self.rate, _read_latency(self._stream))

    def _open(self, number, channels, own_rate):
        """Return a stream at our rate, or at the device's own where it has no other."""
        reasons = []
        for rate in dict.fromkeys((RATE, round(own_rate))):
            try:
                stream = self._sd.InputStream(device=number, channels=channels, samplerate=rate, blocksize=round(rate * BLOCK / RATE),
                                              latency="low", dtype="float32", callback=self._receive)
                stream.start()
                return stream
            except (self._sd.PortAudioError, ValueError) as error:
                reasons.append(_read_reason(error))
        raise Lost(f"sound input {self.name} can't be opened: {reasons[-1]}")

    def _receive(self, data, frames, time, status):
        if self._blocks.qsize() < KEPT:
            self._blocks.put((data.copy(), self.now()))

    def read_blocks(self, stop):
        """Yield (samples [N, channels], when the last of them was heard) until stop() says so. Lost: nothing comes any more."""
        last = self.now()
        while not stop():
            try:
                samples, at = self._blocks.get(timeout=0.1)
            except queue.Empty:
                if self.now() - last > SILENT or not self._stream.active:
                    raise Lost(f"sound input {self.name} has gone") from None
                continue
            last = at
            yield samples, self._clock.count(len(samples), at)

    def close(self):
        """Let go of the device; one that has gone is let go of as well."""
        _close(self._sd, self._stream)


class Playback:
    """An open output. Lost: there is none. latency: seconds from write() to what is heard."""

    def __init__(self, rate: float, channels: int = 2):
        sd = _find_library()
        try:
            self._stream = sd.OutputStream(samplerate=rate, channels=channels, dtype="float32", blocksize=BLOCK, latency="low")
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            raise Lost(f"no sound output: {_read_reason(error)}") from None
        self._sd, self.latency = sd, _read_latency(self._stream)

    def write(self, samples):
        """Play samples [N, channels], as soon as the device takes them. Lost: it has gone."""
        try:
            self._stream.write(samples)
        except self._sd.PortAudioError as error:
            raise Lost(f"the sound output has gone: {_read_reason(error)}") from None

    def close(self):
        """Let go of the device."""
        _close(self._sd, self._stream)


def _close(sd, stream):
    with contextlib.suppress(sd.PortAudioError):
        stream.abort(ignore_errors=True)
        stream.close(ignore_errors=True)


def _read_reason(error) -> str:
    """Return PortAudio's message, in one line."""
    return str(error.args[0] if error.args else error).splitlines()[0].strip()


def _read_latency(stream) -> float:
    """Return a stream's latency in seconds, 0 where its driver gives an impossible one: of JACK's ports PortAudio may give a day."""
    latency = float(stream.latency or 0.0)
    return latency if 0.0 <= latency <= LONGEST_LATENCY else 0.0
