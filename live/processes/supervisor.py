"""The supervisor: starts the renderer and each output as processes of their own, watches them, and starts what ends anew.

It has no torch, no window and no sockets, so there is little in it that could fail. It owns the memory that the frames lie
in, so that a picture stays up when its renderer has gone. Source: SURFACE.md O.1.
"""
import logging
import signal
from collections.abc import Callable
from multiprocessing import connection

from live.outputs.spec import OutputSpec
from live.processes.frames import Frames
from live.processes.pairs import OutputChild, Pair, list_readers
from live.processes.standby import RendererChild
from live.processes.troubles import Troubles
from live.show.child import Child, describe_end
from live.show.clock import now
from live.show.ending import TWICE

log = logging.getLogger(__name__)

LOOK = 0.1                          # seconds between checks of the processes
HANG = 5.0                          # seconds without a frame after which a renderer counts as hanging
START = 120.0                       # seconds that a process may take until its first sign of life: a first start reads, compiles and warms up
SILENT = 10.0                       # seconds without a report after which an output counts as hanging: on some systems a window sends none while it is dragged
ASLEEP = 1.0                        # seconds: if a check comes so much too late, all processes stood still, as when a laptop was closed
BACKED = 3.0                        # the same of a window that has a second process behind it, which then takes over
GRACE = 1.0                         # seconds a hanging process has to print its stacks
WAITS = (0.0, 1.0, 2.0, 4.0)        # seconds before a process that ended is started again
ILL = 30.0                          # seconds: a renderer that dies three times within them starts again with the first scene
REST = 60.0                         # seconds of pause for one that dies again and again, in an unattended show
HOPELESS = 120.0                    # seconds: one that dies six times within them is not started again
FORGIVEN = 60.0                     # seconds of running after which an output's earlier failures no longer count
CLOSING = 5.0                       # seconds that a process may take to end when it is told to
FAILED, USER_ERROR, MISSING = 1, 2, 3             # exit statuses; MISSING: the output lacks something, so starting it again is of no use


