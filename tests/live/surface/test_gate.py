"""Who may speak to a show: one table, for the pure functions, for the real OSCQuery server and for the page's."""
import socket

import pytest

from engine.motion import Motion
from live.osc.echo import Echo
from live.osc.query import Query
from live.show.parameters import add_parameters
from live.surface.gate import ALLOWED, FORBIDDEN, TOO_MANY, UNAUTHORIZED, Request, Tokens, is_own_host, judge, list_own_names
from tests.live.surface.rig import Page

HERE = socket.gethostname().lower()
GET, WS = False, True
WEBSOCKET = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
NONE = None
# Host, Origin, Sec-Fetch-Site, Sec-Fetch-Mode, WebSocket, expected. PORT stands for the port.
TABLE = [
    ("127.0.0.1:PORT", NONE, NONE, NONE, GET, ALLOWED),                          # a program
    ("127.0.0.1:PORT", NONE, NONE, NONE, WS, ALLOWED),
    ("127.0.0.1", NONE, NONE, NONE, GET, ALLOWED),
    ("localhost:PORT", NONE, NONE, NONE, WS, ALLOWED),
    ("LOCALHOST:PORT", NONE, NONE, NONE, GET, ALLOWED),
    ("localhost.:PORT", NONE, NONE, NONE, GET, ALLOWED),
    ("[::1]:PORT", NONE, NONE, NONE, GET, ALLOWED),
    ("[::1]", NONE, NONE, NONE, WS, ALLOWED),
    ("192.168.7.20:PORT", NONE, NONE, NONE, GET, ALLOWED),                       # an address can't be rebound
    (f"{HERE}:PORT", NONE, NONE, NONE, GET, ALLOWED),
    (f"{HERE}.local:PORT", NONE, NONE, NONE, GET, ALLOWED),
    ("127.0.0.1:PORT", "http://127.0.0.1:PORT", "same-origin", "websocket", WS, ALLOWED),      # our own page
    ("localhost:PORT", "http://localhost:PORT", "same-origin", "cors", GET, ALLOWED),
    ("127.0.0.1:PORT", NONE, "none", "navigate", GET, ALLOWED),                  # typed into the address line
    ("127.0.0.1:PORT", NONE, "cross-site", "navigate", GET, ALLOWED),            # a link that was clicked
    ("127.0.0.1:PORT", NONE, "same-site", "navigate", GET, ALLOWED),
    ("127.0.0.1:PORT", "http://127.0.0.1:7500", NONE, NONE, WS, FORBIDDEN),      # the hole there was: another port
    ("127.0.0.1:PORT", "http://localhost:PORT", NONE, NONE, WS, FORBIDDEN),
    ("127.0.0.1:PORT", "https://127.0.0.1:PORT", NONE, NONE, WS, FORBIDDEN),
    ("127.0.0.1:PORT", "https://evil.example", "cross-site", "websocket", WS, FORBIDDEN),
    ("127.0.0.1:PORT", "null", NONE, NONE, WS, FORBIDDEN),                       # a sandboxed frame, a file
    ("127.0.0.1:PORT", "file://", NONE, NONE, WS, FORBIDDEN),
    ("127.0.0.1:PORT", "", NONE, NONE, WS, FORBIDDEN),
    ("127.0.0.1:PORT", "http://127.0.0.1:PORT.evil.example", NONE, NONE, WS, FORBIDDEN),
    ("127.0.0.1:PORT", "http://127.0.0.1:PORT", "cross-site", "websocket", WS, FORBIDDEN),
    ("127.0.0.1:PORT", NONE, "cross-site", "no-cors", GET, FORBIDDEN),           # <img>, <script>
    ("127.0.0.1:PORT", NONE, "same-site", "cors", GET, FORBIDDEN),
    ("127.0.0.1:PORT", NONE, "cross-site", "navigate", WS, FORBIDDEN),
    ("evil.example:PORT", NONE, NONE, NONE, GET, FORBIDDEN),                     # DNS rebinding
    ("evil.example:PORT", "http://evil.example:PORT", "same-origin", "websocket", WS, FORBIDDEN),
    ("evil.example", "http://evil.example", "same-origin", "cors", GET, FORBIDDEN),
    ("127.0.0.1.evil.example:PORT", NONE, NONE, NONE, GET, FORBIDDEN),
    ("localhost.evil.example", NONE, NONE, NONE, GET, FORBIDDEN),
    ("127.0.0.1@evil.example", NONE, NONE, NONE, GET, FORBIDDEN),
    ("2130706433", NONE, NONE, NONE, GET, FORBIDDEN),                            # 127.0.0.1 as one number is a name here
    ("0x7f.1", NONE, NONE, NONE, GET, FORBIDDEN),
    ("127.0.0.1:80:80", NONE, NONE, NONE, GET, FORBIDDEN),
    ("127.0.0.1:http", NONE, NONE, NONE, GET, FORBIDDEN),
    ("[::1", NONE, NONE, NONE, GET, FORBIDDEN),
    ("[::1]evil.example", NONE, NONE, NONE, GET, FORBIDDEN),
    ("", NONE, NONE, NONE, GET, FORBIDDEN),
    (NONE, NONE, NONE, NONE, GET, FORBIDDEN),
]


