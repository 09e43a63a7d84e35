"""Threads that end by a bug are told of and begun again, so that no part of a show falls silent for the rest of the night."""
import logging
import threading

from engine.errors import UserError
from live.show.clock import sleep

log = logging.getLogger(__name__)

BUGS = (ArithmeticError, AssertionError, AttributeError, BufferError, ImportError, LookupError, MemoryError, NameError, OSError, RuntimeError,
        TypeError, ValueError)
FIRST, LONGEST = 0.5, 30.0          # seconds until a thread is begun again: twice as long each time


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


def make_thread(name: str, work, closing: threading.Event) -> threading.Thread:
    """Return a thread, not yet begun, that keeps work() running until it returns or closing is set."""
    return threading.Thread(target=keep_running, args=(name, work, closing.is_set, closing.wait), name=name, daemon=True)
