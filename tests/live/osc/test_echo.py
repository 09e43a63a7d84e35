"""The echo: what listeners are told, when, and what becomes of those who do not listen any more."""
import socket
from types import MappingProxyType

import pytest

from engine.modulation import Modulator
from engine.motion import PARAMETERS, Motion
from engine.parameter import Parameter
from engine.scene import Scene
from live.osc import echo as module
from live.osc.echo import Echo
from live.osc.packet import read
from live.osc.subscriber import FORMS, GONE, SETTLE, Subscriber, connect_udp, matches_prefix
from live.osc.write import make_message
from tests.ports import find_free_port

SCENE = Scene(MappingProxyType(PARAMETERS | {
    "/output/freeze": Parameter(0.0, step=1), "/truncation": Parameter(0.5, -1.0, 2.0), "/truncation/cutoff": Parameter(18, 0, 18, step=1),
    "/seed": Parameter(16777217.0, 0, 2 ** 31 - 1, step=1), "/z": Parameter((1.0, 2.0), -8.0, 8.0, size=512),
    **{f"/many/{i}": Parameter(0.0) for i in range(1500)}}))


class Ear(list):
    """What one listener has been told: [(address, arguments)], in order."""

    def __init__(self):
        self.largest, self.datagrams = 0, 0

    def send(self, datagram):
        self.largest, self.datagrams = max(self.largest, len(datagram)), self.datagrams + 1
        found, faults = read(datagram, codec)
        assert not faults
        self.extend(found)

    def told(self):
        found, self[:] = dict(self), []
        return {address: arguments[0] if len(arguments) == 1 else arguments for address, arguments in found.items()}


def codec(element):
    from pythonosc.osc_message import OscMessage

    return tuple(OscMessage(element).params)


class Rig:
    """An echo without a thread, a scene and a time to turn."""

    def __init__(self, scene=SCENE):
        self.scene, self.motion, self.time, self.texts = scene, Motion().advance(scene, 0.0), 100.0, {"/status/preset": "awake"}
        self.echo = Echo(lambda: (self.scene, self.motion), lambda: self.texts, now=lambda: self.time, started=False)
        self.echo.turn()

    def listen(self, prefix="", form="numbers", source=None, **more):
        ear = Ear()
        self.echo.join(object(), Subscriber("ear", ear.send, lambda: None, prefix=prefix, form=form, source=source, **more))
        return ear

    def turn(self, turns=1, **changes):
        self.scene = self.scene.set_values({"/" + a.replace("__", "/"): v for a, v in changes.items()})
        for _ in range(turns):
            self.time += 1 / 60
            self.echo.turn()


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize("value", [0.0, -1.5, 16777217.0, 2 ** 31 - 1, 3, "word", "ümlaut", "four", "", (1.0, 2.0, 3.0), (), 1e30, -5e9])
def test_messages_are_what_the_library_writes(value):
    """An independent writer: python-osc, told the types."""
    from pythonosc.osc_message_builder import OscMessageBuilder

    for address in ("/a", "/ab", "/abc", "/abcd/e"):
        message = OscMessageBuilder(address)
        for item in value if isinstance(value, tuple) else (value,):
            kind = "s" if isinstance(item, str) else "i" if isinstance(item, int) or abs(item) >= 2 ** 24 and item == int(item) and abs(item) < 2 ** 31 else "f"
            message.add_arg(item if kind != "i" else int(item), kind)
        assert make_message(address, value) == message.build().dgram


def test_everything_once_then_what_changes(rig):
    ear = rig.listen("/truncation")
    rig.turn()
    assert ear.told() == {"/truncation": 0.5, "/truncation/cutoff": 18}
    rig.turn(10)
    assert ear.told() == {}
    rig.turn(truncation=1.0, walk__speed=2.0)
    assert ear.told() == {"/truncation": 1.0}
    rig.scene = SCENE                                             # back to the default, as a panic does
    rig.turn()
    assert ear.told() == {"/truncation": 0.5}


