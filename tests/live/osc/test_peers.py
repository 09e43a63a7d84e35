"""Programs that others wrote, and one shaped like TouchDesigner: liblo, Pure Data, osc.js. Set, ask, listen, echo."""
import contextlib
import json
import queue
import select
import shutil
import socket
import subprocess
import threading

import pytest

import live.show.modulator_commands  # noqa: F401  (registers the commands)
from engine.motion import Motion
from live import controls
from live.mapping.mapping import Mapping
from live.osc import subscriber
from live.osc.address import read_value
from live.osc.echo import Echo
from live.osc.packet import read
from live.show.events import ControlEvent, Tick
from live.show.loop import Show
from live.show.parameters import add_parameters
from tests.live.osc.test_echo import codec
from tests.ports import find_free_port
from tests.senders.touchdesigner import bundle, message

SOON = 90


class Playing:
    """A show with an OSC port and an echo, its loop turning in a thread until it is closed."""

    def __init__(self, instrument):
        scene = add_parameters(instrument.scene())
        self.show = Show(instrument, Mapping(), scene, Motion())
        self.show.instrument = self
        self.echo = Echo(lambda: (self.show.scene, self.show.motion))
        opened, self._stop = queue.SimpleQueue(), threading.Event()
        self._end = controls.start("osc", self.show.inbox.put, port=0, opened=opened.put, echo=self.echo,
                                   answers=(lambda address: read_value(self.show.scene, address), lambda: self.show.scene.parameters))
        self.port = opened.get(timeout=SOON)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def render(self, scene, motion, source):
        return None

    def _work(self):
        frame = 0
        while not self._stop.wait(1 / 120):
            frame += 1
            self.show.frame(Tick(frame, frame / 120, 1 / 120))

    def wait(self, address, value):
        """Until the parameter has this value."""
        done = threading.Event()
        for _ in range(SOON * 100):
            if abs(self.show.scene[address] - value) < 1e-6:
                return
            done.wait(0.01)
        raise AssertionError(f"{address} is {self.show.scene[address]}, not {value}")

    def close(self):
        self._stop.set()
        self._thread.join()
        self._end()
        self.echo.close()


@pytest.fixture
def playing(instrument):
    playing = Playing(instrument)
    yield playing
    playing.close()


@contextlib.contextmanager
def running(*command, **more):
    """A program whose lines can be waited for; ended with the test."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def line_with(process, text):
    """The next line a program writes that has this text in it."""
    deadline = threading.Timer(SOON, process.kill)
    deadline.start()
    try:
        for line in process.stdout:
            if text in line:
                return line
        raise AssertionError(f"no line with {text!r}")
    finally:
        deadline.cancel()


def wait_until_bound(port):
    """Until somebody listens at a UDP port: a datagram there is no longer refused."""
    pause = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", port))
        for _ in range(SOON * 20):
            try:
                udp.send(b"/knock\0\0,\0\0\0")
                pause.wait(0.05)
                udp.send(b"/knock\0\0,\0\0\0")
                return
            except ConnectionRefusedError:
                pause.wait(0.05)
    raise AssertionError(f"nobody listens at {port}")


@pytest.mark.skipif(not shutil.which("oscdump") or not shutil.which("oscsend"), reason="needs liblo-tools")
def test_liblo(playing):
    """oscsend sets and subscribes, oscdump is told; nothing liblo calls invalid."""
    port = find_free_port()
    send = lambda *words: subprocess.run(["oscsend", "127.0.0.1", str(playing.port), *words], check=True, timeout=SOON)
    with running("stdbuf", "-oL", "oscdump", "-L", str(port)) as ear:
        wait_until_bound(port)
        send("/subscribe", "is", str(port), "/truncation")
        assert "f 0.800000" in line_with(ear, "/truncation ")
        send("/truncation", "f", "1.25")
        assert "f 1.250000" in line_with(ear, "/truncation ")
        send("/n/truncation", "f", "0.5")
        assert "f 0.500000" in line_with(ear, "/truncation ")
        send("/subscribe", "iss", str(port), "/walk/kind", "all")
        assert 's "loop"' in line_with(ear, "/walk/kind")
        send("/walk/kind", "s", "hold")
        assert 's "hold"' in line_with(ear, "/walk/kind")
        send("/modulators/add", "sssf", "swell", "/truncation", "square", "0.25")
        send("/subscribe", "is", str(port), "/played/truncation")
        line_with(ear, "/played/truncation f 1.25")
    assert playing.show.scene["/truncation"] == 0.5


PATCH = """#N canvas 0 0 450 300 12;
#X obj 10 10 loadbang;
#X msg 10 40 connect 127.0.0.1 {there};
#X obj 10 70 t b b;
#X msg 10 100 {port} /tempo;
#X msg 160 100 1.25;
#X obj 10 130 oscformat subscribe;
#X obj 160 130 oscformat truncation;
#X obj 10 160 list prepend send;
#X obj 10 190 list trim;
#X obj 10 220 netsend -u -b;
#X obj 300 10 netreceive -u -b {port};
#X obj 300 40 oscparse;
#X obj 300 70 print heard;
#X obj 10 25 t b b;
#X connect 0 0 13 0;
#X connect 13 1 1 0;
#X connect 13 0 2 0;
#X connect 1 0 9 0;
#X connect 2 1 3 0;
#X connect 2 0 4 0;
#X connect 3 0 5 0;
#X connect 4 0 6 0;
#X connect 5 0 7 0;
#X connect 6 0 7 0;
#X connect 7 0 8 0;
#X connect 8 0 9 0;
#X connect 10 0 11 0;
#X connect 11 0 12 0;
"""


@pytest.mark.skipif(not shutil.which("pd"), reason="needs puredata-core")
def test_pure_data(playing, tmp_path):
    """A patch that subscribes and sets with Pd's own OSC objects, and prints what it is told."""
    port = find_free_port()
    patch = tmp_path / "peer.pd"
    patch.write_text(PATCH.format(there=playing.port, port=port))
    with running("pd", "-nogui", "-noaudio", "-nomidi", "-stderr", "-open", str(patch)) as pd:
        playing.wait("/truncation", 1.25)
        assert "tempo 120" in line_with(pd, "heard: list tempo 120")
        playing.show.inbox.put(ControlEvent("osc /tempo", 90.0))
        assert "tempo 90" in line_with(pd, "heard: list tempo 90")


