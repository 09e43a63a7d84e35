import itertools
import os
import queue
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import UserError
from live import controls
from live.controls import midi
from live.controls.midi import Clocks, Stats, decode, list_ports
from live.mapping.mapping import Mapping
from live.midi import feedback
from live.midi.ports import Supervisor, find_belonging, make_test, strip_numbers
from live.show.clock import now, sleep
from live.show.events import Change, ControlEvent
from live.show.inbox import drain

mido = pytest.importorskip("mido")

CLOCK = Path(__file__).parents[2] / "senders" / "midi_clock.py"
DEADLINE = 120.0                    # seconds after which a test gives up waiting


@pytest.mark.parametrize("data, control, value, momentary", [
    ([0xB0, 16, 127], "cc 1/16", 1.0, False),
    ([0xBF, 127, 0], "cc 16/127", 0.0, False),
    ([0x90, 36, 127], "note 1/36", 1.0, True),
    ([0x90, 36, 0], "note 1/36", 0.0, True),          # the usual way to say note off
    ([0x80, 36, 64], "note 1/36", 0.0, True),
    ([0xE0, 0, 0], "bend 1", 0.0, False),
    ([0xE0, 0, 64], "bend 1", 0.5, False),
    ([0xE0, 127, 127], "bend 1", 1.0, False),
    ([0xC1, 0], "program 2/1", 1.0, True),
    ([0xC1, 127], "program 2/128", 1.0, True),
    ([0xD0, 127], "pressure 1", 1.0, False),
    ([0xA0, 36, 127], "pressure 1/36", 1.0, False),
])
def test_what_messages_mean(data, control, value, momentary):
    assert decode(mido.Message.from_bytes(data), "", 3.0) == ControlEvent(control, value, momentary, 3.0)
    assert decode(mido.Message.from_bytes(data), "Nano").control == f"{control} @ Nano"


@pytest.mark.parametrize("data", [[0xF8], [0xFA], [0xF0, 1, 2, 0xF7], [0xF2, 1, 2], [0xFE]])
def test_what_is_no_control(data):
    assert decode(mido.Message.from_bytes(data)) is None


@pytest.mark.parametrize("name, system, base", [
    ("nanoKONTROL2:nanoKONTROL2 MIDI 1 24:0", "linux", "nanoKONTROL2:nanoKONTROL2 MIDI 1"),
    ("fakectl-01:out", "linux", "fakectl:out"),
    ("nanoKONTROL2 1", "win32", "nanoKONTROL2"),
    ("MIDIIN2 (X-TOUCH) 3", "win32", "MIDIIN2 (X-TOUCH)"),
    ("Launchpad Port 1", "darwin", "Launchpad Port 1"),
])
def test_names_without_the_numbers_that_change(name, system, base):
    assert strip_numbers(name, system) == base


def test_a_pattern_that_is_none():
    with pytest.raises(UserError, match=r"--midi-ports '\(': .*expected part of a port's name"):
        make_test("(")


# -- a rack of ports that can be pulled and plugged

class Port:
    def __init__(self, receive):
        self.receive, self.closed, self.unstuck = receive, False, 0

    def close(self):
        self.closed = True

    def unstick(self):
        self.unstuck += 1


class Rack:
    """Stands in for Library: `there` are the ports, by name."""
    message, troubles = mido.Message, (OSError,)

    def __init__(self, *there):
        self.there, self.opened, self.busy, self.fails, self.outputs = list(there), [], set(), False, []
        self.another, self.anew = False, 0

    def list_names(self, outputs=False):
        if self.fails:
            raise UserError("MIDI: the ports can't be listed: no server")
        return list(self.outputs if outputs else self.there)

    def open_output(self, index):
        if self.outputs[index] in self.busy:
            raise OSError("taken")
        return self.outputs[index]

    def open(self, index, receive):
        if self.there[index] in self.busy:
            raise OSError("error creating Windows MM MIDI input port")
        port = Port(receive)
        self.opened.append((self.there[index], port))
        return port

    def is_another(self):
        another, self.another = self.another, False
        return another

    def close(self):
        self.anew += 1


