"""The renderer's side of a show in processes: its frames go to shared memory, hands at the outputs come back, settings go out.

Knows the pipe to the supervisor and the show's inbox; opens nothing itself.
"""
import logging
import threading
from collections.abc import Callable

from live.outputs.framing import Framing
from live.processes.ring import Writer
from live.show.clock import now
from live.show.events import ControlEvent
from live.show.threads import make_thread

log = logging.getLogger(__name__)

ATTACHING = 10.0                    # seconds the supervisor may take to make the memory


class Remote:
    """An output of another process, as the show sees it: its name, what it has shown, and orders to it."""

    def __init__(self, name: str, kind: str, order):
        self.name, self.kind, self._order = name, kind, order
        self.sent = self.dropped = 0
        self.state, self.broken = "starting", None

    def put(self, frame):
        """Nothing: the frame is in the shared memory already."""

    def close(self):
        """Nothing: the supervisor ends it."""

    def toggle_fullscreen(self):
        """Tell a window to fill its display, or to stop filling it."""
        self._order(self.name, "toggle_fullscreen")

    def next_display(self):
        """Tell a window to move to the next display."""
        self._order(self.name, "next_display")

    def take_report(self, figures: dict):
        """Take down an output's report."""
        self.sent, self.dropped, self.broken = figures["sent"], figures["dropped"], figures["broken"]
        self.state = "broken" if self.broken else "running"


class Shared:
    """The output that writes each frame into the memory all outputs read.

    link: the pipe to the supervisor. sending: {reader: the end of its pipe}. specs: the outputs there are. readers: the
    output that each reader belongs to, where some have several.
    """
    name, dropped = "shared", 0

    def __init__(self, link, sending, specs, readers: list[str] | None = None):
        self.link, self.sending, self.sent = link, sending, 0
        self._readers = readers or [spec.name for spec in specs]
        self.remotes = {spec.name: Remote(spec.name, spec.kind, self.send_order) for spec in specs}
        self.framings = {spec.name: spec.framing for spec in specs}
        self._shown_size: tuple | None = None
        self._rooms = 1                                  # pictures that the memory has room for, of one's size
        self._writer: Writer | None = None
        self._size: tuple | None = None
        self._attached, self._name = threading.Event(), ""
        self._note: Callable | None = None
        self._lock = threading.Lock()

    def listen(self, emit, stop, note=None):
        """Pass on what the outputs send to the show, in a thread: emit(event), and stop() where the show is to end.

        note(text, moment): what becomes of warnings of other processes; None: nothing, they have said it themselves.
        """
        self._note = note
        self._send(("opened",))
        make_thread("supervisor", lambda: self._listen(emit, stop)).start()

    def put(self, frame):
        """Publish a frame, with the other pictures that outputs show; the first one, and one that needs more room, waits for its memory."""
        height, width = frame.pixels.shape[:2]
        others: dict = getattr(frame, "others", {})
        if (height, width) != self._shown_size:
            self._shown_size, self._rooms = (height, width), 1
        self._rooms = max(self._rooms, 1 + len(others))
        if (height * self._rooms, width) != self._size:
            self._attach((height * self._rooms, width))
        if self._writer is not None:
            numbers = {name: number for number, name in enumerate(others, 1)}
            places = {reader: numbers.get(frame.shown_by.get(name), 0) for reader, name in enumerate(self._readers)} if others else {}
            self._writer.put(frame.pixels, now(), tuple(others.values()), places)
            self.sent += 1

    def send_order(self, name: str, order: str):
        """Tell an output to do something."""
        self._send(("order", name, order))

    def set_framing(self, name: str, framing: Framing):
        """Set how a picture lies on an output."""
        self.framings[name] = framing
        self._send(("framing", name, framing))

    def tell_bound(self, keys: frozenset):
        """Tell the outputs which keys something is bound to."""
        for name in self.remotes:
            self._send(("order", name, "bind", keys))

    def tell_recorded(self, paths: dict):
        """Tell the supervisor which files the show records to: the next renderer goes on beside them."""
        self._send(("recorded", paths))

    def close(self):
        """Let go of the memory; the last picture stays up."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _attach(self, size):
        self._attached.clear()
        self._send(("size", *map(int, size)))
        if not self._attached.wait(ATTACHING):
            log.error("outputs: there is no memory for frames of %d x %d", size[1], size[0])
            self.close()
            return
        self.close()
        self._writer, self._size = Writer(self._name, self.sending), size

    def _send(self, message):
        with self._lock:
            self.link.send(message)

    def _listen(self, emit, stop):
        try:
            while True:
                self._take_message(self.link.recv(), emit, stop)
        except (EOFError, OSError):
            stop()

    def _take_message(self, message, emit, stop):
        kind, *rest = message
        if kind == "stop":
            stop()
        elif kind == "frames":
            self._name = rest[0]
            if rest[0]:
                self._attached.set()
        elif kind == "event":
            emit(ControlEvent(*rest[1]))
        elif kind == "state":
            self.remotes[rest[0]].take_report(rest[1])
        elif kind == "trouble" and self._note is not None:
            self._note(*rest)
        elif kind == "down":
            self.remotes[rest[0]].state = "starting again"
