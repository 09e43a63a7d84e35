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
from live.outputs.sender import Rate, Sender, describe_error
from live.outputs.spec import OutputSpec
from live.processes.ring import Reader, Taken
from live.processes.supervisor import FAILED, MISSING, USER_ERROR
from live.processes.troubles import Troubles
from live.show.child import prepare_child
from live.show.clock import now

log = logging.getLogger(__name__)

WAIT = 0.005                        # seconds for a frame before orders and keys are looked at again
REST = 0.2                          # the same of an output that nobody sees at the moment
TOLD = 0.5                          # seconds between reports to the show
NEWS = 0.1                          # the same where there is something new about it


@dataclass(frozen=True)
class Picture:
    """What an output is given: pixels uint8 [H, W, 3], valid until the next one, and a number that rises."""
    pixels: np.ndarray
    number: int


class OutputProcess:
    """Everything one output's process does. link: its pipe to the supervisor; reader, pipe: its place in the shared frames."""

    def __init__(self, spec: OutputSpec, reader: int, pipe, link, target, troubles: Troubles | None = None):
        self.troubles = troubles
        self.spec, self.reader, self.pipe, self.link, self.target = spec, reader, pipe, link, target
        self.framing, self.stopped = spec.framing, False
        self.frames: Reader | None = None
        self._dissolve, self._reported = Dissolve(), 0.0
        self._report_sent: dict = {}
        self._rate = Rate(None if isinstance(target, Sender) else spec.fps)       # a sender chooses by itself
        self._number = 0
        self._taken: Taken | None = None
        self._memory, self._before = "", ("", 0)         # the memory's name; (its name, number) of the last picture of a renderer that went

    def run(self):
        """Show frames until told to stop."""
        while not self.stopped:
            self.run_once()

    def run_once(self):
        """Look once at orders, frames and hands. Waits a little for a frame."""
        self._read_orders()
        resting = getattr(self.target, "resting", False)
        if self.frames is None or resting:
            self.link.poll(REST if resting else WAIT)
        if self.frames is None or resting and self.link.poll(0):
            pass
        elif (taken := self.frames.take(0.0 if resting else WAIT)) is not None:
            self._take_picture(taken)
        elif self._dissolve.running and self._taken:
            self._show(self._taken)
        if hasattr(self.target, "run_once"):
            self.target.run_once(self._emit, 0.0)
        self._report()
        self._check_sender()

    def _emit(self, event):
        """Send what a hand did at this output to the show."""
        self.link.send(("event", tuple(event)))

    def _read_orders(self):
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

    def _take_picture(self, taken):
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
        """End this process where its output has broken or hangs, as a new process tries again. SystemExit."""
        if getattr(self.target, "is_stuck", False):
            log.error("output %s: it takes no more pictures; its process is ended", self.spec.name)
            os._exit(FAILED)
        if getattr(self.target, "broken", None):
            if self.troubles is not None:
                self.troubles.deliver(self.link.send)
            sys.exit(_make_status(getattr(self.target, "error", None)))

    def _report(self):
        """Tell the show how it goes: every half second, and sooner where a window has moved."""
        if self.troubles is not None:
            self.troubles.deliver(self.link.send)
        if now() - self._reported < NEWS:
            return
        about = getattr(self.target, "report", {})
        if about != self._report_sent or now() - self._reported >= TOLD:
            self._reported, self._report_sent = now(), about
            self.link.send(("state", {"sent": self.target.sent, "dropped": self.target.dropped, "broken": getattr(self.target, "broken", None), **about}))


def run_output(spec: OutputSpec, reader: int, pipe, link):
    """Run an output's process from its start to its end; it exits with 2 where the output can't be opened."""
    from live.show import garbage, journal

    prepare_child()
    close_journal, troubles = journal.start_log(), Troubles()
    logging.getLogger().addHandler(troubles)
    try:
        target = service.open_output(spec)
    except UserError as error:
        log.error("%s", describe_error(spec.name, error))
        troubles.deliver(link.send)
        close_journal()
        sys.exit(_make_status(error))
    garbage.keep_all()
    try:
        OutputProcess(spec, reader, pipe, link, target, troubles).run()
    except (EOFError, ConnectionError):
        pass                                             # the supervisor has gone: so do we
    except UserError as error:
        log.error("%s", describe_error(spec.name, error))
        sys.exit(USER_ERROR)
    finally:
        target.close()
        close_journal()


def _make_status(error) -> int:
    """Return the exit status of an output that has this to say: whether, and how soon, it is worth another try."""
    return MISSING if isinstance(error, MissingError) else USER_ERROR if isinstance(error, UserError) else FAILED