class Hands(list):
    """A supervisor over a rack, and what it emitted."""

    def __init__(self, *there, ports=None):
        self.rack, self.stats = Rack(*there), Stats()
        self.supervisor = Supervisor(self.append, make_test(ports), self.rack, self.stats, decode)
        self.supervisor.look()

    def look(self, *there):
        self.rack.there = list(there)
        self.supervisor.look()

    def devices(self):
        seen = [(e.control.removeprefix("device "), e.value) for e in self]
        self.clear()
        return seen


def test_unplugged_and_plugged_in_elsewhere():
    hands = Hands("Nano:Nano MIDI 1 24:0", "LPD8:LPD8 MIDI 1 28:0")
    assert hands.devices() == [("Nano:Nano MIDI 1", 1.0), ("LPD8:LPD8 MIDI 1", 1.0)]
    hands.look("LPD8:LPD8 MIDI 1 28:0")
    assert hands.devices() == [("Nano:Nano MIDI 1", 0.0)] and hands.rack.opened[0][1].closed
    hands.look("LPD8:LPD8 MIDI 1 28:0", "Nano:Nano MIDI 1 32:0")
    assert hands.devices() == [("Nano:Nano MIDI 1", 1.0)]
    assert hands.stats.report() == {"ports": ["LPD8:LPD8 MIDI 1", "Nano:Nano MIDI 1"], "messages": 0, "bad": 0, "reconnects": 1}


def test_another_server_means_that_everything_is_opened_anew():
    """What was opened at a JACK server that has gone is dead and does not say so."""
    hands = Hands("Nano:out")
    assert hands.devices() == [("Nano:out", 1.0)]
    hands.rack.another = True
    hands.look("Nano:out")
    assert hands.devices() == [("Nano:out", 0.0), ("Nano:out", 1.0)] and hands.rack.opened[0][1].closed and hands.rack.anew == 1
    hands.look("Nano:out")
    assert hands.devices() == [] and hands.rack.anew == 1


def test_twins_keep_their_places():
    hands = Hands("Nano:Nano 24:0", "Nano:Nano 28:0")
    assert hands.devices() == [("Nano:Nano", 1.0), ("Nano:Nano #2", 1.0)]
    hands.look("Nano:Nano 28:0")
    assert hands.devices() == [("Nano:Nano", 0.0)]
    hands.look("Nano:Nano 28:0", "Nano:Nano 36:0")
    assert hands.devices() == [("Nano:Nano", 1.0)]


def test_twins_that_the_system_does_not_tell_apart_are_opened_anew():
    """On macOS both are called the same: when one goes nobody knows which."""
    hands = Hands("Nano", "Nano")
    assert hands.devices() == [("Nano", 1.0), ("Nano #2", 1.0)]
    hands.look("Nano")
    assert hands.devices() == [("Nano", 0.0), ("Nano #2", 0.0), ("Nano", 1.0)]
    assert [port.closed for _, port in hands.rack.opened] == [True, True, False]


def test_only_the_ports_asked_for():
    assert Hands("Nano:Nano 24:0", "Midi Through 14:0", ports="nano|lpd8").devices() == [("Nano:Nano", 1.0)]


def test_a_port_somebody_else_has_is_tried_again(caplog):
    hands = Hands()
    hands.rack.busy.add("Nano 1")
    for _ in range(3):
        hands.look("Nano 1")
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
        "MIDI: Nano 1 can't be opened: error creating Windows MM MIDI input port; another program may have it (on Windows only one can)"]
    hands.rack.busy.clear()
    hands.look("Nano 1")
    assert len(hands.devices()) == 1


def test_a_server_that_goes_away_takes_the_ports_along(caplog):
    hands = Hands("Nano")
    hands.devices()
    hands.rack.fails = True
    hands.look("Nano")
    assert hands.devices() == [("Nano", 0.0)] and "can't be listed" in caplog.text
    hands.rack.fails = False
    hands.look("Nano")
    assert hands.devices() == [("Nano", 1.0)]


