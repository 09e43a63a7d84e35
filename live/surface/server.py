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

from engine.errors import UserError
from live.show.threads import end_thread, make_thread
from live.surface import connections, gate, views
from live.surface.guard import ENTER, Guard
from live.surface.preview import RATES, SIZES

LIBRARIES = ("starlette", "uvicorn")
log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
LARGEST_MESSAGE = 1 << 22           # bytes of a WebSocket message or a body
OPENING, CLOSING = 10.0, 5.0        # seconds


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
        sock = _open_socket(host, port)
        self.port = sock.getsockname()[1]
        mimetypes.add_type("text/javascript", ".js")
        mimetypes.add_type("application/manifest+json", ".webmanifest")
        self.guard = Guard(self._make_application(), self.names, self.tokens, f"surface-{self.port}", "https" if certificate else "http")
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        config = uvicorn.Config(self.guard, ws=connections.Socket, http=connections.make_limited(self.hub.count_junk), ws_per_message_deflate=False,
                                ws_max_size=LARGEST_MESSAGE, loop="asyncio", log_config=None, access_log=False, ws_ping_interval=5, ws_ping_timeout=10,
                                lifespan="off", server_header=False, timeout_graceful_shutdown=1, ssl_certfile=certificate, ssl_keyfile=key)
        self._server = server = uvicorn.Server(config)
        self._thread = make_thread("surface", lambda: self._work(server, sock))
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
            end_thread(self._thread, CLOSING)

    # -- routes

    def _make_application(self):
        routes = [Route(ENTER, self._enter, methods=["POST"]), Route("/api/clients", self._answer_clients),
                  *(Route(path, endpoint, methods=methods) for path, endpoint, methods in self.more),
                  WebSocketRoute("/ws", self._serve_link), WebSocketRoute("/preview", self._serve_preview),
                  views.make_route(PAGE / "views"), Mount("/", Files(directory=PAGE, html=True))]
        return Starlette(routes=routes, exception_handlers={404: _answer_not_found})

    async def _enter(self, request):
        """Give a page that shows a token its cookie."""
        word = await read_body(request, 1024)
        if word is None:
            return Response("too long\n", 413)
        status, role = self.tokens.judge(word.decode("utf-8", "replace").strip(), (request.client or ("",))[0])
        if status != gate.ALLOWED:
            return Response("wrong token\n", status)
        response = JSONResponse({"role": role})
        if self.tokens.words:
            response.set_cookie(self.guard.cookie, word.decode().strip(), httponly=True, samesite="strict", path="/", secure=self.guard.scheme == "https")
        return response

    async def _answer_clients(self, request):
        return JSONResponse({"clients": len(self.hub.links), "watchers": len(self.preview.watchers)})

    async def _serve_link(self, websocket):
        await websocket.accept()
        await self.hub.serve(websocket, websocket.scope["role"])

    async def _serve_preview(self, websocket):
        await websocket.accept()
        asked = websocket.query_params
        size = min(SIZES, key=lambda size: abs(size - _read_whole(asked.get("size"), 256)))
        await self.preview.serve(websocket, size, min(max(_read_whole(asked.get("fps"), 15), RATES[0]), RATES[1]))


async def read_body(request, most: int) -> bytes | None:
    """Return a request's body, None if it is longer than `most` bytes."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            return None
    return bytes(found)


def _read_whole(text, default):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else default


async def _answer_not_found(request, error):
    return Response("there is nothing here\n", 404)


def _open_socket(host, port):
    """Return a listening socket. UserError: why there is none."""
    import socket

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        sock = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise UserError(f"--surface-port {port} on {host}: {error.strerror or error}; choose another with --surface-port N, or 0 for none") from None
    sock.setblocking(False)
    return sock
