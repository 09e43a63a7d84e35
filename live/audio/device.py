"""Inputs of the machine, by PortAudio. The driver's callback copies, nothing else; who reads the blocks is the ear's business."""
import contextlib
import queue
import re

from engine.errors import UserError
from live.audio.inputs import SYSTEM, Lost
from live.audio.sample_clock import SampleClock
from live.show.clock import now

LIBRARIES = ("sounddevice",)
RATE, BLOCK, CHANNELS = 48000, 512, 2
SILENT = 2.0                        # seconds without a block after which an input has gone
LOOPBACKS = re.compile(r"loopback|monitor|stereo mix|what u hear|blackhole|soundflower|vb-cable", re.IGNORECASE)
MISSING = "hearing sound needs sounddevice: pip install -r requirements-audio.txt (on Linux apt install libportaudio2 too)"


def _library():
    try:
        import sounddevice
    except (ImportError, OSError) as error:                     # OSError: PortAudio itself is missing
        raise Lost(f"{MISSING}; {error}") from None
    return sounddevice


def refresh():
    """Have the library look again: it lists devices once, when it is loaded."""
    sd = _library()
    with contextlib.suppress(sd.PortAudioError):
        sd._terminate()
    try:
        sd._initialize()
    except sd.PortAudioError as error:
        raise Lost(f"no sound here: {_reason(error)}") from None


def list_inputs() -> tuple[list, str | None]:
    """Return ([(number, name)] of inputs, why there are none)."""
    try:
        refresh()
        found = [(number, device["name"]) for number, device in _inputs(_library())]
    except UserError as error:
        return [], str(error)
    return found, None if found else "no sound input is plugged in"


def _inputs(sd):
    try:
        return [(number, device) for number, device in enumerate(sd.query_devices()) if device["max_input_channels"] > 0]
    except sd.PortAudioError as error:
        raise Lost(f"sound devices can't be listed: {_reason(error)}") from None


def find(text: str):
    """Return (number, device) of the input a text names. Lost: there is none."""
    inputs = _inputs(_library())
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


class DeviceInput:
    """An open input. Lost: it can't be opened."""

    def __init__(self, text: str, now=now):
        sd = _library()
        refresh()
        number, device = find(text)
        self.now, self.name, self._sd = now, device["name"], sd
        self._blocks: queue.SimpleQueue = queue.SimpleQueue()
        channels = min(CHANNELS, device["max_input_channels"])
        self._stream = self._opened(number, channels, device.get("default_samplerate") or RATE)
        self.rate = float(self._stream.samplerate)
        self._clock = SampleClock(self.rate, float(self._stream.latency or 0.0))

    def _opened(self, number, channels, own_rate):
        """A stream at our rate, or at the device's own where it has no other."""
        reasons = []
        for rate in dict.fromkeys((RATE, round(own_rate))):
            try:
                stream = self._sd.InputStream(device=number, channels=channels, samplerate=rate, blocksize=round(rate * BLOCK / RATE),
                                              latency="low", dtype="float32", callback=self._heard)
                stream.start()
                return stream
            except (self._sd.PortAudioError, ValueError) as error:
                reasons.append(_reason(error))
        raise Lost(f"sound input {self.name} can't be opened: {reasons[-1]}")

    def _heard(self, data, frames, time, status):
        self._blocks.put((data.copy(), self.now()))

    def blocks(self, stop):
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
            yield samples, self._clock.block(len(samples), at)

    def close(self):
        """Let go of the device; one that has gone is let go of as well."""
        with contextlib.suppress(self._sd.PortAudioError):
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)


class Speaker:
    """Where a file is played: write() waits for the device. Lost: there is no output."""

    def __init__(self, rate: float, channels: int = 2):
        sd = _library()
        try:
            self._stream = sd.OutputStream(samplerate=rate, channels=channels, dtype="float32", blocksize=BLOCK, latency="low")
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            raise Lost(f"no sound output: {_reason(error)}") from None
        self._sd, self.latency = sd, float(self._stream.latency or 0.0)

    def write(self, samples):
        """Play samples [N, channels]."""
        try:
            self._stream.write(samples)
        except self._sd.PortAudioError as error:
            raise Lost(f"the sound output has gone: {_reason(error)}") from None

    def close(self):
        """Let go of the device."""
        with contextlib.suppress(self._sd.PortAudioError):
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)


def _reason(error) -> str:
    """Return what PortAudio says, in one line."""
    return str(error.args[0] if error.args else error).splitlines()[0].strip()
