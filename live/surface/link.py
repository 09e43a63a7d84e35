"""One page's control socket: values as OSC packets both ways, everything else as JSON text."""
import asyncio
import json
import logging
import math

from live.osc.address import PLAYED
from live.osc.receiver import Receiver
from live.osc.stats import Stats
from live.osc.subscriber import Subscriber
from live.show.clock import now
from live.show.events import Asked

log = logging.getLogger(__name__)

SCHEMA = 1
TOPICS = ("meter", "hands", "log", "played")
LONGEST_PACKET = 1 << 16            # bytes of values, as over UDP: what one packet may ask of a frame
LONGEST_TEXT = 1 << 16              # characters of a JSON message from a page
WAITING = 2000                      # messages that may wait for a page; one that does not read them is told everything anew
ARGUMENTS = 16                      # of a command
HERE = "web"                        # the machine's name in a page's sender


class Junk(ValueError):
    """What a page sent means nothing here."""


class Link:
    """surface: live.surface.hub.Hub. number: this page's own, never used again. role: play or watch."""

    def __init__(self, surface, websocket, number: int, role: str):
        self.surface, self.socket, self.number, self.role = surface, websocket, number, role
        self.show, self.key, self.name = surface.show, (HERE, number), f"page {number}"
        self.topics: set = set()
        self.told: dict = {}                             # of state and the like: what this page was told last
        self._loop = asyncio.get_running_loop()
        self._out: asyncio.Queue = asyncio.Queue()
        self._closed = False
        stats = Stats(admission=surface.make_admission())
        self._receiver = Receiver(None, self.show.inbox.put, None, None, stats, self.show.echo)

    async def run(self):
        """Serve the page until it goes."""
        writer = asyncio.create_task(self._write())
        try:
            self.surface.greet(self)
            self._join(("surface", self.number, "", ""), "")
            await self._read()
        finally:
            self._closed = True
            writer.cancel()
            self.surface.grabs.release(self.number)
            await asyncio.to_thread(self.show.echo.leave, lambda key, s: key[:2] in (("surface", self.number), ("surface played", self.number)))

    def _join(self, key, prefix):
        subscriber = Subscriber(f"surface {self.number}", self._put_values, lambda: None, prefix=prefix, form="all",
                                source=None if prefix else self.key, stays=True)
        self.show.echo.join(key, subscriber)

    def _put_values(self, datagram):
        """Send a packet; from the echo's thread. ConnectionError: the page is gone, or does not read."""
        if self._closed or self._out.qsize() > WAITING:
            raise ConnectionError("the page does not read")
        self.surface.post(self._loop, self._out, datagram)

    def tell(self, message: dict):
        """Send a JSON message; from the loop's thread. A page that does not read is not told."""
        if self._out.qsize() <= WAITING:
            self._out.put_nowait(json.dumps(message, allow_nan=False, default=str))

    async def _write(self):
        while True:
            item = await self._out.get()
            if isinstance(item, bytes):
                await self.socket.send_bytes(item)
            else:
                await self.socket.send_text(item)

    async def _read(self):
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                if (data := message.get("bytes")) is not None:
                    self._take_values(data)
                else:
                    self._take_text(message.get("text") or "")
            except Junk as error:
                self.surface.note_junk(self, error)

    def _take_values(self, data):
        if self.role != "play":
            raise Junk("it may only watch")
        if len(data) > LONGEST_PACKET:
            raise Junk(f"a packet of {len(data)} bytes")
        before = self._receiver.stats.bad
        self._receiver.receive(data, self.key)
        if self._receiver.stats.bad > before:
            self.surface.count_junk()

    # -- what the page says in JSON

    def _take_text(self, text):
        if len(text) > LONGEST_TEXT:
            raise Junk(f"a message of {len(text)} characters")
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            raise Junk("text that is no JSON") from None
        kind = said.get("t") if isinstance(said, dict) else None
        act = self.KINDS.get(kind) if isinstance(kind, str) else None
        if act is None:
            if isinstance(kind, str):
                return                                   # of a later page: left alone
            raise Junk("JSON without a kind")
        act(self, said)

    def _take_hello(self, said):
        schema, name = said.get("schema", SCHEMA), said.get("name", "")
        if not isinstance(schema, int) or schema > SCHEMA:
            self.tell({"t": "refused", "why": f"this show speaks schema {SCHEMA}, the page {schema!r:.20}: reload the page"})
        elif isinstance(name, str):
            self.name = name[:40] or self.name

    def _watch(self, said):
        topics = said.get("topics")
        if not isinstance(topics, list):
            raise Junk("watch without topics")
        wanted = {topic for topic in TOPICS if topic in topics}
        before, self.topics = self.topics, wanted
        if "played" in wanted - before:
            self._join(("surface played", self.number, PLAYED, ""), PLAYED)
        elif "played" in before - wanted:
            self.show.echo.leave(lambda key, s: key[:2] == ("surface played", self.number))

    def _call(self, said):
        number, command, arguments = said.get("id"), said.get("command"), said.get("arguments", [])
        if not isinstance(command, str) or not isinstance(arguments, list) or len(arguments) > ARGUMENTS or not isinstance(number, int):
            raise Junk("a call without id, command and arguments")
        if self.role != "play":
            return self.tell({"t": "done", "id": number, "ok": False, "text": "this page may only watch"})
        if not all(_is_usable(argument) for argument in arguments):
            raise Junk("a call with arguments that are no words or finite numbers")

        def answer(fault):
            try:
                self._loop.call_soon_threadsafe(self.tell, {"t": "done", "id": number, "ok": fault is None, "text": fault or ""})
            except RuntimeError:                         # the loop of a surface that ends
                pass
        self.show.inbox.put(Asked(command, tuple(arguments), now(), answer))

    def _grab(self, said):
        addresses = _read_addresses(said)
        if self.role == "play":
            self.surface.grabs.grab(self.number, addresses)

    def _release(self, said):
        self.surface.grabs.release(self.number, _read_addresses(said))

    def _ping(self, said):
        self.surface.grabs.keep_alive(self.number)
        number = said.get("n")
        self.tell({"t": "pong", "n": number if isinstance(number, int) else 0})

    KINDS = {"hello": _take_hello, "watch": _watch, "call": _call, "grab": _grab, "release": _release, "ping": _ping}


def _read_addresses(said):
    addresses = said.get("addresses")
    if not isinstance(addresses, list) or len(addresses) > 64 or not all(isinstance(a, str) and len(a) < 256 for a in addresses):
        raise Junk("expected addresses")
    return addresses


def _is_usable(argument) -> bool:
    return isinstance(argument, (str, bool)) or isinstance(argument, (int, float)) and abs(argument) < 1e300 and math.isfinite(argument)
