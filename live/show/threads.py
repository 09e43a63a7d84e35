"""Every thread of live/ is made and ended here. One that ends by a bug says so in one line, and where it is to last it is begun again.

So no part of a show falls silent for the rest of the night. Knows the clock, and nothing of what threads do.
"""
import logging
import os
import sys
import threading

from engine.errors import UserError
from live.show.clock import sleep

log = logging.getLogger(__name__)

BUGS = (ArithmeticError, AssertionError, AttributeError, BufferError, ImportError, LookupError, MemoryError, NameError, OSError, RuntimeError,
        TypeError, ValueError)
FIRST, LONGEST = 0.5, 30.0          # seconds until a thread is begun again: twice as long each time
LEAST = 10                          # the niceness of what gives way: a tenth of a processor is left to it where a show takes all
PATIENCE = 2.0                      # seconds a thread may take to end once it was told to


def keep_running(name: str, work, stopped, wait=sleep):
    """Run work() in this thread until it returns or stopped() is true; after a bug in it, say so in one line and run it again.

    A UserError is raised: it is no bug, and what it tells of would be so again.
    """
    pause = FIRST
    while True:
        try:
            return work()
        except UserError:
            raise
        except BUGS as error:
            log.error("%s ended by a bug (%s: %s); it is begun again", name, type(error).__name__, " ".join(str(error).split())[:200])
            log.debug("", exc_info=True)
        if stopped():
            return None
        wait(pause)
        pause = min(LONGEST, 2 * pause)


def run_once(name: str, work):
    """Run work() in this thread; a bug or a mistake in it is one line in the log."""
    try:
        work()
    except UserError as error:
        log.error("%s: %s", name, error)
    except BUGS as error:
        log.error("%s ended by a bug (%s: %s)", name, type(error).__name__, " ".join(str(error).split())[:200])
        log.debug("", exc_info=True)


def give_way():
    """Let this thread, and all that it begins, have a processor only while the show leaves one idle. Elsewhere than on Linux nothing is changed."""
    if sys.platform == "linux":
        thread = threading.get_native_id()                   # niceness is a thread's own, there
        os.setpriority(os.PRIO_PROCESS, thread, max(LEAST, os.getpriority(os.PRIO_PROCESS, thread)))


def make_thread(name: str, work, closing: threading.Event | None = None, awaited: bool = False, aside: bool = False) -> threading.Thread:
    """Return a thread, not yet started, that runs work() once; with `closing`, until it returns or that is set, whatever bugs it has.

    awaited: the program does not end before it. aside: it gives way to the show, and so do the threads that libraries compute with for it.
    """
    if aside:
        return make_thread(name, lambda: (give_way(), work()), closing, awaited)
    if closing is None:
        return threading.Thread(target=run_once, args=(name, work), name=name, daemon=not awaited)
    return threading.Thread(target=keep_running, args=(name, work, closing.is_set, closing.wait), name=name, daemon=not awaited)


def end_thread(thread: threading.Thread | None, patience: float = PATIENCE, quiet: bool = False) -> bool:
    """Wait for a thread that was told to end, `patience` seconds at most; return whether it has. None, and one not started, have.

    quiet: nothing is said of one that has not, as of the log's own thread.
    """
    if thread is None or thread.ident is None or thread is threading.current_thread():
        return True
    thread.join(patience)
    if thread.is_alive() and not quiet:
        log.warning("%s does not end; the show ends without it", thread.name)
    return not thread.is_alive()
