"""OSCQuery: the address tree over HTTP for programs that build their own panel, and its values over a WebSocket.

One thread with an event loop of its own; reads the newest scene, changes nothing. Requests are answered from the
registry (live/osc/query_tree.py); who listens over the WebSocket is told by the echo, as over UDP.
Source: the OSCQuery proposal, github.com/Vidvox/OSCQueryProposal.
"""
import asyncio
import json
import logging
import os
import threading
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from engine.errors import UserError
from live.osc.query_tree import ATTRIBUTES, describe_node, read_attribute
from live.osc.subscriber import Subscriber
from live.show.clock import now
from live.show.journal import Seldom
from live.show.threads import end_thread, make_thread
from live.surface import gate

log = logging.getLogger(__name__)
LIBRARIES = ("websockets",)

EXTENSIONS = {"ACCESS": True, "VALUE": True, "RANGE": True, "DESCRIPTION": True, "UNIT": True, "CLIPMODE": True, "LISTEN": True,
              "PATH_CHANGED": True, "TAGS": False, "CRITICAL": False, "OVERLOADS": False, "HTML": False}
EVERYWHERE = ("", "0.0.0.0", "::")  # listened on: no address to reach anyone by
LARGEST = 1 << 16                   # bytes of a request over the WebSocket
WAITING = 4096                      # values a slow listener may be behind, before it is let go
STARTING = 5.0                      # seconds the port may take to open
CONNECTIONS = 256                   # at once; each takes a file descriptor, which presets and takes need too
CLIENTS = 112                       # that listen over the WebSocket; the echo has room for a few more listeners
HANDSHAKE = 5.0                     # seconds in which a connection has to ask for something
REPORT = "REPORT"                   # our own: how the show is going, for the monitor