SCRIPT = """
const osc = require("osc");
const port = new osc.UDPPort({localAddress: "127.0.0.1", localPort: 0, remoteAddress: "127.0.0.1", remotePort: %d, metadata: true});
port.on("message", m => console.log(JSON.stringify([m.address, m.args.map(a => a.value)])));
port.on("ready", () => {
  port.send({address: "/subscribe", args: [{type: "i", value: port.socket.address().port}, {type: "s", value: "/tempo"}]});
  port.send({address: "/truncation", args: [{type: "f", value: 1.25}]});
  port.send({address: "/truncation", args: [{type: "s", value: "?"}]});
});
port.open();
"""


def has_osc_js():
    return shutil.which("node") and subprocess.run(["node", "-e", 'require("osc")'], capture_output=True, timeout=60).returncode == 0


def test_osc_js(playing):
    if not has_osc_js():
        pytest.skip("needs node and the npm package osc (NODE_PATH)")
    with running("node", "-e", SCRIPT % playing.port) as client:
        playing.wait("/truncation", 1.25)
        heard = [json.loads(line_with(client, "[")) for _ in range(3)]
    assert ["/tempo", [120]] in heard


class TouchDesigner:
    """An OSC Out CHOP and an OSC In CHOP, as TouchDesigner has them: bundles with a time tag out, `f` and `i` in."""

    def __init__(self, there):
        self.there, self.channels = ("127.0.0.1", there), {}
        self.out, self.into = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.into.bind(("127.0.0.1", 0))
        self.port = self.into.getsockname()[1]

    def cook(self, **channels):
        """One frame: all channels out, whatever has come in."""
        self.out.sendto(bundle([message("/" + name.replace("__", "/"), value) for name, value in channels.items()]), self.there)
        while select.select([self.into], (), (), 1 / 60)[0]:
            for address, arguments in read(self.into.recv(65535), codec)[0]:
                assert all(type(value) in (float, int) for value in arguments), "a CHOP takes nothing else"
                names = [address[1:]] if len(arguments) == 1 else [f"{address[1:]}{i}" for i in range(1, len(arguments) + 1)]
                self.channels |= dict(zip(names, arguments))

    def cook_until(self, found, **channels):
        for _ in range(SOON * 60):
            self.cook(**channels)
            if found():
                return
        raise AssertionError(f"not within {SOON} s; channels: {self.channels}")

    def close(self):
        self.out.close()
        self.into.close()


def test_a_touchdesigner_patch_in_both_directions(playing, monkeypatch):
    """The patch docs/osc.md describes: a channel `subscribe`, every channel every cook, an OSC In CHOP."""
    monkeypatch.setattr(subscriber, "SETTLE", 2.0)                # a busy machine takes longer to play what came than a listener is left alone
    td = TouchDesigner(playing.port)
    try:
        td.cook_until(lambda: "walk/kind" in td.channels and "tempo" in td.channels, subscribe=td.port, walk__speed=0.5)
        assert td.channels["walk/kind"] == 3 and td.channels["tempo"] == 120 and len(playing.echo.subscribers) == 1
        td.channels.clear()
        td.cook_until(lambda: playing.show.scene["/truncation"] == 1.25, subscribe=td.port, truncation=1.25)
        playing.show.inbox.put(ControlEvent("osc /tempo", 90.0))
        td.cook_until(lambda: td.channels.get("tempo") == 90.0, subscribe=td.port, truncation=1.25)
        assert "truncation" not in td.channels                    # its own
        playing.show.inbox.put(ControlEvent("osc /truncation", 0.5))
        td.cook_until(lambda: td.channels.get("truncation") == 0.5, subscribe=td.port)
    finally:
        td.close()

