"""The supervisor: starts the renderer and each output as processes of their own, watches them, and starts what ends anew.

It has no torch, no window and no sockets, so there is little in it that could fail. It owns the memory that the frames lie
in, so that a picture stays up when its renderer has gone. Source: SURFACE.md O.1.
"""
import logging
import signal
from collections.abc import Callable
from multiprocessing import connection

from live.outputs.spec import OutputSpec
from live.processes.child import Child, Frames
from live.show.clock import now
from live.show.ending import TWICE

log = logging.getLogger(__name__)

LOOK = 0.1                          # seconds between looks at what runs
HANG = 5.0                          # seconds without a frame after which a renderer hangs
START = 120.0                       # seconds that the first sign may take: a first start reads, compiles and warms up
SILENT = 10.0                       # seconds without a report after which an output hangs: a window that is dragged gives none on some systems
ASLEEP = 1.0                        # seconds: a look that comes so much too late means that all of us stood still, as a laptop that is closed
GRACE = 1.0                         # seconds a hanging process has to say where it stands
WAITS = (0.0, 1.0, 2.0, 4.0)        # seconds before a process that ended is started again
ILL = 30.0                          # seconds: a renderer that dies a third time within them begins safely
HOPELESS = 120.0                    # seconds: one that dies a sixth time within them is left alone
FORGIVEN = 60.0                     # seconds after which an output that runs has all its tries again
CLOSING = 5.0                       # seconds that what is told to end may take
FAILED, USER_ERROR, MISSING = 1, 2, 3             # exit statuses: of an output, MISSING = no second try will find what it lacks