class Query:
    """scene() -> the scene now. echo: live.osc.echo.Echo. receive(datagram, sender): what a listener sends as OSC.

    host, port: where to listen; osc: (host, port) told to clients. token: what a request has to bring, "" = nothing.
    """

    def __init__(self, scene, echo, name, osc, receive=None, report=dict, token=""):
        self.scene, self.echo, self.name, self.osc = scene, echo, name, osc
        self.receive, self.report = receive or (lambda datagram, sender: None), report
        self.tokens, self.names = gate.Tokens({token: "play"} if token else {}, now), gate.list_own_names()
        self.port, self.host, self._failed = None, "", None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._clients: set = set()
        self._open: set = set()                                  # connections, whatever they will ask
        self._crowd = Seldom(log, now, quiet=10.0)

    def start(self, host, port):
        """Listen; returns the port. UserError: it is taken."""
        self.host, ready = host, threading.Event()
        self._thread = make_thread("oscquery", lambda: asyncio.run(self._work(port, ready)))
        self._thread.start()
        ready.wait(STARTING)
        if self._failed is not None or self.port is None:
            self.close()
            raise UserError(f"OSCQuery port {port} on {host}: {self._failed or 'it did not open in time'}; another port: --oscquery-port N (0 = none)")
        self.echo.rebuilt.append(self._tell_rebuilt)
        return self.port

    def close(self):
        """End of the show."""
        if self._tell_rebuilt in self.echo.rebuilt:
            self.echo.rebuilt.remove(self._tell_rebuilt)
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            end_thread(self._thread)

    async def _work(self, port, ready):
        from websockets.asyncio.server import serve

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        quiet = logging.getLogger("live.osc.query.requests")      # what strangers send is no news
        quiet.setLevel(logging.CRITICAL)
        try:
            async with serve(self._serve_client, self.host, port, process_request=self._handle_request, max_size=LARGEST, logger=quiet,
                             compression=None, ping_interval=20, open_timeout=HANDSHAKE,
                             create_connection=_make_counted(self._open, self._crowd)) as server:
                self.port = server.sockets[0].getsockname()[1]
                ready.set()
                await self._stop.wait()
        except OSError as error:
            self._failed = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        finally:
            ready.set()

    # -- HTTP

    def _handle_request(self, connection, request):
        """Answer a plain request; None lets a WebSocket through. A page of another origin gets nothing, see live/surface/gate.py."""
        try:
            split = urlsplit(request.path)
            asked = parse_qs(split.query, keep_blank_values=True, max_num_fields=8)
        except ValueError:
            return self._respond(HTTPStatus.BAD_REQUEST, {"error": "not a path that can be read"})
        asking = _read_request(request, asked)
        if asking.method not in ("GET", "HEAD"):
            return self._respond(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only GET"})
        elsewhere = bool(split.scheme) and not gate.is_own_host(split.netloc, self.names)      # "GET http://...": what a proxy is asked
        if elsewhere or gate.judge(asking, self.names) != gate.ALLOWED:
            return self._respond(HTTPStatus.FORBIDDEN, {"error": "pages of other origins may not speak to a show"})
        status, _ = self.tokens.judge(asking.token, connection.remote_address[0])
        if status != gate.ALLOWED:
            return self._respond(HTTPStatus(status), {"error": "a token is needed: ?TOKEN=..."})
        if asking.websocket:
            full = len(self._clients) >= CLIENTS
            return self._respond(HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"{CLIENTS} programs listen already"}) if full else None
        return self._respond(*self._answer(unquote(split.path), [name for name in asked if name != "TOKEN"]))

    def _respond(self, status, data):
        """Return an answer. Any page may read it where no token is needed and the gate let it through."""
        return _make_response(status, data, {} if self.tokens.words else {"Access-Control-Allow-Origin": "*"})

    def _answer(self, path, asked):
        """Return (status, data) for a path and, if one was asked for, an attribute."""
        if "HOST_INFO" in asked:
            return HTTPStatus.OK, self.describe_host()
        if REPORT in asked:
            return HTTPStatus.OK, self.report()
        scene = self.scene()
        if not asked:
            found = describe_node(scene, path)
            return (HTTPStatus.OK, found) if found else (HTTPStatus.NOT_FOUND, {"error": f"nothing at {path}"})
        if asked[0] not in ATTRIBUTES:
            return HTTPStatus.BAD_REQUEST, {"error": f"expected one of {', '.join(ATTRIBUTES)} or HOST_INFO"}
        there, value = read_attribute(scene, path, asked[0])
        if not there:
            return HTTPStatus.NOT_FOUND, {"error": f"nothing at {path}"}
        return (HTTPStatus.NO_CONTENT, None) if value is None else (HTTPStatus.OK, {asked[0]: value})

    def describe_host(self) -> dict:
        """Return where and how this instrument can be reached."""
        found = {"NAME": self.name, "EXTENSIONS": EXTENSIONS, "OSC_PORT": self.osc[1], "OSC_TRANSPORT": "UDP", "WS_PORT": self.port}
        if self.osc[0] in EVERYWHERE:                            # the address they have reached us by, then
            return found
        return found | {"OSC_IP": self.osc[0], "WS_IP": self.host}

    # -- the WebSocket

    async def _serve_client(self, connection):
        """Serve one listener until it leaves: LISTEN and IGNORE come as text, OSC as bytes."""
        from websockets.exceptions import ConnectionClosed

        waiting: asyncio.Queue = asyncio.Queue(WAITING)
        subscriber = Subscriber(f"OSCQuery {connection.remote_address[0]}", self._make_sender(connection, waiting), lambda: None,
                                form="all", addresses=set(), stays=True)
        key = "oscquery", id(connection), "", ""
        self.echo.join(key, subscriber)
        self._clients.add(connection)
        sending = asyncio.create_task(_send_all(connection, waiting))
        try:
            async for message in connection:
                if isinstance(message, bytes):
                    self.receive(message, connection.remote_address)
                else:
                    self._obey(message, subscriber)
        except ConnectionClosed:
            pass
        finally:
            sending.cancel()
            self._clients.discard(connection)
            self.echo.leave(lambda other, s: other == key)

    def _make_sender(self, connection, waiting):
        """Return a function by which the echo's thread passes on what changed."""
        loop = asyncio.get_running_loop()

        def put(datagram):
            if waiting.full():
                loop.create_task(connection.close())
            else:
                waiting.put_nowait(datagram)

        def send(datagram):
            try:
                loop.call_soon_threadsafe(put, datagram)
            except RuntimeError as error:                        # the show is ending
                raise ConnectionError(str(error)) from None
        return send

    def _obey(self, message, subscriber):
        """Do what a listener asks: {"COMMAND": "LISTEN" or "IGNORE", "DATA": address}. Anything else is ignored."""
        try:
            order = json.loads(message)
            command, address = order["COMMAND"], order["DATA"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if not isinstance(address, str):
            return
        if command == "LISTEN" and address in self.scene().parameters:
            subscriber.addresses.add(address)
            subscriber.due[address] = None                       # told once, then what changes
        elif command == "IGNORE":
            subscriber.addresses.discard(address)

    def _tell_rebuilt(self):
        """Tell those who listen that there are other parameters than before: they may want to ask again."""
        if self._clients and self._loop is not None:
            text = json.dumps({"COMMAND": "PATH_CHANGED", "DATA": "/"})
            for connection in list(self._clients):
                asyncio.run_coroutine_threadsafe(_send(connection, text), self._loop)


async def _send_all(connection, waiting):
    while True:
        await _send(connection, await waiting.get())


async def _send(connection, message):
    from websockets.exceptions import ConnectionClosed

    try:
        await connection.send(message)
    except ConnectionClosed:
        pass


def _read_request(request, asked) -> gate.Request:
    """Return what the gate needs to know of a request."""
    headers = request.headers
    single = {name: headers.get_all(name) for name in ("Host", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode")}
    host, origin, site, mode = (found[0] if found else None for found in single.values())
    bearer = (headers.get_all("Authorization") or [""])[0]
    upgrade = ",".join(headers.get_all("Upgrade")).lower()
    return gate.Request(host, origin, site, mode, getattr(request, "method", "GET"), websocket="websocket" in upgrade,
                        token=asked.get("TOKEN", [bearer.removeprefix("Bearer ")])[0],
                        repeated=any(len(found) > 1 for found in single.values()))


def _make_counted(connections: set, crowd):
    """Return the class of a server's connections: it counts those that are open, and refuses what is too many."""
    from websockets.asyncio.server import ServerConnection

    class Counted(ServerConnection):
        def connection_made(self, transport):
            super().connection_made(transport)
            connections.add(self)
            if len(connections) > CONNECTIONS:
                crowd.warn("OSCQuery: %d connections at once; more are refused", CONNECTIONS)
                transport.abort()

        def connection_lost(self, exc):
            connections.discard(self)
            super().connection_lost(exc)

    return Counted


def _make_response(status, data, more):
    from websockets.datastructures import Headers
    from websockets.http11 import Response

    body = b"" if data is None else json.dumps(data).encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close",
                       "X-Content-Type-Options": "nosniff", **more})
    return Response(status.value, status.phrase, headers, body)
