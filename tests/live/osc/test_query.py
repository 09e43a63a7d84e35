"""OSCQuery as a client sees it: the whole tree against the registry, the WebSocket, rubbish, tokens, the advertisement."""
import asyncio
import contextlib
import json
import queue
import socket
import threading
import urllib.error
import urllib.request

import pytest

from engine.errors import UserError
from engine.modulation import Modulator
from engine.motion import Motion
from live.instrument import addresses
from live.osc import commands as osc_commands  # noqa: F401  (the commands the tree lists)
from live.osc.advertise import SERVICES, Advertisement
from live.osc.echo import Echo
from live.osc.packet import read
from live.osc.query import Query
from live.osc.write import make_message
from live.presets import commands as preset_commands  # noqa: F401  (the commands the tree lists)
from live.show.commands import COMMANDS
from live.show.events import Change
from live.show.parameters import add_parameters
from tests.senders.touchdesigner import bundle

SOON = 90


class Show:
    """A scene that tests change, an echo, a query server on a port of its own."""

    def __init__(self, scene, **more):
        self.scene, self.received = scene, []
        self.echo = Echo(lambda: (self.scene, Motion()))
        self.query = Query(lambda: self.scene, self.echo, "Masks", ("127.0.0.1", 9000), report=lambda: {"frames": 3},
                           receive=lambda datagram, sender: self.received.append(datagram), **more)
        self.port = self.query.start("127.0.0.1", 0)

    def get(self, path, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=SOON) as answer:
                body = answer.read()
                return answer.status, json.loads(body) if body else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def socket(self, path="/"):
        from websockets.sync.client import connect

        return connect(f"ws://127.0.0.1:{self.port}{path}", open_timeout=SOON)

    def close(self):
        self.query.close()
        self.echo.close()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine is no port that does not open, and no client that says nothing."""
    for name in ("query.STARTING", "query.HANDSHAKE", "advertise.CLOSING"):
        monkeypatch.setattr(f"live.osc.{name}", 60.0)


@pytest.fixture
def show(instrument):
    scene = add_parameters(instrument.scene()).with_modulators([Modulator("m", "/truncation")])
    show = Show(scene.set([Change("/truncation", 1.25), Change("/walk/z", (0.5, -1.0)), Change("/walk/seed", 2 ** 31 - 2)]))
    yield show
    show.close()


def leaves(node):
    if "TYPE" in node:
        yield node
    for name, below in node.get("CONTENTS", {}).items():
        assert below["FULL_PATH"] == f"{node['FULL_PATH'].rstrip('/')}/{name}"
        yield from leaves(below)


def test_the_whole_tree_agrees_with_the_list_of_parameters(show):
    status, root = show.get("/")
    listed = json.loads(addresses.to_json(show.scene))
    found = {node["FULL_PATH"]: node for node in leaves(root)}
    assert status == 200 and set(found) == set(listed) | set(COMMANDS)
    for address, row in listed.items():
        node, value = found[address], show.scene[address]
        assert node["DESCRIPTION"] == row["about"] and node["ACCESS"] == 3 and node["TYPE"] == row["type"] * len(node["TYPE"])
        assert node["VALUE"] == (list(value) if row["size"] else [value])
        assert node.get("UNIT", [""])[0] == row["unit"]
        for limits in node["RANGE"]:
            assert limits == ({"VALS": row["choices"]} if row["choices"] else {"MIN": row["low"], "MAX": row["high"]})
        kinds = {"f": float, "i": int, "s": str}
        assert all(type(v) is kinds[t] for v, t in zip(node["VALUE"], node["TYPE"]))
    assert found["/walk/seed"]["VALUE"] == [2 ** 31 - 2] and found["/truncation"]["VALUE"] == [1.25]
    assert all(found[address]["ACCESS"] == 2 and found[address]["DESCRIPTION"] for address in COMMANDS if address not in listed)


def test_each_node_and_each_attribute_by_its_path(show):
    _, root = show.get("/")
    for node in list(leaves(root))[::7]:
        assert show.get(node["FULL_PATH"]) == (200, node)
        for name, value in node.items():
            assert show.get(f"{node['FULL_PATH']}?{name}") == (200, {name: value})
    assert show.get("/walk")[1]["ACCESS"] == 0 and "/walk/speed" == show.get("/walk")[1]["CONTENTS"]["speed"]["FULL_PATH"]
    assert show.get("/truncation/?VALUE") == (200, {"VALUE": [1.25]})
    assert "cutoff" in show.get("/truncation")[1]["CONTENTS"]        # a parameter that others lie below
    show.scene = show.scene.set([Change("/truncation", 0.25)])
    assert show.get("/truncation?VALUE") == (200, {"VALUE": [0.25]})


def test_what_is_not_there(show):
    assert show.get("/nothing")[0] == 404 and show.get("/nothing?VALUE")[0] == 404 and show.get("/wal")[0] == 404
    assert show.get("/truncation?COLOUR")[0] == 400
    assert show.get("/walk?VALUE") == (204, None) and show.get("/quantise?UNIT") == (204, None)


def test_host_info(show):
    for path in ("/?HOST_INFO", "/truncation?HOST_INFO"):
        status, info = show.get(path)
        assert (status, info["NAME"], info["OSC_IP"], info["OSC_PORT"], info["OSC_TRANSPORT"]) == (200, "Masks", "127.0.0.1", 9000, "UDP")
        assert info["WS_PORT"] == show.port and info["EXTENSIONS"]["LISTEN"] is True and info["EXTENSIONS"]["HTML"] is False
    show.query.osc = "0.0.0.0", 9000
    assert not {"OSC_IP", "WS_IP"} & show.query.describe_host().keys()
    assert show.get("/?REPORT") == (200, {"frames": 3})


def test_the_websocket_tells_what_is_listened_to(show):
    with show.socket() as client, show.socket() as other:
        for address in ("/truncation", "/walk/kind"):
            client.send(json.dumps({"COMMAND": "LISTEN", "DATA": address}))
        assert told(client, 2) == {"/truncation": (1.25,), "/walk/kind": ("loop",)}
        show.scene = show.scene.set([Change("/truncation", 0.5), Change("/walk/speed", 1.0)])
        assert told(client, 1) == {"/truncation": (0.5,)}
        client.send(json.dumps({"COMMAND": "IGNORE", "DATA": "/truncation"}))
        client.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/walk/speed"}))
        assert told(client, 1) == {"/walk/speed": (1.0,)}
        show.scene = show.scene.set([Change("/truncation", 0.75), Change("/walk/speed", 2.0)])
        assert told(client, 1) == {"/walk/speed": (2.0,)}
        other.send(b"/truncation\0,f\0\0?\x80\0\0")
        other.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/walk/kind"}))
        assert told(other, 1) == {"/walk/kind": ("loop",)}
        assert show.received == [b"/truncation\0,f\0\0?\x80\0\0"]
        show.scene = show.scene.with_modulators(())
        assert json.loads(client.recv(timeout=SOON)) == {"COMMAND": "PATH_CHANGED", "DATA": "/"}


def told(client, count):
    from tests.live.osc.test_echo import codec

    found = {}
    while len(found) < count:
        found |= dict(read(client.recv(timeout=SOON), codec)[0])
    return found


def test_osc_over_the_websocket_plays(show):
    from live.osc.receiver import make_taker

    heard = queue.SimpleQueue()
    show.query.receive = make_taker(heard.put)
    with show.socket() as client:
        for datagram in (b"rubbish", make_message("/truncation", "?"), bundle([make_message("/truncation", 0.5), make_message("/walk/kind", "hold")])):
            client.send(datagram)
        first, second = heard.get(timeout=SOON)
    assert (first.control, first.value, second.control, second.value) == ("osc /truncation", 0.5, "osc /walk/kind", "hold")


@pytest.mark.parametrize("message", ["", "{", "[]", "3", '{"COMMAND": "LISTEN"}', '{"COMMAND": "LISTEN", "DATA": "/nothing"}',
                                     '{"COMMAND": "LISTEN", "DATA": {}}', '{"COMMAND": "DANCE", "DATA": "/truncation"}', '{"COMMAND": [], "DATA": []}', "null", "[" * 20_000])
def test_rubbish_over_the_websocket_means_nothing(show, message):
    with show.socket() as client:
        client.send(message)
        client.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/truncation"}))
        assert told(client, 1) == {"/truncation": (1.25,)}


@pytest.mark.parametrize("garbage", [b"\r\n\r\n", b"\0" * 4000, b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nxxxxxxxxx",
                                     b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", b"#bundle\0" + b"\xff" * 64,
                                     b"GET /%zz%00?%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /truncation HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n"])
def test_garbage_requests(show, garbage):
    with socket.create_connection(("127.0.0.1", show.port), timeout=SOON) as tcp, contextlib.suppress(ConnectionError):
        tcp.sendall(garbage)
        tcp.shutdown(socket.SHUT_WR)
        while tcp.recv(4096):
            pass
    assert show.get("/truncation?VALUE") == (200, {"VALUE": [1.25]})


def test_a_hundred_clients(show):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(show.socket()) for _ in range(100)]
        for client in clients:
            client.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/truncation"}))
        assert all(told(client, 1) == {"/truncation": (1.25,)} for client in clients)
        assert show.get("/?HOST_INFO")[0] == 200


def test_a_token(instrument):
    show = Show(add_parameters(instrument.scene()), token="open sesame")
    try:
        for path, headers in (("/", {}), ("/?TOKEN=wrong", {}), ("/", {"Authorization": "Bearer no"}), ("/?TOKEN=%C3%BC", {})):
            status, answer = show.get(path, **headers)
            assert status == 401 and "token" in answer["error"]
        assert show.get("/truncation?VALUE&TOKEN=open%20sesame") == (200, {"VALUE": [0.8]})
        assert show.get("/truncation?VALUE", Authorization="Bearer open sesame")[0] == 200
        from websockets.exceptions import InvalidStatus
        with pytest.raises(InvalidStatus):
            show.socket()
        with show.socket("/?TOKEN=open%20sesame") as client:
            client.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/truncation"}))
            told(client, 1)
    finally:
        show.close()


def test_a_port_that_is_taken_is_one_line(show):
    other = Query(lambda: show.scene, show.echo, "other", ("127.0.0.1", 9000))
    with pytest.raises(UserError, match=rf"OSCQuery port {show.port} on 127.0.0.1: Address already in use; .*--oscquery-port"):
        other.start("127.0.0.1", show.port)
    other.close()


def test_a_port_that_does_not_open_in_time_is_one_line(show, monkeypatch):
    class Slow(Query):
        async def _work(self, port, ready):
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await self._stop.wait()

    monkeypatch.setattr("live.osc.query.STARTING", 0.01)
    with pytest.raises(UserError, match="^OSCQuery port 0 on 127.0.0.1: it did not open in time; another port"):
        Slow(lambda: show.scene, show.echo, "other", ("127.0.0.1", 9000)).start("127.0.0.1", 0)


def test_a_show_that_ends_while_it_is_still_being_listed_waits_for_nothing(monkeypatch, caplog):
    zeroconf = pytest.importorskip("zeroconf")
    begun = threading.Event()

    async def never(self, service, **more):
        begun.set()
        await asyncio.Event().wait()
    monkeypatch.setattr(zeroconf.Zeroconf, "async_register_service", never)
    listed = Advertisement("Test of masks", "127.0.0.1", (9100, 9101))
    assert begun.wait(60)
    listed.close()
    assert not listed._thread.is_alive() and "does not end" not in caplog.text


def test_the_advertisement_is_seen_on_loopback():

    from zeroconf import ServiceBrowser, Zeroconf

    try:
        browser = Zeroconf(interfaces=["127.0.0.1"])
    except OSError as error:
        pytest.skip(f"no multicast here: {error}")
    seen, both = set(), threading.Event()

    class Listener:
        def add_service(self, zc, kind, name):
            if name.startswith("Test of masks"):
                seen.add((kind, name))
            if len(seen) == 2:
                both.set()

        def update_service(self, zc, kind, name):
            pass

        remove_service = update_service

    listed = Advertisement("Test of masks", "127.0.0.1", (9100, 9101))
    try:
        ServiceBrowser(browser, list(SERVICES), Listener())
        if not both.wait(SOON):
            pytest.skip("multicast does not come back on this machine's loopback")
        info = browser.get_service_info(SERVICES[0], f"Test of masks.{SERVICES[0]}")
        assert info.port == 9100 and info.parsed_addresses() == ["127.0.0.1"]
    finally:
        listed.close()
        browser.close()