@pytest.mark.parametrize("host, origin, site, mode, websocket, expected", TABLE)
def test_the_table(host, origin, site, mode, websocket, expected):
    host, origin = (text and text.replace("PORT", "9080") for text in (host, origin))
    assert judge(Request(host, origin, site, mode, websocket=websocket), list_own_names()) == expected


@pytest.fixture
def server(instrument, monkeypatch):
    monkeypatch.setattr("live.osc.query.STARTING", 60.0)                         # a busy machine is no port that does not open
    scene = add_parameters(instrument.scene())
    echo = Echo(lambda: (scene, Motion()))
    heard = []
    query = Query(lambda: scene, echo, "Masks", ("127.0.0.1", 9000), receive=lambda datagram, sender: heard.append(datagram))
    query.start("127.0.0.1", 0)
    yield query
    query.close()
    echo.close()


def status_of(port, lines):
    """The status a raw request is answered with, 0 where the connection is just closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = connection.recv(4096)
    return int(answer.split()[1]) if answer else 0


@pytest.mark.parametrize("host, origin, site, mode, websocket, expected", TABLE)
def test_the_table_against_the_server(server, host, origin, site, mode, websocket, expected):
    headers = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    lines = ["GET /truncation HTTP/1.1"] + [f"{name}: {value}".replace("PORT", str(server.port)) for name, value in headers.items() if value is not None]
    lines += WEBSOCKET * websocket
    good = 101 if websocket else 200
    assert status_of(server.port, lines) == (good if expected == ALLOWED else expected)


@pytest.mark.parametrize("words, shown, let_in", [({}, None, True), ({"surface_token": "open-sesame"}, "open-sesame", True), ({"surface_token": "open-sesame"}, None, False)])
def test_the_table_against_the_pages_server(tmp_path, words, shown, let_in):
    """words: the show's; shown: what comes with the request."""
    page, wrong = Page(tmp_path, **words), []
    try:
        for host, origin, site, mode, websocket, expected in TABLE:
            headers = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Authorization": shown and f"Bearer {shown}"}
            lines = [f"GET {'/ws' if websocket else '/api/clients'} HTTP/1.1"]
            lines += [f"{name}: {value}".replace("PORT", str(page.server.port)) for name, value in headers.items() if value is not None] + WEBSOCKET * websocket
            good = (101,) if websocket and let_in else (200,) if let_in else (403,) if websocket else (UNAUTHORIZED,)
            status = status_of(page.server.port, lines)
            if status not in (good if expected == ALLOWED else (expected, 400)):           # 400: no HTTP at all
                wrong.append((host, origin, site, mode, websocket, status))
        assert not wrong and not page.server.hub.junk_count
    finally:
        page.close()


@pytest.mark.parametrize("extra", [["Host: evil.example"], ["Host: 127.0.0.1"], ["Origin: http://127.0.0.1", "Origin: null"], ["Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"]])
def test_headers_that_come_twice_are_refused(server, extra):
    assert status_of(server.port, ["GET / HTTP/1.1", "Host: 127.0.0.1", *extra]) == FORBIDDEN


