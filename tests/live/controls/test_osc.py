"""OSC over a real socket: senders in other processes, answers, rubbish, and a show that plays through it."""
import contextlib
import itertools
import json
import logging
import pathlib
import queue
import shutil
import socket
import struct
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.parameter import Parameter
from engine.scene import Scene
from live import controls
from live.mapping.mapping import Mapping
from live.osc.address import read_value
from live.osc.packet import DEPTH
from live.osc.port import listen
from live.osc.receiver import Receiver
from live.osc.stats import Stats
from live.show.events import Tick
from live.show.loop import Show
from tests.senders.touchdesigner import answers, bundle, message, string

ROOT = pathlib.Path(__file__).parents[3]
SENDER = [sys.executable, str(ROOT / "tests" / "senders" / "touchdesigner.py")]
SOON = 90                           # seconds until something that must happen counts as never
SCENE = Scene({
    "/truncation": Parameter(0.5, -1.0, 2.0), "/tempo": Parameter(120.0, 20.0, 300.0),
    "/walk/kind": Parameter("loop", choices=("loop", "hold")), "/walk/seed": Parameter(16777217.0, 0, 2 ** 31 - 1, step=1),
    "/walk/z": Parameter((1.0, 2.0), -8.0, 8.0, size=512),
    **{f"/bends/channel{i}/factor": Parameter(0.0, -2.0, 2.0) for i in range(300)},
})


class Port:
    """An OSC source listening on a port of its own, what it emitted, and a socket to talk to it."""

    def __init__(self):
        self.scene, self.inbox, self.stats = SCENE, queue.SimpleQueue(), Stats()
        opened = queue.SimpleQueue()
        self.end = controls.start(
            "osc", self.inbox.put, port=0, opened=opened.put, stats=self.stats,
            answers=(lambda address: read_value(self.scene, address), lambda: self.scene.parameters))
        self.number = opened.get(timeout=SOON)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(SOON)

    def send(self, *datagrams):
        """Send, no more at once than the system keeps for a receiver that does not get its turn."""
        waiting, before = 0, self.stats.packets
        for number, datagram in enumerate(datagrams):
            if waiting + len(datagram) + 1024 > 100_000:
                until_packets(self, before + number)
                waiting = 0
            self.socket.sendto(datagram, ("127.0.0.1", self.number))
            waiting += len(datagram) + 1024

    def emitted(self):
        return self.inbox.get(timeout=SOON)

    def up_to(self, address):
        """Everything emitted before the event from this address."""
        items = []
        while getattr(item := self.emitted(), "control", "") != f"osc {address}":
            items.append(item)
        return items

    def answers(self, count):
        """The next answers, of however many datagrams: {address: its first number}."""
        found = {}
        while len(found) < count:
            found |= dict(answers(self.socket.recv(65535)))
        return found


def until_packets(port, packets):
    """Wait until so many packets have come."""
    ready = threading.Event()
    for _ in range(SOON * 1000):
        if port.stats.packets >= packets:
            return
        ready.wait(0.001)
    raise AssertionError(f"{port.stats.packets} packets have come, of {packets}")


@pytest.fixture
def port():
    port = Port()
    with contextlib.closing(port.socket):
        yield port
        port.end()


@pytest.mark.skipif(not shutil.which("oscsend"), reason="liblo's oscsend is not installed")
def test_oscsend(port):
    for arguments in (["/truncation", "f", "0.25"], ["/freeze"], ["/preset/recall", "s", "night"], ["/pad", "T"],
                      ["/xy", "ff", "0.5", "1"], ["/big", "h", "1099511627776"], ["/fine", "d", "0.1"]):
        subprocess.run(["oscsend", "127.0.0.1", str(port.number), *arguments], check=True, timeout=SOON)
    found = [port.emitted() for _ in range(7)]
    assert [(e.control, e.value, e.momentary) for e in found] == [
        ("osc /truncation", 0.25, False), ("osc /freeze", (), True), ("osc /preset/recall", "night", True),
        ("osc /pad", True, True), ("osc /xy", (0.5, 1.0), False), ("osc /big", 1 << 40, False), ("osc /fine", 0.1, False)]
    assert all(e.at > 0 for e in found)


@pytest.mark.parametrize("form", [[], ["--single"], ["--type", "d"], ["--slice", "3"], ["--max-bytes", "1400"], ["--tag-offset", "3600"]],
                         ids=lambda form: " ".join(form) or "bundle")
