"""Who may listen, who hears of a mistake, and targets that are not there yet."""
import socket
import threading

import pytest
from pythonosc.osc_message import OscMessage

from engine.motion import Motion
from engine.parameter import Parameter
from engine.scene import Scene
from live.osc import targets
from live.osc.echo import ELSEWHERE, Echo
from live.osc.packet import read
from live.show.parameters import add_parameters


@pytest.fixture
def echo():
    scene = declared_scene()
    found = Echo(lambda: (scene, Motion()), started=False)
    yield found
    found.close()


def declared_scene():
    return add_parameters(Scene({"/truncation": Parameter(0.5, -1.0, 2.0)}))


def socket_here():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(60)
    return udp


def heard_at(udp, address):
    """The first arguments that come at this address."""
    while True:
        for there, arguments in read(udp.recv(65536), strings)[0]:
            if there == address:
                return arguments


def strings(element):
    return tuple(OscMessage(element).params)


def test_a_show_is_not_told_of_itself(echo, caplog):
    echo.own_port = 9000
    for host in ("127.0.0.1", "127.0.0.7", "::1"):
        echo.answer_request("/subscribe", (9000,), (host, 5000))
    assert not echo.subscribers and "own port" in caplog.text
    echo.answer_request("/subscribe", (9001,), ("127.0.0.1", 5000))
    assert len(echo.subscribers) == 1


def test_one_other_machine_has_so_many_ports_and_all_come_at_a_rate():
    clock = [0.0]
    scene = declared_scene()
    echo = Echo(lambda: (scene, Motion()), now=lambda: clock[0], started=False)
    for n in range(100):
        echo.answer_request("/subscribe", (20000 + n,), ("127.0.0.1", 5000))
        echo.answer_request("/unsubscribe", (20000 + n,), ("127.0.0.1", 5000))
        echo.answer_request("/subscribe", (20000 + n,), ("192.0.2.1", 5000))
    there = [key for key in echo.subscribers if key[0] == "192.0.2.1"]
    assert len(there) <= ELSEWHERE
    for n in range(1000):
        echo.answer_request("/subscribe", (20000 + n,), ("127.0.0.1", 5000))
        echo.answer_request("/unsubscribe", (20000 + n,), ("127.0.0.1", 5000))
    echo.answer_request("/subscribe", (30000,), ("127.0.0.1", 5000))
    assert ("127.0.0.1", 30000, "", "numbers") not in echo.subscribers
    clock[0] += 1.0
    echo.answer_request("/subscribe", (30000,), ("127.0.0.1", 5000))
    assert ("127.0.0.1", 30000, "", "numbers") in echo.subscribers
    echo.close()


@pytest.mark.parametrize("form", ["numbers", "text", "all"])
def test_a_listener_hears_of_its_own_mistake_and_nobody_else_does(echo, form):
    with socket_here() as mine, socket_here() as other:
        for udp in (mine, other):
            port = udp.getsockname()[1]
            echo.answer_request("/subscribe", (port, "/", form), ("127.0.0.1", port))
        echo.note_said(mine.getsockname(), [("/Seed/Go", "abc")])
        echo.tell_mistake("/seed/go", "/seed/go: expected a number")
        echo.turn()
        assert heard_at(mine, "/error") == ("/seed/go: expected a number",)
        other.settimeout(0.05)
        with pytest.raises(TimeoutError):
            heard_at(other, "/error")


def test_a_target_that_is_not_there_yet_is_looked_for_until_it_is(monkeypatch, echo):
    there, asked = threading.Event(), threading.Semaphore(0)
    real = targets.connect_udp

    def connect_udp(host, port, **more):
        asked.release()
        if not there.is_set():
            raise socket.gaierror(-2, "Name or service not known")
        return real("127.0.0.1", port, **more)

    monkeypatch.setattr(targets, "connect_udp", connect_udp)
    with socket_here() as udp:
        found = targets.Targets(echo, again=0.01)
        found.add([("lights.local", udp.getsockname()[1], "", "numbers")])
        for _ in range(3):
            assert asked.acquire(timeout=60)
        assert not echo.subscribers
        there.set()
        for _ in range(6000):
            if not found.absent:
                break
            threading.Event().wait(0.01)
        assert not found.absent
        echo.turn()
        assert heard_at(udp, "/truncation") == (0.5,)
        found.close()