@pytest.mark.parametrize("name, outputs, found", [
    ("Nano:Nano MIDI 1 24:0", ["LPD8:LPD8 28:0", "Nano:Nano MIDI 1 24:0"], "Nano:Nano MIDI 1 24:0"),     # ALSA
    ("nano-01:out", ["nano:in", "nano-01:in"], "nano-01:in"),                                             # JACK
    ("nano-02:out", ["nano-03:in"], "nano-03:in"),
    ("Nano 0", ["Synth 1", "Nano 2"], None), ("Nano", ["Nano"], "Nano"), ("Nano", ["Nanobot"], None), ("Nano", [], None),
])
def test_the_output_that_belongs_to_an_input(name, outputs, found):
    key = find_belonging(name, [(output, 0) for output in outputs])
    assert (key and key[0]) == found


class Lamp:
    """What answers() makes: remembers for whom, and whether it was closed."""

    def __init__(self, device, port):
        self.device, self.port, self.closed = device, port, False

    def close(self):
        self.closed = True


def test_each_device_is_answered_through_its_own_output_as_it_comes_and_goes(caplog):
    lamps = []
    hands = Hands("Nano:Nano 24:0", "Nano:Nano 28:0", "Piano:Piano 32:0")
    hands.supervisor.answers = lambda device, port: lamps.append(Lamp(device, port)) or lamps[-1]
    hands.rack.outputs = ["Nano:Nano 24:0", "Nano:Nano 28:0"]
    hands.supervisor.look()
    assert [(lamp.device, lamp.port) for lamp in lamps] == [("Nano:Nano", "Nano:Nano 24:0"), ("Nano:Nano #2", "Nano:Nano 28:0")]
    hands.rack.outputs = ["Nano:Nano 28:0"]
    hands.look("Nano:Nano 28:0", "Piano:Piano 32:0")
    assert [lamp.closed for lamp in lamps] == [True, False]
    hands.rack.outputs.append("Nano:Nano 36:0")
    hands.look("Nano:Nano 28:0", "Piano:Piano 32:0", "Nano:Nano 36:0")
    assert (lamps[2].device, lamps[2].port) == ("Nano:Nano", "Nano:Nano 36:0") and len(lamps) == 3
    hands.rack.outputs, hands.rack.busy = ["Piano:Piano 32:0"], {"Piano:Piano 32:0"}
    hands.look("Nano:Nano 28:0", "Piano:Piano 32:0")
    assert all(lamp.closed for lamp in lamps) and "Piano:Piano can't be sent to: taken; its lights stay as they are" in caplog.text


def test_clock_messages_go_to_the_clock_and_broken_ones_to_nobody():
    told = []
    hands = Hands("Nano")
    hands.supervisor.clock = lambda *message: told.append((message[0], *message[2:]))
    hands.devices()
    for data in ([0xF8], [0xFA], [0xFB], [0xFC], [0xF2, 1, 2], [0xF2, 1], [0xF8, 1], []):
        hands.rack.opened[0][1].receive(data)
    assert told == [("clock", 0, "Nano"), ("start", 0, "Nano"), ("continue", 0, "Nano"), ("stop", 0, "Nano"), ("songpos", 257, "Nano")]
    assert hands == [] and hands.stats.messages >= 5


def test_rubbish_is_counted():
    hands = Hands("Nano")
    hands.devices()
    receive, chance = hands.rack.opened[0][1].receive, random.Random(3)
    sent = [[chance.randrange(256) for _ in range(chance.randrange(6))] for _ in range(3000)]
    for data in sent:
        receive(data)
    assert hands.stats.messages + hands.stats.bad == 3000 - sent.count([0xF7]) and hands.stats.bad > 1000
    assert all(0.0 <= event.value <= 1.0 for event in hands)


def test_midi_without_a_system_for_it_is_no_reason_to_stop(monkeypatch, caplog):
    def none(api):
        raise UserError("MIDI: this machine has no ALSA sequencer; with a JACK server: --midi-api UNIX_JACK")
    monkeypatch.setattr(midi, "Library", none)
    controls.start("midi", None)()
    assert "no ALSA sequencer; with a JACK server: --midi-api UNIX_JACK; playing on without midi" in caplog.text
    assert list_ports()["problem"].startswith("MIDI: this machine") and list_ports()["inputs"] == []