def test_touchdesigner(port, form):
    """300 channels from another process: all of them arrive, a frame's together, whatever the CHOP's settings."""
    for _ in range(20):                                   # what the system drops, as it gave the receiver no turn, was never here: once more then
        before = port.stats.messages
        sent = subprocess.run([*SENDER, "--port", str(port.number), "--seconds", "0.1", *form], check=True, timeout=SOON, capture_output=True)
        sent = json.loads(sent.stdout)
        port.send(message("/end", 1))
        items = port.up_to("/end")
        if port.stats.messages == before + sent["messages"] + 1:
            break
    assert sum(len(item) if isinstance(item, list) else 1 for item in items) == sent["messages"] >= 300
    assert len(items) == sent["datagrams"]
    if not {"--single", "--max-bytes"} & set(form):
        assert all(len(item) == 300 for item in items)
    assert port.stats.report()["bad"] == 0 and port.stats.messages == before + sent["messages"] + 1


def test_a_bundle_is_heard_together(port):
    port.send(bundle([message("/a", 1), message("/b", 2)]), message("/c", 3), bundle([message("/d", 4)]))
    first, second, third = port.emitted(), port.emitted(), port.emitted()
    assert [e.control for e in first] == ["osc /a", "osc /b"] and len({e.at for e in first}) == 1
    assert (second.control, third.control) == ("osc /c", "osc /d")


def test_a_full_datagram(port):
    whole = bundle([message(f"/a/{i}", i) for i in range(2970)])
    port.send(whole + struct.pack(">i", 65507 - len(whole) - 4) + string("/x" * 80)[:65507 - len(whole) - 4])
    assert len(port.emitted()) == 2970


@pytest.mark.parametrize("query, expected", [
    (message("/truncation"), {"/truncation": 0.5}),
    (string("/truncation"), {"/truncation": 0.5}),
    (message("/truncation", "?", tag="s"), {"/truncation": 0.5}),
    (message("/TEMPO", "?", tag="s"), {"/tempo": 120.0}),
    (message("/n/truncation", "?", tag="s"), {"/n/truncation": 0.5}),
    (message("/walk/seed"), {"/walk/seed": 16777217}),
    (message("/t*", "?", tag="s"), {"/truncation": 0.5, "/tempo": 120.0}),
    (message("/t*"), {"/truncation": 0.5, "/tempo": 120.0}),
    (message("/bends/*/factor", "?", tag="s"), {f"/bends/channel{i}/factor": 0.0 for i in range(300)}),
])
def test_queries(port, query, expected):
    port.send(query)
    assert port.answers(len(expected)) == expected
    port.send(message("/end", 1))
    assert port.up_to("/end") == [], "a query is no event"
    assert port.stats.report()["queries"] == len(expected)


def test_answers_of_other_kinds(port):
    port.send(message("/walk/kind", "?", tag="s"), message("/walk/z", "?", tag="s"))
    assert port.socket.recv(65535) == message("/walk/kind", "hold", tag="s").replace(b"hold", b"loop")
    assert port.socket.recv(65535) == message("/walk/z", 1.0, 2.0)


def test_what_is_not_a_query(port):
    """No argument is a press where no parameter is; a question about nothing is counted and not passed on."""
    port.send(message("/freeze"), message("/freeze", "?", tag="s"), message("/f*", "?", tag="s"), message("/f*"), message("/end", 1))
    assert [e.control for e in port.up_to("/end")] == ["osc /freeze", "osc /f*"]
    assert port.stats.report()["unknown"] == 2


RUBBISH = [
    b"", b"/", b"#bundle\0", b"#bundle\0" + struct.pack(">Qi", 1, -4), b"\xff" * 1000, b"\0" * 65507,
    message("/truncation", float("nan")), message("/truncation", float("inf")), string("/truncation") + string(",f"),
    string("/truncation") + string(",cf") + struct.pack(">if", 65, 0.1), b"/\xff\xff\xff,f\0\0\0\0\0\0",
]


def nested(depth, packet):
    for _ in range(depth):
        packet = bundle([packet])
    return packet


def test_rubbish_is_counted_and_rarely_mentioned(port, caplog):
    with caplog.at_level(logging.WARNING):
        port.stats._bad.now = itertools.count(0, 0.01).__next__              # a hundred reports are a second
        port.send(*RUBBISH * 20, nested(2500, message("/truncation", 1)), message("/end", 1))
        assert port.up_to("/end") == []
    assert port.stats.bad == 20 * len(RUBBISH) + 1
    assert 1 <= len(caplog.records) <= 4 and "more like it" in caplog.text


