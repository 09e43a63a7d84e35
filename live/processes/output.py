"""One output in a process of its own: frames from shared memory, settings and orders from the supervisor.

What it opens is an ordinary output (live/outputs/*.py). One that needs the main thread, as windows do, has run-by-turns:
turn(emit). All others are sent to from here.
"""
import logging
import os
import sys
from dataclasses import dataclass

import numpy as np

from engine.errors import UserError
from live.outputs import service
from live.outputs.dissolve import Dissolve
from live.outputs.extras import MissingError
from live.outputs.framing import Framing
from live.outputs.sender import Rate, Sender, told
from live.outputs.spec import OutputSpec
from live.processes.child import prepare_child
from live.processes.ring import Reader, Taken
from live.processes.supervisor import FAILED, MISSING, USER_ERROR
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
        self._dissolve, self._reported = Dissolve(), 0.0
        self._rate = Rate(None if isinstance(target, Sender) else spec.fps)       # a sender chooses by itself
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
        self._check_sender()

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
        if self._rate.is_due(moment):
            self._number += 1
            self.target.put(Picture(self._dissolve.mix(taken.pixels, moment), self._number))

    def _check_sender(self):
        """Leave where what is sent to has broken or hangs: a new process tries anew. SystemExit."""
        if getattr(self.target, "is_stuck", False):
            log.error("output %s: it takes no more pictures; its process is ended", self.spec.name)
            os._exit(FAILED)
        if getattr(self.target, "broken", None):
            sys.exit(_status(getattr(self.target, "error", None)))

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
        log.error("%s", told(spec.name, error))
        close_journal()
        sys.exit(_status(error))
    try:
        OutputProcess(spec, reader, pipe, link, target).run()
    except (EOFError, BrokenPipeError):
        pass                                             # the supervisor has gone: so do we
    except UserError as error:
        log.error("%s", told(spec.name, error))
        sys.exit(USER_ERROR)
    finally:
        target.close()
        close_journal()


def _status(error) -> int:
    """Return the exit status of an output that has this to say: whether, and how soon, it is worth another try."""
    return MISSING if isinstance(error, MissingError) else USER_ERROR if isinstance(error, UserError) else FAILED