def test_an_api_that_is_not_there():
    pytest.importorskip("rtmidi")
    assert list_ports("OSS")["problem"].startswith("--midi-api OSS: not on this machine; there: ")


# -- real ports

@pytest.fixture(scope="module")
def jack():
    """A JACK server of our own."""
    rtmidi = pytest.importorskip("rtmidi")
    if shutil.which("jackd") is None or rtmidi.API_UNIX_JACK not in rtmidi.get_compiled_api():
        pytest.skip("jackd is not installed")
    name = f"lj-test-{os.getpid()}"
    before = {key: os.environ.get(key) for key in ("JACK_DEFAULT_SERVER", "JACK_NO_START_SERVER")}
    os.environ.update(JACK_DEFAULT_SERVER=name, JACK_NO_START_SERVER="1")
    server = subprocess.Popen(["jackd", "-r", "-n", name, "-d", "dummy", "-r", "48000", "-p", "256"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = now() + DEADLINE
    while "problem" in list_ports("UNIX_JACK"):
        if server.poll() is not None or now() > end:
            pytest.skip("jackd does not run here")
        sleep(0.2)
    yield rtmidi
    server.terminate()
    server.wait()
    for key, value in before.items():
        os.environ.pop(key) if value is None else os.environ.__setitem__(key, value)


class Controller:
    """A fake controller on a real port. lights: what it was sent, where it has a port for that."""

    def __init__(self, rtmidi, name="nanoKONTROL2"):
        self.out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=name)
        self.out.open_virtual_port("out")
        self.input, self.lights = None, []

    def with_lights(self, rtmidi, name="nanoKONTROL2"):
        self.input = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name=name)
        self.input.set_callback(lambda event, data: self.lights.append(tuple(event[0])))
        self.input.open_virtual_port("in")
        return self

    def unplug(self):
        if self.input:
            self.input.close_port()
            self.input.delete()
        self.out.close_port()
        self.out.delete()


def until(inbox, control, value=None):
    """Wait for an event; returns it."""
    while True:
        event = inbox.get(timeout=DEADLINE)
        if event.control == control and (value is None or event.value == pytest.approx(value)):
            return event


def arrives(inbox, controller, message, control, value):
    """Send until it is heard: a JACK connection takes a period to stand, and on a busy machine its buffers overflow."""
    end = now() + DEADLINE
    while now() < end:
        controller.out.send_message(message)
        try:
            event = inbox.get(timeout=0.2)
        except queue.Empty:
            continue
        if event.control == control and event.value == pytest.approx(value):
            assert event.at > 0
            return event
    raise AssertionError(f"{control} never came")


def brings(heard, controller, messages, wanted):
    """Send these until something wanted is heard; returns it."""
    end = now() + DEADLINE
    while now() < end:
        for data in messages:
            controller.out.send_message(data)
        try:
            item = heard.get(timeout=0.5)
        except queue.Empty:
            continue
        if wanted(item):
            return item
    raise AssertionError(f"{messages} were never heard")


def test_two_controllers_of_one_name_unplugged_and_plugged_in_again(jack):
    """Values stay, faders meet them anew, and each keeps its place."""
    inbox, stats = queue.SimpleQueue(), controls.make_stats("midi")
    end = controls.start("midi", inbox.put, ports="nano", api="UNIX_JACK", stats=stats, look=0.05)
    try:
        one = Controller(jack)
        until(inbox, "device nanoKONTROL2:out", 1.0)
        two = Controller(jack)
        until(inbox, "device nanoKONTROL2:out #2", 1.0)
        arrives(inbox, one, [0xB0, 16, 64], "cc 1/16 @ nanoKONTROL2:out", 64 / 127)
        arrives(inbox, two, [0xB0, 16, 65], "cc 1/16 @ nanoKONTROL2:out #2", 65 / 127)
        one.unplug()
        until(inbox, "device nanoKONTROL2:out", 0.0)
        arrives(inbox, two, [0x90, 36, 127], "note 1/36 @ nanoKONTROL2:out #2", 1.0)
        one = Controller(jack)
        until(inbox, "device nanoKONTROL2:out", 1.0)
        arrives(inbox, one, [0xC0, 4], "program 1/5 @ nanoKONTROL2:out", 1.0)
        assert {"nanoKONTROL2:out", "nanoKONTROL2:out #2"} == set(stats.report()["ports"]) and stats.reconnects == 1
        one.unplug(), two.unplug()
    finally:
        end()


