"""A process that is watched, and the memory its frames lie in: the supervisor's hands."""
import contextlib
import faulthandler
import multiprocessing
import os
import select
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from live.processes import ring
from live.show.clock import now

SPAWN = multiprocessing.get_context("spawn")             # forked, a process would share what must not be shared


def die_with_parent():
    """End this process at once when the one that started it has ended: a window without a show must not stay up."""
    parent = multiprocessing.parent_process()
    if parent is None:                                   # started by hand, as by a test
        return

    def watch():
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def prepare_child():
    """Set up a process the supervisor started: it ends with its parent, and tells its stacks when asked to."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)         # Ctrl-C reaches every process of a terminal: the supervisor answers it
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1)


@dataclass
class Child:
    """A process that is watched. run(*arguments, link): what it does; link: its end of the pipe to the supervisor."""
    name: str
    run: Callable
    process: Any = None
    link: Any = None
    ends: list = field(default_factory=list)             # when it ended, lately
    due: float | None = 0.0                              # when to start it; None: not again
    begun: float = 0.0

    def start(self, *arguments):
        """Start the process anew, with a new pipe."""
        self.close()
        self.link, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=self.run, args=(*arguments, theirs), name=self.name, daemon=False)
        self.process.start()
        theirs.close()
        self.due, self.begun = None, now()

    @property
    def running(self) -> bool:
        """Whether there is a process that has not been found ended."""
        return self.process is not None

    def send(self, message):
        """Send a message. It is lost where the process has just ended, or stands still and has a full pipe before it."""
        if self.link is not None and _has_room(self.link):
            with contextlib.suppress(OSError):
                self.link.send(message)

    def received(self) -> list:
        """Return the messages that wait."""
        found = []
        try:
            while self.link is not None and self.link.poll():
                found.append(self.link.recv())
        except (EOFError, OSError):
            self.link = None
        return found

    def ended(self) -> int | None:
        """Return the exit code of a process that has just ended, once; None while it runs or where there is none."""
        if self.process is None or self.process.exitcode is None:
            return None
        code = self.process.exitcode
        self.process.join()
        self.process.close()
        self.process = None
        self.ends.append(now())
        return code

    def tell_stacks(self):
        """Ask a hanging process to write where its threads stand into the log."""
        if self.process is not None and hasattr(signal, "SIGUSR1"):
            os.kill(self.process.pid, signal.SIGUSR1)

    def kill(self):
        """End the process at once."""
        if self.process is not None:
            self.process.kill()

    def close(self):
        """Let go of the pipe."""
        if self.link is not None:
            self.link.close()
            self.link = None


class Frames:
    """The shared memory of one picture, and a pipe for each of its readers."""

    def __init__(self, readers: int):
        self.memory: SharedMemory | None = None
        self.segment: ring.Segment | None = None
        self.pipes = [SPAWN.Pipe(duplex=False) for _ in range(readers)]

    @property
    def name(self) -> str:
        """Name of the segment, "" before the renderer has told its size."""
        return self.memory.name if self.memory else ""

    def fit(self, height: int, width: int) -> bool:
        """Make the memory of this size; returns whether it is another segment than before."""
        if self.segment and (self.segment.height, self.segment.width) == (height, width):
            return False
        self.close()
        self.memory = ring.create(height, width)
        self.segment = ring.Segment(self.memory.name)
        return True

    def forgive(self, reader: int):
        """Take what a dead reader left unread out of its pipe."""
        receiving = self.pipes[reader][0]
        while receiving.poll(0):
            receiving.recv_bytes()
        if self.segment:
            self.segment.forgive(reader)

    def close(self):
        """Give the memory back."""
        if self.memory and self.segment:
            self.segment.close()
            self.memory.close()
            self.memory.unlink()
            self.memory = self.segment = None


def _has_room(link) -> bool:
    """Return whether a message can be written without waiting, as far as the system tells."""
    return os.name != "posix" or bool(select.select([], [link], [], 0)[1])