@pytest.mark.parametrize("lines", [["GET http://evil.example/ HTTP/1.1", "Host: evil.example"], ["POST / HTTP/1.1", "Host: 127.0.0.1"], ["GET / HTTP/1.1", "Host : 127.0.0.1"],
                                   ["GET / HTTP/1.1", "Host: 127.0.0.1", "X: " + "y" * 20000], ["GET //[ HTTP/1.1", "Host: 127.0.0.1"], ["GET / HTTP/9.9"], ["\x00\x01"]])
def test_what_is_no_request_gets_no_answer_of_ours(server, lines):
    assert status_of(server.port, lines) not in (200, 101)


@pytest.mark.parametrize("target, status", [("http://127.0.0.1/truncation", 200), ("http://evil.example/truncation", 403), ("http://127.0.0.1@evil.example/", 403),
                                            ("https://127.0.0.1.evil.example/truncation", 403)])
def test_a_target_that_names_a_host_names_one_of_ours(server, target, status):
    assert status_of(server.port, [f"GET {target} HTTP/1.1", "Host: 127.0.0.1"]) == status


@pytest.mark.parametrize("lines", [["GET / HTTP/1.1", "Host: evil.example", " 127.0.0.1"], ["GET / HTTP/1.1", "Host: 127.0.0.1\x00.evil"], ["GET / HTTP/1.1", "Host: localhost.."],
                                   ["GET / HTTP/1.1", "Host: 127.0.0.1", "Transfer-Encoding: chunked", "Content-Length: 5"], ["GET / HTTP/1.1\nHost: 127.0.0.1\n"],
                                   ["CONNECT 127.0.0.1:80 HTTP/1.1", "Host: 127.0.0.1"], ["GET / HTTP/1.1", "Host: 127.0.0.1", *(f"X{n}: y" for n in range(500))],
                                   ["GET /" + "a" * 20000 + " HTTP/1.1", "Host: 127.0.0.1"]])
def test_smuggled_and_oversized_requests_get_no_answer_of_ours(server, lines):
    assert status_of(server.port, lines) not in (200, 101)


def test_a_foreign_page_is_not_told_that_it_may_read(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert b"truncation" not in connection.recv(4096)


def test_only_ip_literals_and_own_names_are_hosts():
    assert is_own_host("stage.lan", list_own_names(["Stage.LAN"])) and not is_own_host("stage.lan", list_own_names())


class Clock:
    def __init__(self):
        self.moment = 100.0

    def __call__(self):
        return self.moment


def test_tokens_give_roles_and_five_wrong_ones_a_minute_shut_the_door():
    clock = Clock()
    tokens = Tokens({"secret": "play", "look": "watch"}, clock)
    assert tokens.judge("secret", "a") == (ALLOWED, "play") and tokens.judge("look", "a") == (ALLOWED, "watch")
    assert all(tokens.judge("", "a") == (UNAUTHORIZED, "") for _ in range(20))            # none is no guess
    assert all(tokens.judge(f"guess{n}", "a") == (UNAUTHORIZED, "") for n in range(5))
    assert tokens.judge("guess", "a") == (TOO_MANY, "") == tokens.judge("secret", "a")
    assert tokens.judge("secret", "b") == (ALLOWED, "play")
    clock.moment += 61
    assert tokens.judge("secret", "a") == (ALLOWED, "play")


def test_without_tokens_everybody_plays():
    assert Tokens({}, Clock()).judge("anything", "a") == (ALLOWED, "play")


def test_many_addresses_are_not_remembered_for_ever():
    tokens = Tokens({"secret": "play"}, Clock())
    for n in range(5000):
        tokens.judge("guess", f"10.0.{n // 256}.{n % 256}")
    assert len(tokens._wrong) <= 1024


def test_tokens_that_are_no_ascii_are_compared_too():
    assert Tokens({"schlüssel": "play"}, Clock()).judge("schlüssel", "a") == (ALLOWED, "play")