def test_a_real_fader_turns_a_parameter(jack, instrument):
    inbox, mapping, scene = queue.SimpleQueue(), Mapping.load(), instrument.scene()
    end = controls.start("midi", inbox.put, api="UNIX_JACK", look=0.05)
    controller = Controller(jack, "Wheel")
    try:
        until(inbox, "device Wheel:out", 1.0)
        arrives(inbox, controller, [0xB0, 16, 0], "cc 1/16 @ Wheel:out", 0.0)
        for position in range(0, 128, 4):             # up through the value there is
            event = arrives(inbox, controller, [0xB0, 16, position], "cc 1/16 @ Wheel:out", position / 127)
            scene = scene.set(mapping.translate([event], scene))
        assert scene["/truncation"] == pytest.approx(124 / 127 * 2, abs=1e-3)
    finally:
        controller.unplug()
        end()


class Stage:
    """A show of a scene and a mapping on real ports, without pictures; play() hears what has come."""
    recall = tempo = None

    def __init__(self, scene, mapping, **more):
        self.scene, self.mapping, self.inbox = scene, mapping, queue.SimpleQueue()
        self.stats = controls.make_stats("midi")
        self.end = controls.start("midi", self.inbox.put, ports="nano", api="UNIX_JACK", stats=self.stats, look=0.05,
                                  answers=feedback.make_answer(self), **more)

    def until(self, condition, act=lambda: None):
        end = now() + DEADLINE
        while not condition():
            assert now() < end
            act()
            sleep(0.03)
            found = self.mapping.translate(drain(self.inbox), self.scene)
            self.scene = self.scene.set([item for item in found if isinstance(item, Change)])


def test_a_show_with_a_real_controller_that_is_pulled_and_comes_back(jack, instrument):
    """Learned, played, lit; values held while it is away, lights sent again and faders picked up when it is back."""
    stage = Stage(instrument.scene(), Mapping.load())
    one = Controller(jack).with_lights(jack)
    try:
        stage.until(lambda: "nanoKONTROL2:out" in stage.stats.ports)
        stage.mapping.learn.begin("/truncation")
        positions = itertools.cycle(range(10, 127))           # of the first some may be lost
        stage.until(lambda: not stage.mapping.learn.wanted, lambda: one.out.send_message([0xB0, 3, next(positions)]))
        stage.until(lambda: stage.scene["/truncation"] > 1.2, lambda: one.out.send_message([0xB0, 3, next(positions)]))
        stage.scene = stage.scene.set([Change("/truncation", 0.5)])
        stage.until(lambda: (0xB0, 3, 64) in one.lights)
        one.unplug()
        stage.until(lambda: not stage.stats.ports)
        assert stage.scene["/truncation"] == 0.5
        stage.scene = stage.scene.set([Change("/truncation", -1.0)])
        one = Controller(jack).with_lights(jack)
        stage.until(lambda: (0xB0, 3, 0) in one.lights)
        stage.until(lambda: stage.stats.messages and "cc 1/3 @ nanoKONTROL2:out" in stage.mapping.hands,
                    lambda: one.out.send_message([0xB0, 3, 100]))
        assert stage.scene["/truncation"] == -1.0            # far from where the value is
        down = iter(range(96, -1, -4))
        stage.until(lambda: stage.mapping.hands["cc 1/3 @ nanoKONTROL2:out"][0] == 0.0, lambda: one.out.send_message([0xB0, 3, next(down, 0)]))
        stage.until(lambda: stage.scene["/truncation"] > -0.8, lambda: one.out.send_message([0xB0, 3, 12]))
    finally:
        one.unplug()
        stage.end()