def test_bursts_are_bounded_and_datagrams_small(rig):
    ear = rig.listen("/many")
    rig.turn()
    assert len(ear) == module.AT_ONCE
    rig.turn(4)
    assert len(ear.told()) == 1500 and ear.largest <= 1400
    rig.turn(**{f"many__{i}": 0.5 for i in range(1500)})
    rig.turn(**{f"many__{i}": 0.75 for i in range(0, 1500, 2)})
    rig.turn(5)
    told = ear.told()
    assert all(told[f"/many/{i}"] == (0.5 if i % 2 else 0.75) for i in range(1500))


@pytest.mark.parametrize("form, kind, z, preset", [
    ("numbers", 5, (1.0, 2.0), None), ("all", "wander", (1.0, 2.0), "awake"), ("text", "wander", None, "awake")])
def test_forms(rig, form, kind, z, preset):
    ear = rig.listen("", form)
    rig.turn(8, walk__kind="wander")
    told = ear.told()
    assert told["/walk/kind"] == kind and told.get("/z") == z and told.get("/status/preset") == preset
    assert ("/truncation" in told) == (form != "text")
    if form == "numbers":
        assert all(isinstance(v, (float, int)) or all(isinstance(x, float) for x in v) for v in told.values())
    if form == "text":
        assert all(isinstance(v, str) for v in told.values())
        rig.texts = {"/status/preset": "breath"}
        rig.turn()
        assert ear.told() == {"/status/preset": "breath"}
    assert form in FORMS


def test_words_of_the_show_go_to_those_who_listen_to_all_or_to_them(rig):
    ears = {prefix: rig.listen(prefix, "text") for prefix in ("", "/status", "/walk/kind")}
    rig.turn(8)
    told = {prefix: ear.told() for prefix, ear in ears.items()}
    assert told["/status"] == {"/status/preset": "awake"} and told["/walk/kind"] == {"/walk/kind": "loop"}
    assert told[""].items() >= {**told["/status"], **told["/walk/kind"]}.items()


def test_listeners_come_and_go_while_others_are_told(instrument):
    """From several threads at once: the echo's own goes on."""
    import threading

    from live.show.parameters import add_parameters

    scenes = [add_parameters(instrument.scene()).set_values({"/truncation": i / 10}) for i in range(10)]
    count, stop, ear, heard = iter(range(10 ** 9)), threading.Event(), Ear(), threading.Event()
    echo = Echo(lambda: (scenes[next(count) % 10], Motion()))
    ear.send = lambda datagram: heard.set()
    port = find_free_port()

    def come_and_go():
        while not stop.is_set():
            echo.answer_request("/subscribe", (port, "/played"), ("127.0.0.1", 5000))
            echo.answer_request("/subscribe", (port, "/n", "all"), ("127.0.0.1", 5001))
            echo.answer_request("/unsubscribe", (), ("127.0.0.1", 5000))

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(20):
            heard.clear()
            echo.join("ear", Subscriber("ear", ear.send, lambda: None, prefix="/truncation"))
            assert heard.wait(60)
    finally:
        stop.set()
        thread.join()
        echo.close()


def test_whole_numbers_that_a_float_cannot_hold(rig):
    ear = rig.listen("/seed")
    rig.turn()
    assert ear[0] == ("/seed", (16777217,)) and type(ear[0][1][0]) is int


def test_normalized(rig):
    ear = rig.listen("/n/truncation")
    rig.turn(truncation=0.5)
    assert ear.told() == {"/n/truncation": 0.5, "/n/truncation/cutoff": 1.0}
    ear = rig.listen("/n")
    rig.turn(8)
    assert "/n/z" not in ear.told()