class Supervisor:
    """Runs a renderer and its outputs until the show is over. run() -> exit status.

    renderer(options, sending ends {reader: pipe}, link): the process that draws. options(attempt, safe, recorded) -> the
    options to start it with; attempt: 0 at first, then 1, 2, ..., safe where it died too often, recorded: what it recorded to.
    output(spec, segment name, reader, receiving end, link): the process of one output.
    """

    def __init__(self, renderer: Callable, options: Callable, output: Callable, specs: list[OutputSpec]):
        self.specs, self.options = specs, options
        self.renderer = Child("renderer", renderer)
        self.outputs = {spec.name: Child(spec.name, output) for spec in specs}
        self.frames = Frames(len(specs))
        self.framing = {spec.name: spec.framing for spec in specs}
        self.attempt, self._opened = 0, False
        self.recorded: dict | None = None                # {"take": path, "video": path}: what the renderer records to
        self.status: int | None = None
        self._published, self._drawing, self._looked = 0, False, now()        # drawing: whether the renderer has drawn since it began
        self._stopping: float | None = None              # when it was told to end the show

    def run(self) -> int:
        """Watch until the renderer has ended for good; returns the exit status of the show."""
        self._handle_signals()
        try:
            self._start(self.renderer)                   # outputs follow once it has found nothing wrong with the flags
            while self.status is None:
                self._wait()
                self._relay()
                self._pardon()
                self._watch_renderer()
                self._watch_outputs()
            return self.status
        finally:
            self._end()

    def stop(self):
        """Tell the renderer to end the show; told again after a while, end at once. A closed terminal tells twice by itself."""
        if self._stopping is None:
            self._stopping = now()
            self.renderer.send(("stop",))
            if not self.renderer.running:
                self.status = 0
        elif now() - self._stopping > TWICE:
            self.renderer.kill()
            self.status = 130

    def _handle_signals(self):
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: self.stop())

    def _start(self, child):
        """Start a process, the renderer or an output, as it is due."""
        if child is self.renderer:
            sending = {reader: pipe[1] for reader, pipe in enumerate(self.frames.pipes)}
            self._published, self._drawing = self._number(), False
            child.start(self.options(self.attempt, self._safe(), self.recorded), sending)
        else:
            reader = list(self.outputs).index(child.name)
            self.frames.forgive(reader)
            spec = self.specs[reader]
            child.start(spec, reader, self.frames.pipes[reader][0])
            child.send(("framing", self.framing[child.name]))
            if self.frames.name:
                child.send(("frames", self.frames.name))
            if not self._drawing:
                child.send(self._anew())
        if self._opened:
            log.info("%s: process %d", child.name, child.process.pid)

    def _anew(self):
        """Return the message that tells an output to dissolve to what comes after the picture that is up."""
        return "anew", self.frames.name, self._number()

    def _open_outputs(self):
        """Start the outputs: the renderer has opened its instrument."""
        self._opened = True
        log.info("%s: process %d", self.renderer.name, self.renderer.process.pid)
        for child in self.outputs.values():
            self._start(child)

    def _wait(self):
        """Wait for news: a message, an end, or the time of the next look."""
        watched = [child for child in (self.renderer, *self.outputs.values()) if child.running]
        links = [child.link for child in watched if child.link is not None]
        connection.wait([child.process.sentinel for child in watched] + links, LOOK)

    def _pardon(self):
        """Give everybody time anew where we stood still ourselves: a machine slept, or a terminal stopped us all."""
        late, self._looked = now() - self._looked - LOOK, now()
        for child in (self.renderer, *self.outputs.values()) if late > ASLEEP else ():
            child.move()

    def _relay(self):
        """Hand on what the processes say to each other."""
        for message in self.renderer.received():
            kind, *rest = message
            if not self._opened:
                self._open_outputs()
            if kind == "size" and self.frames.fit(*rest):
                for child in self.outputs.values():
                    child.send(("frames", self.frames.name))
            if kind == "size":
                self.renderer.send(("frames", self.frames.name))
            elif kind == "framing":
                name, framing = rest
                self.framing[name] = framing
                self.outputs[name].send(message[:1] + (framing,))
            elif kind == "recorded":
                self.recorded = rest[0]
            elif kind == "order":
                name, *order = rest
                self.outputs[name].send(tuple(order))
        for name, child in self.outputs.items():
            for message in child.received():
                child.move()
                if self.renderer.spoken or message[0] != "state":       # one that starts reads nothing yet: its pipe is kept for what matters
                    self.renderer.send((message[0], name, *message[1:]))

    def _number(self) -> int:
        return self.frames.segment.published if self.frames.segment else 0

    def _watch_renderer(self):
        """Start the renderer again where it has ended or hangs."""
        child = self.renderer
        if (code := child.ended()) is not None:
            self._renderer_ended(code)
        elif child.running:
            self._watch_frames()
        elif child.due is not None and now() >= child.due:
            self._start(child)

    def _renderer_ended(self, code):
        first = self.attempt == 0 and not self._number()
        if code == 0 or self._stopping is not None:
            self.status = 0 if code == 0 else max(code, 0)
        elif code == USER_ERROR and first:
            self.status = USER_ERROR                      # it has said what is wrong
        elif self._deaths(HOPELESS) >= 6:
            log.error("renderer: it has died six times within %d seconds; the last picture stays up. Ctrl-C ends the show", HOPELESS)
            self.renderer.due = None
        else:
            wait = WAITS[min(self._deaths(HOPELESS) - 1, len(WAITS) - 1)]
            self.attempt += 1
            self.renderer.due, self._drawing = now() + wait, False
            for output in self.outputs.values():
                output.send(self._anew())
            log.error("renderer: ended with %s; the picture stays up, it starts again %s", _reason(code), _when(wait))

    def _deaths(self, within) -> int:
        return sum(now() - moment < within for moment in self.renderer.ends)

    def _safe(self) -> bool:
        return self._deaths(ILL) >= 3

    def _watch_frames(self):
        """Notice that frames come, or that none do: a renderer that hangs is asked where it stands, then ended."""
        number = self._number()
        if number != self._published:
            self._published, self._drawing = number, True
            self.renderer.move()
        self.renderer.end_if_hung(HANG if self._drawing else START, GRACE, "frame")
        if self._stopping is not None and now() - self._stopping > CLOSING * 12:
            self.renderer.kill()

    def _watch_outputs(self):
        """Start an output again where it has ended; one that can't be opened is tried again ever more seldom."""
        for child in self.outputs.values() if self._opened else ():
            if (code := child.ended()) is not None:
                quick = now() - child.begun < FORGIVEN
                child.ends = child.ends[-len(WAITS):] if quick else child.ends[-1:]
                wait = WAITS[min(len(child.ends) - 1, len(WAITS) - 1)] if code != USER_ERROR else 4 * WAITS[-1]
                child.due = now() + wait if code != MISSING else None
                if code != MISSING:                       # it has said what is missing
                    log.error("output %s: ended with %s; the show goes on, it is opened again %s", child.name, _reason(code), _when(wait))
                self.renderer.send(("down", child.name))
            elif child.running:
                child.end_if_hung(SILENT if child.spoken else START, GRACE, "report")
            elif child.due is not None and now() >= child.due:
                self._start(child)

    def _end(self):
        """End every process and give the memory back."""
        children = (self.renderer, *self.outputs.values())
        for child in children:
            child.send(("stop",))
        until = now() + CLOSING
        for child in children:
            if child.process is not None:
                child.process.join(max(0.0, until - now()))
                if child.process.exitcode is None:
                    child.kill()
                    child.process.join()
            child.close()
        self.frames.close()


def _when(wait) -> str:
    return f"in {wait:g} s" if wait else "at once"


def _reason(code) -> str:
    """Return how a process ended, in words."""
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"
