"""An output that hands its pictures to other programs: its rate, size, framing and thread, whatever library it sends with.

A class under @output that says `apart` and has send(frame) is given pictures by one of these, both in a process of its own
and in the show's. It is made, sent to and closed in different threads, so it opens what belongs to a thread in send().
"""
import logging

import numpy as np

from live.outputs import BROKEN, CLOSING
from live.outputs.canvas import Canvas
from live.outputs.framing import Framing
from live.outputs.mailbox import Newest
from live.outputs.spec import OutputSpec
from live.show.clock import now
from live.show.threads import end_thread, make_thread

log = logging.getLogger(__name__)

LOOK = 0.1                          # seconds between looks at settings while no picture comes
REPEATED = 0.5                      # seconds without a new picture after which the last one is sent again
SLACK = 0.4                         # periods that a picture may come before its time: clocks of two processes jitter
STUCK = 15.0                        # seconds in one send() after which its library hangs


class Sent:
    """A picture to send: pixels uint8 [H, W, 3] RGB, always of one size, valid until the next one; number: 0, 1, 2, ..."""
    __slots__ = ("number", "pixels")

    def __init__(self, pixels: np.ndarray, number: int):
        self.pixels, self.number = pixels, number


class Rate:
    """Chooses which of the pictures that come are sent. fps: the most a second, None = all."""

    def __init__(self, fps: float | None):
        self.fps, self._due = fps, -float("inf")

    def is_due(self, moment: float) -> bool:
        """Return whether a picture that comes at a moment, in seconds, is sent; it then counts as sent."""
        if not self.fps:
            return True
        period = 1 / self.fps
        if moment < self._due - SLACK * period:
            return False
        self._due = (self._due if moment < self._due + period else moment) + period
        return True


class Sender:
    """target: an output with send(frame) and close(). Where it is `steady`, the last picture is sent again at the rate while none comes.

    put(frame) takes the newest picture and never waits. broken: why it has stopped, None while it runs; error: the exception, if it was one.
    """

    def __init__(self, spec: OutputSpec, target, now=now):
        self.name, self.kind, self.target, self.framing, self.now = spec.name, spec.kind, target, spec.framing, now
        self.sent = 0
        self.broken: str | None = None
        self.error: Exception | None = None
        self._pictures, self._canvas, self._rate = Newest(), Canvas(spec.name, spec.mask), Rate(spec.fps)
        self._wanted, self._closing = spec.size, False
        self._size: tuple[int, int] | None = None
        self._last: np.ndarray | None = None
        self._shown: Framing | None = None               # the settings of what was sent last, and when
        self._at = 0.0
        self._busy: float | None = None                  # when a send() that goes on began
        self._repeat = 1.5 / spec.rate_sent if getattr(target, "steady", False) else REPEATED
        if hasattr(target, "run_once"):
            self.run_once = target.run_once                      # what wants the main thread
        self._thread = make_thread(f"output {spec.name}", self._work)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Pictures that a newer one overtook, and those its target could not get out."""
        return self._pictures.dropped + getattr(self.target, "lost", 0)

    @property
    def is_stuck(self) -> bool:
        """Whether its library has not come back from a picture for so long that it never will."""
        busy = self._busy
        return busy is not None and self.now() - busy > STUCK

    def put(self, frame):
        """Take a frame; the newest wins."""
        self._pictures.put(frame.pixels)

    def close(self):
        """End the thread and the output it sends to. Safe to call twice."""
        self._closing = True
        end_thread(self._thread, CLOSING)

    def _work(self):
        try:
            while not self._closing:
                self._send_next()
        except BROKEN as error:
            self._fail(error)
        finally:
            if not self._closing and self.broken is None:
                self.broken = "a bug of its own"
            self._end()

    def _send_next(self):
        """Send the picture that waits, or the last one again where its settings were turned or nothing has come for long."""
        fresh = self._pictures.take(min(LOOK, self._repeat))
        moment, framing = self.now(), self.framing
        if fresh is not None:
            self._last = fresh
            if not self._rate.is_due(moment):
                return
        elif framing is self._shown and moment - self._at < self._repeat:
            return
        if self._last is None:
            return
        if self._size is None:
            self._size = find_sent_size(self._wanted, self._last.shape[1::-1])
        self._busy = moment
        self.target.send(Sent(self._canvas.draw(self._last, framing, self._size), self.sent))
        self._busy, self._shown, self._at = None, framing, moment
        self.sent += 1

    def _end(self):
        try:
            self.target.close()
        except BROKEN as error:
            if self.broken is None:
                self._fail(error)

    def _fail(self, error):
        self.error, self.broken = error, str(error) or type(error).__name__
        log.error("%s; the show goes on without it", describe_error(self.name, error))


def describe_error(name: str, error) -> str:
    """Return an output's error in one line, with the output's name."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if text.startswith("output ") else f"output {name}: {text}"


def find_sent_size(wanted: tuple[int, int] | int | None, picture: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) that an output sends of a picture of (width, height): as wanted, None = the picture's own.

    A single number is the longer side's; the picture keeps its shape.
    """
    if wanted is None:
        return picture[0], picture[1]
    if isinstance(wanted, int):
        longest = max(picture)
        return max(1, round(picture[0] * wanted / longest)), max(1, round(picture[1] * wanted / longest))
    return wanted