def test_played():
    scene = SCENE.with_modulators([Modulator("m", "/truncation")]).set_values({"/modulators/m/rate": 1.0})
    rig = Rig(scene)
    ear, base = rig.listen("/played/truncation"), rig.listen("/truncation")
    values = []
    for _ in range(60):
        rig.motion = rig.motion.advance(rig.scene, 1 / 60)
        rig.turn()
        values += [v for a, v in ear.told().items() if a == "/played/truncation"]
    assert len(set(values)) > 30 and max(values) > 0.8 and min(values) < -0.2
    assert base.told() == {"/truncation": 0.5, "/truncation/cutoff": 18}


def test_no_echo_to_the_origin_unless_something_else_came_of_it(rig):
    mine, other = rig.listen("/truncation", source=("10.0.0.7", 5000)), rig.listen("/truncation")
    rig.turn(2)
    mine.told(), other.told()
    for value in (0.625, 0.5, 0.75):
        rig.echo.note_said(("10.0.0.7", 5000), [("/truncation", value), ("/truncation/cutoff", 99)])
        rig.turn(truncation=value, truncation__cutoff=99)
    assert other.told() == {"/truncation": 0.75, "/truncation/cutoff": 18} and mine.told() == {}
    rig.turn(int(SETTLE * 60) + 2)
    assert mine.told() == {"/truncation/cutoff": 18}              # 0.75 is what it said, and 18 is not
    rig.echo.note_said(("10.0.0.7", 5000), [("/truncation", 7.0)])     # out of range: it has to hear the truth
    rig.turn(truncation=7.0)
    assert mine.told() == {}
    rig.turn(int(SETTLE * 60) + 2)
    assert mine.told() == {"/truncation": 2.0}
    rig.echo.note_said(("10.0.0.7", 5000), [("/n/truncation", 0.25)])
    rig.turn(truncation=-0.25)
    rig.turn(int(SETTLE * 60) + 2)
    assert mine.told() == {}
    rig.turn(truncation=0.125)                                    # somebody else
    assert mine.told() == {"/truncation": 0.125}


def test_no_echo_to_the_origin_by_any_of_the_prefixes_it_listens_to(rig):
    source = ("10.0.0.7", 5000)
    ears = [rig.listen(prefix, source=source) for prefix in ("/walk", "/truncation", "/n/truncation")]
    rig.turn(2)
    for ear in ears:
        ear.told()
    rig.echo.note_said(source, zip(("/truncation", "/walk/speed"), (0.625, 0.5)))          # as the receiver hands over a bundle
    rig.turn(truncation=0.625, walk__speed=0.5)
    rig.turn(int(SETTLE * 60) + 2)
    assert [ear.told() for ear in ears] == [{}, {}, {}]
    rig.turn(truncation=0.125)
    assert ears[1].told() == {"/truncation": 0.125}


def test_what_a_listener_says_takes_bounded_room(rig):
    rig.listen("/truncation", source=("10.0.0.7", 5000))
    rig.echo.note_said(("10.0.0.7", 5000), [(f"/x/{i}", 1.0) for i in range(50_000)])
    assert len(next(iter(rig.echo.subscribers.values())).said) <= 4096


@pytest.mark.parametrize("arguments", [(), ("9000",), (0,), (70000,), (-1,), (9001, "no-slash"), (9001, "/x", "morse"), (9001, 3)])
def test_bad_subscriptions_are_refused_in_words(rig, arguments, caplog):
    rig.echo.answer_request("/subscribe", arguments, ("127.0.0.1", 5000))
    assert not rig.echo.subscribers and "expected PORT" in caplog.text


def test_subscribing_again_renews_and_unsubscribing_ends(rig):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(60)
        port = udp.getsockname()[1]
        for value in (port, float(port)):                         # a CHOP sends it as a float, and every frame
            rig.echo.answer_request("/subscribe", (value, "/truncation"), ("127.0.0.1", 5000))
        rig.turn()
        assert len(rig.echo.subscribers) == 1 and rig.echo.sources.keys() == {("127.0.0.1", 5000)}
        assert len(read(udp.recv(65535), codec)[0]) == 2
        rig.echo.answer_request("/subscribe", (port, "/walk"), ("127.0.0.1", 5001))
        assert len(rig.echo.subscribers) == 2
        rig.echo.answer_request("/unsubscribe", (port,), ("10.0.0.1", 5000))
        assert len(rig.echo.subscribers) == 2
        rig.echo.answer_request("/unsubscribe", (port,), ("127.0.0.1", 9))
        assert not rig.echo.subscribers and not rig.echo.sources


