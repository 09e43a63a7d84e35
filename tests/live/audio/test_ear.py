"""The ear: inputs by name and number, files in their own time, lost and found again. A stand-in plays sounddevice's part."""
import sys
import threading
import types

import numpy as np
import pytest

from engine.errors import UserError
from live.audio import port_audio
from live.audio.ear import Ear
from live.audio.inputs import Lost, Over, check
from live.audio.sample_clock import SampleClock
from live.audio.sound_file import FileInput, read
from live.show.clock import now
from tests.engine.hearing.songs import FOUR, played
from tests.live.audio.rig import write_wav

DEADLINE = 120.0


class PortAudioError(Exception):
    pass


class Desk:
    """A stand-in for the module sounddevice: devices that can be pulled; play(name, samples) is what their driver does."""
    PortAudioError, latency = PortAudioError, 0.01

    def __init__(self, *devices, only_rate=None):
        self.devices, self.only_rate, self.streams, self.plugged = list(devices), only_rate, [], {name for name, *_ in devices}

    def _terminate(self):
        pass

    def _initialize(self):
        pass

    def query_devices(self):
        return [{"name": name, "max_input_channels": inputs, "default_samplerate": 44100.0} for name, inputs in self.devices if name in self.plugged]

    def InputStream(self, device, channels, samplerate, blocksize, latency, dtype, callback):
        if self.only_rate and samplerate != self.only_rate:
            raise PortAudioError("Invalid sample rate", -9997)
        stream = types.SimpleNamespace(name=self.query_devices()[device]["name"], samplerate=samplerate, latency=self.latency, active=True, channels=channels,
                                       callback=callback, start=lambda: None, abort=lambda **k: None, close=lambda **k: None)
        self.streams.append(stream)
        return stream

    def OutputStream(self, **options):
        raise PortAudioError("Error querying device -1", -9996)

    def play(self, samples, block=512):
        stream = self.streams[-1]
        for start in range(0, len(samples), block):
            part = np.repeat(samples[start:start + block, None], stream.channels, 1)
            stream.callback(part, len(part), None, None)


@pytest.fixture
def desk(monkeypatch):
    found = Desk(("HDMI", 0), ("Built-in Microphone", 2), ("Scarlett 2i2", 2), ("Monitor of Speakers", 2))
    monkeypatch.setattr(port_audio, "_find_library", lambda: found)
    return found


@pytest.mark.parametrize("text, name", [("scarlett", "Scarlett 2i2"), ("2", "Scarlett 2i2"), ("1", "Built-in Microphone"), ("system", "Monitor of Speakers"),
                                        ("built-in microphone", "Built-in Microphone")])
def test_inputs_are_found_by_name_and_number(desk, text, name):
    found = port_audio.Capture(text)
    assert found.name == name and desk.streams[-1].name == name and found.rate == 48000


@pytest.mark.parametrize("text", ["HDMI", "0", "9", "Focusrite"])
def test_what_there_is_is_told_where_an_input_is_not(desk, text):
    with pytest.raises(Lost, match="no sound input .*1 Built-in Microphone, 2 Scarlett 2i2"):
        port_audio.Capture(text)


def test_a_system_without_its_own_sound_says_what_would_do(desk):
    desk.plugged.discard("Monitor of Speakers")
    with pytest.raises(Lost, match="PipeWire"):
        port_audio.Capture("system")


def test_inputs_are_listed(desk):
    assert port_audio.list_inputs() == ([(1, "Built-in Microphone"), (2, "Scarlett 2i2"), (3, "Monitor of Speakers")], None)
    desk.plugged.clear()
    assert port_audio.list_inputs() == ([], "no sound input is plugged in")


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    names, problem = port_audio.list_inputs()
    assert names == [] and "requirements-audio.txt" in problem and "\n" not in problem