def test_a_flood_rubbish_and_sysex_on_a_real_port(jack, instrument):
    stage = Stage(instrument.scene(), Mapping.load())
    one = Controller(jack)
    try:
        stage.until(lambda: "nanoKONTROL2:out" in stage.stats.ports)
        for n in range(3000):
            one.out.send_message([0xB0, 50 + n % 20, n % 128])
        one.out.send_message([0xF0, *range(100), 0xF7])
        stage.until(lambda: "cc 1/16 @ nanoKONTROL2:out" in stage.mapping.hands, lambda: one.out.send_message([0xB0, 16, 3]))
    finally:
        one.unplug()
        stage.end()


def test_a_real_clock_drives_the_tempo(jack):
    """A sender in a process of its own, over JACK; how near and for how long is what `bench hands` measures."""
    from live.show.tempo import Follower

    heard, follower = queue.SimpleQueue(), Follower()
    end = controls.start("midi", lambda event: None, ports="clock", api="UNIX_JACK", look=0.05, clock=lambda *message: heard.put(message))
    sender = subprocess.Popen([sys.executable, str(CLOCK), "--bpm", "128", "--seconds", "200"], stdin=subprocess.DEVNULL)
    try:
        kinds, last = [], 0.0
        while kinds.count("clock") < 192 or abs((follower.predict(last) or (0.0,))[0] - 128.0) > 3.0:        # on a machine with nothing else to do 0.3 after 192
            kind, at, value, device = heard.get(timeout=DEADLINE)
            assert device == "clock:out" and at >= last
            kinds.append(kind)
            follower.take_message(kind, at, value)
            last = at
        assert kinds[0] in ("start", "clock")
    finally:
        sender.terminate()
        sender.wait()
        end()


def test_a_sysex_without_its_end_does_not_silence_a_port(jack):
    inbox, stats = queue.SimpleQueue(), controls.make_stats("midi")
    end = controls.start("midi", inbox.put, ports="Sys", api="UNIX_JACK", stats=stats, look=0.05)
    controller = Controller(jack, "Sys")
    try:
        until(inbox, "device Sys:out", 1.0)
        arrives(inbox, controller, [0xB0, 16, 1], "cc 1/16 @ Sys:out", 1 / 127)
        for value in (2, 3):
            controller.out.send_message([0xF0, 0x42, 0x40])
            arrives(inbox, controller, [0xB0, 16, value], "cc 1/16 @ Sys:out", value / 127)
        assert stats.report()["bad"] == 0
    finally:
        end()
        controller.unplug()


def test_a_server_that_dies_and_returns(monkeypatch):
    rtmidi = pytest.importorskip("rtmidi")
    if shutil.which("jackd") is None or rtmidi.API_UNIX_JACK not in rtmidi.get_compiled_api():
        pytest.skip("jackd is not installed")
    name = f"lj-back-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    result = subprocess.run([sys.executable, Path(__file__).parents[2] / "senders" / "jack_returns.py", name], capture_output=True, text=True, timeout=280,
                            cwd=Path(__file__).parents[3])
    if "no server" in result.stdout:
        pytest.skip("jackd does not run here")
    assert result.stdout.splitlines()[-1:] == ["heard 20, died, heard 90"], result.stderr[-2000:]


def test_timecode_and_show_control_come_through_a_real_port(jack):
    from tests.live.midi.test_mtc import quarters

    inbox, heard = queue.SimpleQueue(), queue.SimpleQueue()
    clocks = Clocks(lambda *found: None, lambda *found: heard.put(found), heard.put)
    end = controls.start("midi", inbox.put, ports="Tape", api="UNIX_JACK", look=0.05, clock=clocks.receive)
    controller = Controller(jack, "Tape")
    try:
        until(inbox, "device Tape:out", 1.0)
        arrives(inbox, controller, [0xB0, 16, 1], "cc 1/16 @ Tape:out", 1 / 127)
        source, seconds, _, running = brings(heard, controller, quarters(1, 2, 3, 4, 1), lambda item: isinstance(item, tuple))
        assert (source, running) == ("MTC of Tape:out", True) and seconds == pytest.approx(3723 + 5.75 / 25)
        order = brings(heard, controller, [[0xF0, 0x7F, 0x7F, 2, 1, 1, 0x33, 0xF7]], lambda item: not isinstance(item, tuple))
        assert (order.command, order.arguments) == ("/msc/go", ("3",))
    finally:
        end()
        controller.unplug()