class Supervisor:
    """Runs a renderer and its outputs until the show is over. run() -> exit status.

    renderer(options, sending ends {reader: pipe}, link): the process that draws. options(attempt, safe, recorded) -> the
    options to start it with; attempt: 0 at first, then 1, 2, ..., safe where it died too often, recorded: what it recorded to.
    output(spec, segment name, reader, receiving end, link): the process of one output. doubled: names of those that get a second
    process each, which stands in for the first.
    modules: what a second renderer imports, which stands by; none: there is none.
    """

    def __init__(self, renderer: Callable, options: Callable, output: Callable, specs: list[OutputSpec], doubled: frozenset[str] = frozenset(),
                 modules: tuple[str, ...] = ()):
        self.specs, self.options = list_readers(specs, doubled), options
        self.renderer = RendererChild("renderer", renderer, modules=modules)
        self.outputs = [OutputChild(spec.name, output, reader=reader) for reader, spec in enumerate(self.specs)]
        for second in self.outputs[len(specs):]:
            Pair(next(child for child in self.outputs if child.name == second.name), second)
        self.frames = Frames(len(self.specs))
        self.framing = {spec.name: spec.framing for spec in specs}
        self.attempt, self._opened = 0, False
        self.recorded: dict | None = None                # {"take": path, "video": path}: what the renderer records to
        self.status: int | None = None
        self.endless = False                             # whether the renderer is started again however often it dies
        self.troubles: Troubles | None = None            # warnings for the log of an unattended show, which the renderer writes
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
                self._reset_signs()
                self._watch_renderer()
                self._watch_outputs()
                if self.troubles and self.renderer.running and self.renderer.spoken:
                    self.troubles.deliver(self.renderer.send)
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
            self._published, self._drawing = self._count_up(), False
            child.start(self.options(self.attempt, self._choose_safe(), self.recorded), self.frames.list_sending())
        else:
            self.frames.drain(child.reader)
            child.start(self.specs[child.reader], child.reader, self.frames.pipes[child.reader][0])
            child.send(("framing", self.framing[child.name]))
            if child.pair:
                child.pair.brief(child)
            if self.frames.name:
                child.send(("frames", self.frames.name))
            if not self._drawing:
                child.send(self._make_dissolve())
        if self._opened:
            log.info("%s: process %d", _make_title(child), child.pid)

    def _make_dissolve(self):
        """Return the message that tells an output to dissolve to what comes after the picture that is up."""
        return "anew", self.frames.name, self._count_up()

    def _open_outputs(self):
        """Start the outputs: the renderer has opened its instrument."""
        self._opened = True
        log.info("%s: process %d", self.renderer.name, self.renderer.pid)
        for child in self.outputs:
            if child.pair is None or child.pair.may_start(child):
                self._start(child)

    def _wait(self):
        """Wait for news: a message, an end, or the time of the next look."""
        watched = [child for child in (self.renderer, *self.outputs) if child.running]
        ends = [child.process.sentinel for child in watched if child.process is not None]
        connection.wait([*ends, *(child.link for child in watched if child.link is not None)], LOOK)

    def _reset_signs(self):
        """Give every process its full time again after a pause of this one, as when the machine slept or a terminal stopped everything."""
        late, self._looked = now() - self._looked - LOOK, now()
        for child in (self.renderer, *self.outputs) if late > ASLEEP else ():
            child.note_sign()

    def _relay(self):
        """Pass on the messages between the processes."""
        for message in self.renderer.receive():
            kind, *rest = message
            if not self._opened:
                self._open_outputs()
            if kind == "size" and self.frames.resize(*rest):
                for child in self.outputs:
                    child.send(("frames", self.frames.name))
            if kind == "size":
                self.renderer.send(("frames", self.frames.name))
            elif kind == "framing":
                name, framing = rest
                self.framing[name] = framing
                self._tell(name, "framing", framing)
            elif kind == "recorded":
                self.recorded = rest[0]
            elif kind == "order":
                name, *order = rest
                self._tell(name, *order)
        for child in self.outputs:
            for message in child.receive():
                child.note_sign()
                self._hear(child, message)

    def _tell(self, name: str, kind: str, *rest):
        """Tell an output's process something; where it has two, both, unless it is a wish: then one, and the other follows it."""
        for child in self.outputs:
            if child.name == name and (child.pair is None or child is child.pair.front or kind in ("framing", "bind")):
                child.send((kind, *rest))

    def _hear(self, child: OutputChild, message):
        """Pass on the messages of an output. While a renderer starts it reads nothing yet: its pipe is kept for what matters."""
        kind, *rest = message
        if kind == "trouble":
            if self.troubles:
                self.troubles.keep(*rest)
            return
        if kind == "state" and child.pair:
            child.pair.note(child, rest[0])
        if kind != "state" or self.renderer.spoken and (child.pair is None or child is child.pair.front):
            self.renderer.send((kind, child.name, *rest))

    def _count_up(self) -> int:
        return self.frames.segment.published if self.frames.segment else 0

    def _watch_renderer(self):
        """Start the renderer again where it has ended or hangs."""
        child = self.renderer
        if (code := child.poll()) is not None:
            self._handle_renderer_end(code)
        elif child.running:
            self._watch_frames()
        elif child.due is not None and now() >= child.due:
            self._start(child)

    def _handle_renderer_end(self, code):
        first = self.attempt == 0 and not self._count_up()
        if code == 0 or self._stopping is not None:
            self.status = 0 if code == 0 else max(code, 0)
        elif code == USER_ERROR and first:
            self.status = USER_ERROR                      # it has said what is wrong
        elif self._count_deaths(HOPELESS) >= 6 and not self.endless:
            log.error("renderer: it has died six times within %d seconds; the last picture stays up. Ctrl-C ends the show", HOPELESS)
            self.renderer.due = None
        else:
            deaths = self._count_deaths(HOPELESS)
            wait = WAITS[min(deaths - 1, len(WAITS) - 1)] if deaths < 6 else REST
            self.attempt += 1
            self.renderer.due, self._drawing = now() + wait, False
            for output in self.outputs:
                output.send(self._make_dissolve())
            log.error("renderer: ended with %s; the picture stays up, it starts again %s", describe_end(code), _format_time(wait))

    def _count_deaths(self, within) -> int:
        return sum(now() - moment < within for moment in self.renderer.ends)

    def _choose_safe(self) -> bool:
        return self._count_deaths(ILL) >= 3

    def _watch_frames(self):
        """Notice whether frames come."""
        number = self._count_up()
        if number != self._published:
            self._published, self._drawing = number, True
            self.renderer.note_sign()
        if self._drawing and self._stopping is None:
            self.renderer.stand_by(self.frames.list_sending())
        self.renderer.end_if_hung(HANG if self._drawing else START, GRACE, "frame")
        if self._stopping is not None and now() - self._stopping > CLOSING * 12:
            self.renderer.kill()

    def _watch_outputs(self):
        """Start an output again where it has ended; one that can't be opened is tried again ever more seldom."""
        for child in self.outputs if self._opened else ():
            if (code := child.poll()) is not None:
                self._handle_output_end(child, code)
            elif child.running:
                patience = START if not child.spoken else BACKED if child.pair and child.pair.is_covered else SILENT
                child.end_if_hung(patience, GRACE, "report")
            elif child.due is not None and now() >= child.due and (child.pair is None or child.pair.may_start(child)):
                self._start(child)

    def _handle_output_end(self, child: OutputChild, code: int):
        covered = child.pair is not None and child.pair.replace(child)
        quick = now() - child.begun < FORGIVEN
        child.ends = child.ends[-len(WAITS):] if quick else child.ends[-1:]
        wait = WAITS[min(len(child.ends) - 1, len(WAITS) - 1)] if code != USER_ERROR else 4 * WAITS[-1]
        child.due = now() + wait if code != MISSING else None
        if code != MISSING:                               # it has said what is missing
            log.error("output %s: ended with %s; %s, it is opened again %s", child.name, describe_end(code),
                      "its other process shows the picture" if covered else "the show goes on", _format_time(wait))
        if not covered:
            self.renderer.send(("down", child.name))
        if child.pair and child.pair.front.process is not None and child.pair.back is child:
            log.info("%s: process %d", child.name, child.pair.front.pid)

    def _end(self):
        """End every process and give the memory back."""
        children = (self.renderer, *self.outputs)
        self.renderer.dismiss()
        for child in children:
            child.send(("stop",))
        until = now() + CLOSING
        for child in children:
            child.end(max(0.0, until - now()))
            child.close()
        self.frames.close()


def _make_title(child: Child) -> str:
    """Return the name of a process in the log."""
    stands_in = isinstance(child, OutputChild) and child.pair is not None and child is child.pair.back
    return f"{child.name}, standing in" if stands_in else child.name


def _format_time(wait) -> str:
    return f"in {wait:g} s" if wait else "at once"