@pytest.mark.parametrize("latency, late", [(0.01, 0.01), (89478.485, 0.0), (-1.0, 0.0), (float("nan"), 0.0), (None, 0.0)])
def test_a_latency_that_can_not_be_is_none(desk, latency, late):
    """PortAudio says 2^32 / 48000 seconds of some JACK ports."""
    desk.latency = latency
    time = Time()
    found = port_audio.Capture("scarlett", now=time.now)
    desk.play(np.zeros(512, np.float32))
    _, at = next(found.read_blocks(lambda: False))
    assert at == pytest.approx(time.at - late)


def test_a_device_with_a_rate_of_its_own(desk):
    desk.only_rate = 44100
    assert port_audio.Capture("scarlett").rate == 44100


# -- the thread


def open_here(text, driver):
    """Open an input in this process, where the stand-in is."""
    return port_audio.Capture(text)


class Run:
    """An ear in a thread of its own."""

    def __init__(self, ear):
        self.ear, self.stop = ear, threading.Event()
        self.thread = threading.Thread(target=ear.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def until(self, condition):
        end = now() + DEADLINE
        while not condition():
            assert now() < end, (self.ear.state, self.ear.reason)
            self.stop.wait(0.005)

    def end(self):
        self.stop.set()
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()


def kicks(ear):
    found = []
    while not ear.hops.empty():
        found += [hop for hop in [ear.hops.get()] if any(kind == "kick" for kind, _ in hop.heard.hits)]
    return found


def test_an_input_is_heard_lost_and_found_again(desk, caplog, monkeypatch):
    monkeypatch.setattr(port_audio, "SILENT", 60.0)      # it is lost because it is pulled, and not as this machine is busy
    song = played(FOUR, 120.0, 4.0, seed=1).samples
    run = Run(Ear("scarlett", opened=open_here, again=0.02))
    run.until(lambda: run.ear.state == "live")
    desk.play(song)
    run.until(lambda: run.ear.blocks >= len(song) // 512)
    assert len(kicks(run.ear)) >= 6
    desk.plugged.discard("Scarlett 2i2")
    desk.streams[-1].active = False
    run.until(lambda: run.ear.state == "lost")
    desk.plugged.add("Scarlett 2i2")
    run.until(lambda: run.ear.state == "live")
    before = run.ear.blocks
    desk.play(song)
    run.until(lambda: run.ear.blocks >= before + len(song) // 512)
    assert len(kicks(run.ear)) >= 6 and run.ear.reconnects == 1
    run.end()
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) <= 2


def test_nothing_plugged_in_is_one_line(desk, caplog):
    desk.plugged.clear()
    run = Run(Ear("scarlett", opened=open_here, again=0.01))
    run.until(lambda: run.ear.state == "waiting")
    run.stop.wait(0.1)
    run.end()
    assert [r.getMessage() for r in caplog.records] == ["audio: no sound input 'scarlett'; inputs: none is plugged in; playing on without"]


def test_another_input_is_chosen_while_it_plays(desk):
    run = Run(Ear("scarlett", opened=open_here))
    run.until(lambda: run.ear.state == "live")
    run.ear.choose("built-in")
    run.until(lambda: run.ear.name == "Built-in Microphone")
    run.ear.choose("none")
    run.until(lambda: run.ear.state == "off")
    run.end()


def test_a_device_that_delivers_half_of_its_blocks(desk):
    song, run = played(FOUR, 120.0, 8.0, seed=1).samples, Run(Ear("scarlett", opened=open_here))
    run.until(lambda: run.ear.state == "live")
    half = np.concatenate([song[n:n + 512] for n in range(0, len(song), 1024)])
    desk.play(half)
    run.until(lambda: run.ear.blocks >= len(half) // 512)
    assert run.ear.state == "live" and kicks(run.ear)
    run.end()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_a_driver_that_delivers_nonsense(desk, bad):
    run = Run(Ear("scarlett", opened=open_here))
    run.until(lambda: run.ear.state == "live")
    desk.play(np.full(48000, bad, np.float32))
    run.until(lambda: run.ear.heard >= 90)
    assert run.ear.state == "live"
    run.end()


def test_times_of_samples_are_those_of_the_earliest_blocks():
    rng, clock, found = np.random.default_rng(2), SampleClock(48000, late=0.02), []
    for n in range(1, 3000):
        there = n * 512 / 48000 * (1 + 100e-6)           # a card that is a little slow
        found.append(clock.count(512, 50.0 + there + rng.exponential(0.004)) - (50.0 + there - 0.02))
    assert np.abs(found[200:]).max() < 0.002 and np.std(found[200:]) < 0.0005


def test_times_of_samples_after_some_were_lost():
    clock, lost = SampleClock(48000), 0.021
    for n in range(1, 400):
        at = clock.count(512, 50.0 + n * 512 / 48000 + (lost if n > 2 else 0.0))
    assert at == pytest.approx(50.0 + 399 * 512 / 48000 + lost, abs=1e-6)


# -- files


@pytest.fixture
def song(tmp_path):
    return write_wav(tmp_path / "song.wav", played(FOUR, 120.0, 3.0, seed=1).samples)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.at = 50.0

    def now(self):
        return self.at

    def sleep(self, seconds):
        self.at += seconds


def no_speaker(rate):
    raise Lost("no sound output: none")


def test_a_file_plays_in_its_own_time_and_is_over(song):
    time, blocks = Time(), []
    with pytest.raises(Over, match="song.wav is over"):
        for block in FileInput(str(song), time.now, time.sleep, no_speaker).read_blocks(lambda: False):
            blocks.append(block)
    assert sum(len(samples) for samples, _ in blocks) == 3 * 48000 and time.at == pytest.approx(53.0, abs=0.02)
    assert [at for _, at in blocks] == pytest.approx([50 + (n + 1) * 512 / 48000 for n in range(len(blocks) - 1)] + [53.0], abs=1e-6)


class Speaker:
    latency, written = 0.1, 0

    def __init__(self, rate):
        Speaker.written = 0

    def write(self, samples):
        assert samples.dtype == np.float32 and abs(samples).max() <= 1.0
        Speaker.written += len(samples)
        if Speaker.written > 48000:
            raise Lost("the sound output has gone: unplugged")

    def close(self):
        pass


def test_a_file_is_played_through_the_speakers_and_goes_on_without_them(song, caplog):
    time = Time()
    blocks = FileInput(str(song), time.now, time.sleep, Speaker).read_blocks(lambda: False)
    assert next(blocks)[1] == pytest.approx(50.1)        # heard when it leaves the speakers
    with pytest.raises(Over):
        for _ in blocks:
            pass
    assert Speaker.written > 48000 and "heard by the show alone" in caplog.text


@pytest.mark.parametrize("rate, channels", [(8000, 1), (44100, 2), (96000, 1)])
def test_files_of_other_rates(tmp_path, rate, channels):
    t = np.arange(rate) / rate
    tone = np.repeat(0.5 * np.sin(2 * np.pi * 440 * t)[:, None], channels, 1)
    samples = read(write_wav(tmp_path / "a.wav", tone, rate, channels))
    assert samples.dtype == np.int16 and abs(len(samples) - 48000) < 100
    assert abs(np.argmax(np.abs(np.fft.rfft(samples[:48000].astype(float)))) - 440) <= 2


@pytest.mark.parametrize("content", [b"", b"not sound at all " * 100, b"RIFF\x00\x00\x00\x00WAVEfmt "])
def test_a_file_that_is_no_sound(tmp_path, content, caplog):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(UserError, match="a.wav"):
        read(path)
    run = Run(Ear(str(path), again=0.01))
    run.until(lambda: run.ear.state == "waiting")
    run.stop.wait(0.05)
    run.end()
    assert len(caplog.records) == 1 and "\n" not in caplog.records[0].getMessage()


def test_a_file_that_is_not_there_is_a_mistake_of_the_flag(tmp_path):
    with pytest.raises(UserError, match="--audio .*gone.flac: there is no such file"):
        check(str(tmp_path / "gone.flac"))
    check(None)
    check("Scarlett")