def test_one_bad_element_costs_only_itself(port):
    port.send(bundle([message("/a", 1), *filter(None, RUBBISH[6:]), message("/b", 2)]))
    assert [e.control for e in port.emitted()] == ["osc /a", "osc /b"]
    assert port.stats.bad == 5


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([b"", b"#bundle\0", b"/a\0\0,"]), st.binary(max_size=200)).map(b"".join), max_size=8))
def test_any_datagrams(port, datagrams):
    """Whatever comes, what comes after it is heard."""
    port.send(*datagrams, message("/end", 1))
    port.up_to("/end")


class Picture:
    """An instrument that draws nothing."""

    def render(self, scene, motion, source=None):
        return scene


class Still:
    dark = 0.0

    def advance(self, scene, dt):
        return self


@pytest.fixture
def show(port):
    return Show(Picture(), Mapping(stats=port.stats), SCENE, Still(), inbox=port.inbox, strict=True)


def until(port, show, packets):
    """One frame, once so many packets have come."""
    until_packets(port, packets)
    show.frame(Tick(0, 0.0, 0.0))


def test_a_bundle_lands_in_one_frame(port, show):
    port.send(bundle([message(f"/bends/channel{i}/factor", i / 300) for i in range(300)]))
    first = port.emitted()                                                   # hand it on, as the inbox would
    show.inbox.put(first)
    show.frame(Tick(0, 0.0, 0.0))
    assert [show.scene[f"/bends/channel{i}/factor"] for i in range(300)] == pytest.approx([i / 300 for i in range(300)])


def test_the_show_goes_on(port, show):
    """Every piece of rubbish and then a value: the value is what the scene holds, and what the port answers."""
    port.send(*RUBBISH, nested(DEPTH + 1, message("/tempo", 1)), message("/truncation", 0.75), message("/nothing", 1))
    until(port, show, len(RUBBISH) + 3)
    assert show.scene["/truncation"] == 0.75 and show.scene["/tempo"] == 120.0
    port.scene = show.scene
    port.send(message("/truncation", "?", tag="s"))
    assert port.answers(1) == {"/truncation": 0.75}


def test_a_port_that_is_taken(port, caplog):
    with pytest.raises(UserError, match=f"OSC port {port.number} .* --osc-port"):
        listen("127.0.0.1", port.number)
    failed = queue.SimpleQueue()
    controls.start("osc", port.inbox.put, failed=failed.put, port=port.number)
    assert "another program" in str(failed.get(timeout=SOON))
    with caplog.at_level(logging.WARNING):
        controls.start("osc", port.inbox.put, port=port.number)()
    assert "playing on without osc" in caplog.text


@pytest.mark.parametrize("host, number, says", [
    ("192.0.2.1", 0, "no such address"), ("no.such.host.invalid", 0, "no such address"), ("127.0.0.1", 65536, "65535")])
def test_ports_that_cannot_be(host, number, says):
    with pytest.raises(UserError, match=says):
        listen(host, number)


def test_it_ends_when_told(port):
    threads = [thread for thread in threading.enumerate() if thread.name == "osc"]
    port.end()
    for thread in threads:                                                   # one of a test before may be about to end
        thread.join(SOON)
    assert threads and not any(thread.is_alive() for thread in threads)
    listen("127.0.0.1", port.number).close()                                 # and the port is free again


class Unplugged:
    """A socket whose network goes away and comes back."""

    def __init__(self, *happenings):
        self.happenings = list(happenings)

    def recvfrom(self, size):
        happening = self.happenings.pop(0)
        if isinstance(happening, Exception):
            raise happening
        return happening, ("10.0.0.1", 5)

    def sendto(self, datagram, sender):
        raise OSError("network is unreachable")


def test_the_network_goes_away_and_comes_back():
    heard, stats = [], Stats()
    udp = Unplugged(OSError("network is down"), ConnectionResetError(), message("/a"), message("/b", 1))
    Receiver(udp, heard.append, {"/a": 1.0}.get, None, stats).run(Stops(4))
    assert [e.control for e in heard] == ["osc /b"] and stats.packets == 2 and stats.answered == 0


class Stops:
    """A stop that is set after so many looks, and does not keep one waiting."""

    def __init__(self, looks):
        self.looks = looks

    def is_set(self):
        self.looks -= 1
        return self.looks < 0

    def wait(self, seconds):
        pass
