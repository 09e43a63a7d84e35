"""A process that is watched, and the memory its frames lie in: the supervisor's hands."""
import contextlib
import ctypes
import faulthandler
import logging
import multiprocessing
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from live.processes import ring
from live.show.clock import now

log = logging.getLogger(__name__)

SPAWN = multiprocessing.get_context("spawn")             # forked, a process would share what must not be shared
MESSAGES = 1 << 16                                       # bytes; more than wait in a pipe of frames
DIE_WITH_PARENT = 1                                      # PR_SET_PDEATHSIG of Linux's prctl


def die_with_parent():
    """End this process at once when the one that started it has ended: a window without a show must not stay up."""
    parent = multiprocessing.parent_process()
    if parent is None:                                   # started by hand, as by a test
        return

    def watch():
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    if sys.platform == "linux":                          # the system ends one that stands still, too: no thread of its own can
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


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
    moved: float = 0.0                                   # when it last gave a sign of life
    spoken: bool = False                                 # whether it has said anything since it began
    asked: float | None = None                           # when it was asked where it stands, as it gave none

    def start(self, *arguments):
        """Start the process anew, with a new pipe."""
        self.close()
        self.link, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=self.run, args=(*arguments, theirs), name=self.name, daemon=False)
        self.process.start()
        theirs.close()
        self.due, self.begun = None, now()
        self.moved, self.spoken, self.asked = self.begun, False, None

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
        self.spoken = self.spoken or bool(found)
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

    def move(self):
        """Note a sign of life."""
        self.moved, self.asked = now(), None

    def end_if_hung(self, patience: float, grace: float, sign: str):
        """Ask a process that has given no sign for so many seconds where it stands, and end it some seconds later."""
        if self.asked is None and now() - self.moved > patience:
            log.error("%s: no %s for %.0f seconds; it is ended", self.name, sign, patience)
            self.asked = now()
            self.tell_stacks()
        if self.asked is not None and now() - self.asked > grace:
            self.kill()

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
            if os.name == "posix":                       # not by messages: it may have died in the middle of one
                os.read(receiving.fileno(), MESSAGES)
            else:
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
