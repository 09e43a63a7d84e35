"""The page's HTTP and WebSocket server: Starlette under uvicorn, in a thread with a loop of its own."""
import asyncio
import logging
import mimetypes
import threading
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.errors import UserError
from live.show.clock import now
from live.show.journal import Seldom
from live.surface import gate
from live.surface.guard import ENTER, Guard
from live.surface.preview import RATES, SIZES

LIBRARIES = ("starlette", "uvicorn")
log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
LARGEST_MESSAGE = 1 << 22           # bytes of a WebSocket message or a body
CONNECTIONS = 96                    # at once
OPENING, CLOSING = 10.0, 5.0        # seconds
SILENT = 15.0                       # seconds in which a connection has to say something


class Files(StaticFiles):
    """The page's files: asked for anew each time, so that a show of tomorrow has tomorrow's page."""

    async def get_response(self, path, scope):
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Server:
    """hub, preview: what is served. tokens: gate.Tokens. names: of this machine. routes: further ones, (path, endpoint, methods)."""

    def __init__(self, hub, preview, tokens, names, routes=()):
        self.hub, self.preview, self.tokens = hub, preview, tokens
        self.names, self.more = names, routes
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._opened, self._failure = threading.Event(), None
        self.loop = None

    def start(self, host: str, port: int, certificate=None, key=None) -> int:
        """Serve in a thread; returns the port. UserError: it can't be had."""
        sock = _listening(host, port)
        self.port = sock.getsockname()[1]
        mimetypes.add_type("text/javascript", ".js")
        mimetypes.add_type("application/manifest+json", ".webmanifest")
        self.guard = Guard(self._application(), self.names, self.tokens, f"surface-{self.port}", "https" if certificate else "http")
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        config = uvicorn.Config(self.guard, ws="websockets-sansio", http=_counted(), ws_per_message_deflate=False, ws_max_size=LARGEST_MESSAGE,
                                loop="asyncio", log_config=None, access_log=False, ws_ping_interval=5, ws_ping_timeout=10, lifespan="off",
                                server_header=False, timeout_graceful_shutdown=1, ssl_certfile=certificate, ssl_keyfile=key)
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._work, args=(server, sock), name="surface", daemon=True)
        self._thread.start()
        if not self._opened.wait(OPENING) or self._failure:
            raise UserError(f"--surface-port {port}: {self._failure or 'it did not open in time'}")
        return self.port

    def _work(self, server, sock):
        try:
            asyncio.run(self._serve(server, sock))
        except (OSError, SystemExit) as error:
            self._failure = str(error)
            self._opened.set()

    async def _serve(self, server, sock):
        self.loop = asyncio.get_running_loop()
        self.loop.call_soon(self._opened.set)
        teller = asyncio.create_task(self.hub.run(lambda: server.should_exit))
        try:
            await server.serve(sockets=[sock])
        finally:
            teller.cancel()

    @property
    def tap(self):
        """A function that returns an emit whose events pages see."""
        return self.hub.hands.tap

    def close(self):
        """End of the show: pages are let go of."""
        if self._server is not None:
            self._server.should_exit = True
            self._thread.join(CLOSING)

    # -- routes

    def _application(self):
        routes = [Route(ENTER, self._enter, methods=["POST"]), Route("/api/clients", self._clients),
                  *(Route(path, endpoint, methods=methods) for path, endpoint, methods in self.more),
                  WebSocketRoute("/ws", self._link), WebSocketRoute("/preview", self._preview),
                  Mount("/", Files(directory=PAGE, html=True))]
        return Starlette(routes=routes, exception_handlers={404: _not_found})

    async def _enter(self, request):
        """Give a page that shows a token its cookie."""
        word = await body_of(request, 1024)
        if word is None:
            return Response("too long\n", 413)
        status, role = self.tokens.judge(word.decode("utf-8", "replace").strip(), (request.client or ("",))[0])
        if status != gate.ALLOWED:
            return Response("wrong token\n", status)
        response = JSONResponse({"role": role})
        if self.tokens.words:
            response.set_cookie(self.guard.cookie, word.decode().strip(), httponly=True, samesite="strict", path="/", secure=self.guard.scheme == "https")
        return response

    async def _clients(self, request):
        return JSONResponse({"clients": len(self.hub.links), "watchers": len(self.preview.watchers)})

    async def _link(self, websocket):
        await websocket.accept()
        await self.hub.serve(websocket, websocket.scope["role"])

    async def _preview(self, websocket):
        await websocket.accept()
        asked = websocket.query_params
        size = min(SIZES, key=lambda size: abs(size - _whole(asked.get("size"), 256)))
        await self.preview.serve(websocket, size, min(max(_whole(asked.get("fps"), 15), RATES[0]), RATES[1]))


async def body_of(request, most: int) -> bytes | None:
    """Return a request's body, None if it is longer than `most` bytes."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            return None
    return bytes(found)


def _whole(text, default):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else default


async def _not_found(request, error):
    return Response("there is nothing here\n", 404)


def _listening(host, port):
    """Return a listening socket. UserError: why there is none."""
    import socket

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        sock = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise UserError(f"--surface-port {port} on {host}: {error.strerror or error}; choose another with --surface-port N, or 0 for none") from None
    sock.setblocking(False)
    return sock


def _counted():
    """Return the class of a server's connections: too many at once are refused, and so is one that says nothing."""
    open_now: set = set()
    crowd = Seldom(log, now)

    class Counted(H11Protocol):
        def connection_made(self, transport):
            super().connection_made(transport)
            open_now.add(self)
            self.watch = None
            if len(open_now) > CONNECTIONS:
                crowd.warn("surface: %d connections at once; more are refused", CONNECTIONS)
                transport.abort()
            else:
                self.watch = self.loop.call_later(SILENT, self._look, transport)

        def _look(self, transport):
            if self.cycle is None and not transport.is_closing() and transport.get_protocol() is self:
                transport.close()

        def connection_lost(self, exc):
            open_now.discard(self)
            if self.watch is not None:
                self.watch.cancel()
            super().connection_lost(exc)

        def handle_websocket_upgrade(self, event):
            super().handle_websocket_upgrade(event)
            transport, mine = self.transport, self
            protocol = transport.get_protocol()
            lost = protocol.connection_lost

            def also(exc):
                open_now.discard(mine)
                lost(exc)
            setattr(protocol, "connection_lost", also)     # noqa: B010  (a method is no attribute to assign to, says the type checker)

    return Counted
