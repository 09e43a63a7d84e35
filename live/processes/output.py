"""One output in a process of its own: frames from shared memory, settings and orders from the supervisor.

What it opens is an ordinary output (live/outputs/*.py). One that needs the main thread, as windows do, has run-by-turns:
turn(emit). All others are sent to from here.
"""
import logging
import sys
from dataclasses import dataclass

import numpy as np

from engine.errors import UserError
from live.outputs import service
from live.outputs.dissolve import Dissolve
from live.outputs.framing import Framer, Framing, load_mask
from live.outputs.spec import OutputSpec
from live.processes.child import prepare_child
from live.processes.ring import Reader, Taken
from live.processes.supervisor import USER_ERROR
from live.show.clock import now

log = logging.getLogger(__name__)

WAIT = 0.005                        # seconds for a frame before orders and keys are looked at again
TOLD = 0.5                          # seconds between reports to the show


@dataclass(frozen=True)
class Picture:
    """What an output is given: pixels uint8 [H, W, 3], valid until the next one, and a number that rises."""
    pixels: np.ndarray
    number: int


class OutputProcess:
    """Everything one output's process does. link: its pipe to the supervisor; reader, pipe: its place in the shared frames."""

    def __init__(self, spec: OutputSpec, reader: int, pipe, link, target):
        self.spec, self.reader, self.pipe, self.link, self.target = spec, reader, pipe, link, target
        self.framing, self.stopped = spec.framing, False
        self.frames: Reader | None = None
        self._dissolve, self._due, self._reported = Dissolve(), 0.0, 0.0
        self._framer: Framer | None = None
        self._number = 0
        self._taken: Taken | None = None
        self._memory, self._before = "", ("", 0)         # the memory's name; (its name, number) of the last picture of a renderer that went

    def run(self):
        """Show frames until told to stop."""
        while not self.stopped:
            self.turn_once()

    def turn_once(self):
        """Look at orders, frames and hands once; waits a little for a frame."""
        self._orders()
        if self.frames is None:
            self.link.poll(WAIT)
        elif (taken := self.frames.take(WAIT)) is not None:
            self._take(taken)
        elif self._dissolve.running and self._taken:
            self._show(self._taken)
        if hasattr(self.target, "turn"):
            self.target.turn(self._emit, 0.0)
        self._report()

    def _emit(self, event):
        """Send what a hand did at this output to the show."""
        self.link.send(("event", tuple(event)))

    def _orders(self):
        while self.link.poll(0):
            kind, *rest = self.link.recv()
            if kind == "stop":
                self.stopped = True
            elif kind == "frames":
                self._attach(*rest)
            elif kind == "anew":
                self._before = rest[0], rest[1]
            elif kind == "framing":
                self._set_framing(*rest)
            elif kind == "bind" and hasattr(self.target, "keyboard"):
                self.target.keyboard.bound = rest[0].__contains__
            elif hasattr(self.target, kind):             # toggle_fullscreen, next_display
                getattr(self.target, kind)(*rest)

    def _attach(self, name):
        if name:
            if self.frames:
                self.frames.close()
            self.frames, self._memory, self._taken = Reader(name, self.reader, self.pipe), name, None

    def _set_framing(self, framing: Framing):
        self.framing = framing
        if hasattr(self.target, "framing"):              # a window knows its display's size, and frames by itself
            self.target.framing = framing

    def _take(self, taken):
        """Show a new picture; the first one of a new renderer is dissolved to."""
        memory, last = self._before
        if memory and (memory != self._memory or taken.number > last):
            self._before = "", 0
            self._dissolve.begin()
        self._taken = taken
        self._show(taken)

    def _show(self, taken):
        moment = now()
        if self.spec.fps and moment < self._due:
            return
        self._due = max(self._due + 1 / self.spec.fps, moment) if self.spec.fps else 0.0
        self._number += 1
        pixels = self._dissolve.mix(taken.pixels, moment)
        if not hasattr(self.target, "framing"):
            pixels = self._framed(pixels)
        self.target.put(Picture(pixels, self._number))

    def _framed(self, pixels):
        size = self.spec.size or pixels.shape[1::-1]
        if self._framer is None or self._framer.display != tuple(size):
            self._framer = Framer(tuple(size), load_mask(self.spec.mask, tuple(size)))
        return self._framer.frame(pixels, self.framing)

    def _report(self):
        if now() - self._reported >= TOLD:
            self._reported = now()
            self.link.send(("state", {"sent": self.target.sent, "dropped": self.target.dropped, "broken": getattr(self.target, "broken", None)}))


def run_output(spec: OutputSpec, reader: int, pipe, link):
    """The whole life of an output's process; it exits with 2 where the output can't be opened."""
    from live.show import journal

    prepare_child()
    close_journal = journal.start()
    try:
        target = service.open_output(spec)
    except UserError as error:
        log.error("output %s: %s", spec.name, error)
        close_journal()
        sys.exit(USER_ERROR)
    try:
        OutputProcess(spec, reader, pipe, link, target).run()
    except (EOFError, BrokenPipeError):
        pass                                             # the supervisor has gone: so do we
    except UserError as error:
        log.error("output %s: %s", spec.name, error)
        sys.exit(USER_ERROR)
    finally:
        target.close()
        close_journal()