def test_one_that_is_gone_is_dropped_and_one_that_is_to_stay_comes_back(rig, caplog):
    port = find_free_port()
    rig.echo.subscribe("127.0.0.1", port, "/truncation")
    rig.echo.subscribe("127.0.0.1", port, "/truncation/cutoff", stays=True)
    steady = rig.listen("/truncation")
    for i in range(int(60 * GONE) + 60):
        rig.turn(truncation=i / 1000, truncation__cutoff=i % 18)
    assert [s.stays for s in rig.echo.subscribers.values() if s.name != "ear"] == [True]
    assert caplog.text.count("is gone") == 1 and rig.echo.dropped == 1
    assert len(steady) > 60 * GONE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", port))
        udp.settimeout(60)
        rig.turn(60, truncation__cutoff=3)
        found = [m for m in read(udp.recv(65535), codec)[0] if m[0] == "/truncation/cutoff"]
        assert found


def test_one_elsewhere_is_forgotten_when_nothing_comes_from_it(rig):
    rig.listen("/truncation", source=("10.0.0.7", 5000)), rig.listen("/truncation", stays=True)
    rig.time += module.FORGOTTEN - 1
    rig.turn(truncation=0.1)
    rig.echo.note_said(("10.0.0.7", 5000), [("/tempo", 100.0)])
    rig.time += module.FORGOTTEN - 1
    rig.turn(truncation=0.2)
    assert len(rig.echo.subscribers) == 2
    rig.time += 2
    rig.turn(truncation=0.3)
    assert len(rig.echo.subscribers) == 1


def test_a_hundred_listeners_and_no_more_than_there_is_room_for(rig, caplog):
    ears = [rig.listen("/truncation") for _ in range(100)]
    rig.turn()
    rig.turn(truncation=1.25)
    assert all(ear.told() == {"/truncation": 1.25, "/truncation/cutoff": 18} for ear in ears)
    for _ in range(100):
        rig.listen("/truncation")
    assert len(rig.echo.subscribers) == module.MOST and "listeners already" in caplog.text


def test_a_bend_that_comes_is_told_of_and_one_that_goes_is_not(rig):
    ear, calls = rig.listen(""), []
    rig.turn(8)
    ear.told()
    rig.echo.rebuilt.append(lambda: calls.append(1))
    rig.scene = rig.scene.with_modulators([Modulator("m", "/truncation")]).set_values({"/modulators/m/depth": 0.5})
    rig.turn()
    told = ear.told()
    assert told["/modulators/m/depth"] == 0.5 and told["/modulators/m/rate"] == 0.25 and calls == [1]
    rig.scene = rig.scene.with_modulators(())
    rig.turn()
    assert ear.told() == {} and calls == [1, 1]


def test_a_listener_whose_host_does_not_exist(rig, caplog):
    rig.echo.subscribe("no.such.host.invalid", 9001)
    assert not rig.echo.subscribers and "no echo to no.such.host.invalid" in caplog.text


@pytest.mark.parametrize("address, prefix, inside", [
    ("/a/b", "/a", True), ("/ab", "/a", False), ("/a", "/a", True), ("/a", "", True), ("/a", "/a/b", False)])
def test_within(address, prefix, inside):
    assert matches_prefix(address, prefix) is inside


def test_over_udp_says_who_it_is():
    subscriber = connect_udp("127.0.0.1", 9, prefix="/walk")
    assert subscriber.name == "127.0.0.1:9/walk" and subscriber.wants("/walk/speed") and not subscriber.wants("/truncation")
    subscriber.close()
