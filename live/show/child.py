"""A process beside the show that is watched: how it is made, spoken with and ended, and that it ends with who made it.

One is spoken with and ended by the thread that made it: on Linux it ends with that thread, whatever happens.
"""
import contextlib
import ctypes
import faulthandler
import logging
import multiprocessing
import os
import select
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler

from live.show.clock import now
from live.show.threads import make_thread

log = logging.getLogger(__name__)

SPAWN = multiprocessing.get_context("spawn")             # a forked process would share threads and devices with its parent
BYTES = b"bytes"                                         # the first bytes of a message that is bytes only: pickling it would take five times as long
DIE_WITH_PARENT = 1                                      # PR_SET_PDEATHSIG of Linux's prctl


def die_with_parent():
    """End this process at once when the one that started it has ended: a window without a show must not stay up."""
    parent = multiprocessing.parent_process()
    if parent is None:                                   # started by hand, as by a test
        return

    def watch():
        connection.wait([parent.sentinel])
        os._exit(1)

    make_thread("parent", watch).start()
    if sys.platform == "linux":                          # the system also ends a process that hangs, which a thread in it could not
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


def prepare_child():
    """Set up a process that was started as a Child: it ends with its parent, and tells its stacks when asked to."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)         # Ctrl-C goes to every process of a terminal; only the supervisor acts on it
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1)


@dataclass
class Child:
    """A process that is watched. run(*arguments, link): what it does; link: its end of the pipe to who watches.

    daemon: it is ended where the one that made it comes to its end without having done so.
    """
    name: str
    run: Callable
    process: SpawnProcess | None = None
    link: connection.Connection | None = None
    ends: list = field(default_factory=list)             # times at which it ended lately
    due: float | None = 0.0                              # when to start it; None: not again
    begun: float = 0.0
    moved: float = 0.0                                   # when it last gave a sign of life
    spoken: bool = False                                 # whether it has said anything since it began
    asked: float | None = None                           # when its stacks were asked for, because it gave no sign of life
    daemon: bool = False

    def start(self, *arguments):
        """Start the process anew, with a new pipe."""
        self.close()
        self.take(*self.spawn(self.run, *arguments))

    def spawn(self, run, *arguments):
        """Return (a new process that runs this, our end of the pipe it is given)."""
        link, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=run, args=(*arguments, theirs), name=self.name, daemon=self.daemon)
        process.start()
        theirs.close()
        return process, link

    def take(self, process, link):
        """Watch this process from now on."""
        self.process, self.link = process, link
        self.due, self.begun = None, now()
        self.moved, self.spoken, self.asked = self.begun, False, None

    @property
    def running(self) -> bool:
        """Whether there is a process that has not been found ended."""
        return self.process is not None

    @property
    def pid(self) -> int | None:
        """The number of the process; None where there is none."""
        return self.process.pid if self.process is not None else None

    def send(self, message):
        """Send a message. It is lost where the process has just ended, or stands still and has a full pipe before it."""
        if self.link is not None and _has_room(self.link):
            with contextlib.suppress(OSError):
                self.link.send(message)

    def receive(self) -> list:
        """Return the messages that wait."""
        found = []
        try:
            while self.link is not None and self.link.poll():
                found.append(self.link.recv())
        except (EOFError, OSError):
            self.link = None
        self.spoken = self.spoken or bool(found)
        return found

    def wait(self, seconds: float):
        """Return the next message, None where none comes for so long; bytes where they were sent by send_bytes and begin with BYTES.

        OSError: the process has ended, or was never started.
        """
        if self.link is None:
            raise ConnectionError(f"{self.name}: not running")
        try:
            if not self.link.poll(seconds):
                return None
            message = self.link.recv_bytes()
            return message[len(BYTES):] if message.startswith(BYTES) else ForkingPickler.loads(message)
        except EOFError:
            raise ConnectionError(f"{self.name}: it has ended") from None

    def poll(self) -> int | None:
        """Return the exit code of a process that has just ended, once; None while it runs or where there is none."""
        if self.process is None or self.process.exitcode is None:
            return None
        code = self.process.exitcode
        self.process.join()
        self.process.close()
        self.process = None
        self.ends.append(now())
        return code

    def note_sign(self):
        """Note a sign of life."""
        self.moved, self.asked = now(), None

    def end_if_hung(self, patience: float, grace: float, sign: str):
        """Ask a process that has given no sign for so many seconds where it stands, and end it some seconds later."""
        if self.asked is None and now() - self.moved > patience:
            log.error("%s: no %s for %.0f seconds; it is ended", self.name, sign, patience)
            self.asked = now()
            self.ask_stacks()
        if self.asked is not None and now() - self.asked > grace:
            self.kill()

    def ask_stacks(self):
        """Ask a hanging process to write where its threads stand into the log."""
        if self.pid is not None and hasattr(signal, "SIGUSR1"):
            os.kill(self.pid, signal.SIGUSR1)

    def kill(self):
        """End the process at once."""
        if self.process is not None:
            self.process.kill()

    def end(self, patience: float) -> int | None:
        """Let a process end that was told to, for so many seconds, then end it; returns its exit code, None where there was none."""
        if self.process is None:
            return None
        self.process.join(patience)
        if self.process.exitcode is None:
            self.kill()
            self.process.join()
        return self.poll()

    def close(self):
        """Let go of the pipe."""
        if self.link is not None:
            self.link.close()
            self.link = None


def _has_room(link) -> bool:
    """Return whether a message can be written without waiting, as far as the system tells."""
    return os.name != "posix" or bool(select.select([], [link], [], 0)[1])


def describe_end(code) -> str:
    """Return how a process ended, in words."""
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"
