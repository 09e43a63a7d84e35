"""Workers that draw the parts of a render, each a process of its own on this machine. One that dies costs its part, which another draws again."""
import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import connection

from engine.errors import UserError
from live.show.child import Child, describe_end, prepare_child
from live.takes.drawer import Drawer
from live.takes.job import Job
from live.takes.opening import RenderOptions, open_job
from live.takes.render import BROKEN

log = logging.getLogger(__name__)

TRIES = 3                           # of one part, until it is given up
LOOK = 0.5                          # seconds between looks at who is still there
KILLED = -9                         # as by a system that has no memory left
CLOSING = 2.0                       # seconds a worker may take to end


def work(options: RenderOptions, link):
    """Draw what comes over the link until None does; say (kind, what): ready, frame, done, refused."""
    prepare_child()
    try:
        drawer = Drawer(open_job(options))
        link.send(("ready", None))
        while (part := link.recv()) is not None:
            drawer.draw(part, lambda more: link.send(("frame", more)))
            link.send(("done", part))
    except UserError as error:
        link.send(("refused", str(error)))
    except BROKEN as error:
        link.send(("refused", f"{options.output}: can't be written: {getattr(error, 'strerror', None) or error}"))
    except EOFError:
        return


class LocalCrew:
    """options: what each worker opens. count: of workers. tell(name, text): what one is at."""

    def __init__(self, options: RenderOptions, count: int, tell: Callable = lambda name, text: None):
        self.options, self.count, self.tell = options, count, tell
        self.children: list[Child] = []
        self._waiting: deque = deque()
        self._busy: dict = {}                            # name -> (part, frames of it that are drawn)
        self._tries: Counter = Counter()

    def draw(self, job: Job, parts: list, note: Callable[[int], None]):
        """Have all parts drawn. UserError: what a worker can't do, or a part that ends every worker that draws it."""
        options = replace(self.options, precision=job.instrument.precision)
        self._waiting = deque(parts)
        self.children = [Child(f"worker {n}", work, daemon=True) for n in range(1, min(self.count, len(parts)) + 1)]
        try:
            while self._waiting or self._busy:
                for child in self.children:
                    if not child.running and self._waiting:
                        child.start(options)
                        self.tell(child.name, "starts")
                    self._hear(child, note)
                self._wait()
        finally:
            self._end()

    def _wait(self):
        """Sleep until a worker says something, or has ended."""
        links = [child.link for child in self.children if child.link is not None]
        connection.wait(links + [child.process.sentinel for child in self.children if child.process is not None], LOOK)

    def _hear(self, child, note):
        for kind, what in child.receive():
            if kind == "refused":
                raise UserError(what)
            if kind == "frame":
                part, drawn = self._busy[child.name]
                self._busy[child.name] = part, drawn + what
                note(what)
            if kind == "done":
                del self._busy[child.name]
            if kind in ("ready", "done"):
                self._give(child)
        code = child.poll()
        if code is not None:
            self._lose(child, code, note)

    def _give(self, child):
        """Give a worker the next part, or send it home."""
        if not self._waiting:
            child.send(None)
            self.tell(child.name, "done")
            return
        part = self._waiting.popleft()
        self._busy[child.name] = part, 0
        child.send(part)
        self.tell(child.name, f"frames {part[0]} to {part[1] - 1}")

    def _lose(self, child, code, note):
        """A worker has ended: what it was drawing is drawn again, by whoever is free first."""
        child.close()
        part, drawn = self._busy.pop(child.name, (None, 0))
        if part is None and code == 0:
            return
        self._tries[part] += 1
        if self._tries[part] >= TRIES:
            where = "before it drew anything" if part is None else f"drawing frames {part[0]} to {part[1] - 1}"
            advice = "fewer --workers need less memory" if code == KILLED else "render without --workers says why"
            raise UserError(f"a worker ended {TRIES} times {where} ({describe_end(code)}): {advice}")
        if part is not None:
            log.warning("%s ended (%s); frames %d to %d are drawn again", child.name, describe_end(code), part[0], part[1] - 1)
            self._waiting.appendleft(part)
            if drawn and self._is_video:
                note(-drawn)

    @property
    def _is_video(self) -> bool:
        """Whether what a lost worker had drawn is lost: pictures in a folder stay."""
        from live.outputs.recorder import CONTAINERS

        return self.options.output.endswith(CONTAINERS)

    def _end(self):
        for child in self.children:
            if self._busy:
                child.kill()
            child.send(None)
        for child in self.children:
            child.end(CLOSING)
            child.close()
