"""The picture, small, for pages that watch: JPEG over a WebSocket of its own, acknowledged. Nothing is done while nobody watches.

A page that reads slowly holds two pictures and then gets the newest: it never sees the past.
"""
import asyncio
import io
import json
import logging
import struct
import threading

from live.outputs.mailbox import Mailbox
from live.show.clock import now
from live.show.threads import end_thread, make_thread

LIBRARIES = ("PIL",)
log = logging.getLogger(__name__)

SIZES = (128, 256, 384, 512)
RATES = 1.0, 30.0                   # pictures a second that may be asked for
AHEAD = 2                           # pictures a page may have that it did not acknowledge
QUALITY = 75
WATCHERS = 32
HEAD = struct.Struct(">QdHH")       # number, time, width, height: before each picture


class Watcher:
    """One page that watches. size: of the longer side; rate: pictures a second. sent, seen: numbers of frames."""

    def __init__(self, size: int, rate: float, loop):
        self.size, self.gap, self.loop = size, 1.0 / rate, loop
        self.unseen: list[int] = []
        self.due = 0.0
        self.waiting: bytes | None = None
        self.ready = asyncio.Event()
        self.gone = False

    def wants(self, moment) -> bool:
        """Return whether a picture of this moment is for it: the rate's beat is kept, with a frame's slack."""
        if moment < self.due - 0.004 or self.gone:
            return False
        self.due = max(self.due + self.gap, moment)
        return True

    def take(self, data: bytes):
        """Take a new picture, in place of an older one that still waits. Runs in the event loop's thread."""
        self.waiting = data
        self.ready.set()


class Preview:
    """An output of the show: put() keeps the newest frame for a thread that shrinks and encodes it, where somebody watches."""

    def __init__(self):
        self.name, self.sent, self.encoded = "surface", 0, 0
        self.watchers: list[Watcher] = []
        self.snaps: list = []                            # called once each with the newest picture, uint8 [H, W, 3]
        self.mailbox = Mailbox()
        self._closing = threading.Event()
        self.thread = make_thread("preview", self._work, self._closing)
        self.thread.start()

    dropped = 0                                          # what a page does not see, the audience does

    def put(self, frame):
        """Take a frame, if anybody watches."""
        if self.watchers or self.snaps:
            self.mailbox.put(frame)

    def close(self):
        """End of the show."""
        self._closing.set()
        end_thread(self.thread)

    def _work(self):
        while not self._closing.is_set():
            frame = self.mailbox.take(timeout=0.2)
            if frame is not None:
                self._serve(frame)

    def _serve(self, frame):
        moment = now()
        snaps, self.snaps = self.snaps, []
        wanting: dict[int, list[Watcher]] = {}
        for watcher in list(self.watchers):
            if watcher.wants(moment):
                wanting.setdefault(watcher.size, []).append(watcher)
        if not snaps and not wanting:
            return
        pixels = frame.pixels.copy()
        for snap in snaps:
            snap(pixels)
        for size, watchers in wanting.items():
            data = encode_picture(pixels, size, frame.number, moment)
            self.encoded += 1
            try:
                watchers[0].loop.call_soon_threadsafe(_hand_out, watchers, data)
            except RuntimeError:                         # the loop of a surface that ends
                for watcher in watchers:
                    watcher.gone = True

    async def serve(self, socket, size: int, rate: float):
        """Send pictures to a page until it goes."""
        if len(self.watchers) >= WATCHERS:
            return await socket.close(1013, "too many watch already")
        watcher = Watcher(size, rate, asyncio.get_running_loop())
        self.watchers = [*self.watchers, watcher]
        sender = asyncio.create_task(self._send(socket, watcher))
        try:
            await _read_acknowledgements(socket, watcher)
        finally:
            watcher.gone = True
            sender.cancel()
            self.watchers = [other for other in self.watchers if other is not watcher]

    async def _send(self, socket, watcher):
        while True:
            await watcher.ready.wait()
            watcher.ready.clear()
            if watcher.waiting is None or len(watcher.unseen) >= AHEAD:
                continue                                 # an acknowledgement sets it again
            data, watcher.waiting = watcher.waiting, None
            watcher.unseen.append(HEAD.unpack_from(data)[0])
            await socket.send_bytes(data)
            self.sent += 1


def _hand_out(watchers, data: bytes):
    """Give a picture to all who asked for this size. Runs in the event loop's thread, which is woken once for all of them."""
    for watcher in watchers:
        watcher.take(data)


async def _read_acknowledgements(socket, watcher):
    """Note which pictures a page has drawn."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            seen = json.loads((message.get("text") or "")[:100]).get("seen")
        except (ValueError, AttributeError, RecursionError):
            continue
        if isinstance(seen, int):
            watcher.unseen = [number for number in watcher.unseen if number > seen]
            watcher.ready.set()


def encode_picture(pixels, size: int, number: int, moment: float) -> bytes:
    """Return a picture in the form that pages receive: HEAD and a JPEG whose longer side is at most `size`."""
    image = shrink(pixels, size)
    return HEAD.pack(number, moment, *image.size) + _compress(image)


def encode_jpeg(pixels, size: int) -> bytes:
    """Return a picture as a JPEG whose longer side is at most `size`."""
    return _compress(shrink(pixels, size))


def _compress(image) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=QUALITY, subsampling=2)
    return data.getvalue()


def shrink(pixels, size: int):
    """Return uint8 [H, W, 3] as a PIL image whose longer side is at most `size`."""
    from PIL import Image

    image = Image.fromarray(pixels)
    longest = max(image.size)
    if longest >= 2 * size:
        image = image.reduce(longest // size)
        longest = max(image.size)
    if longest > size:
        width, height = (max(1, round(side * size / longest)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return image
