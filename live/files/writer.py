"""A thread that writes files, so that the loop never waits for a disk. Knows neither what is written nor where.

What can't be written now, as on a full disk, is tried again until it can: nothing that was stored is lost for good while
the show goes on.
"""
import logging
import queue
import threading

from engine.errors import UserError
from live.show.clock import now
from live.show.threads import end_thread, make_thread

log = logging.getLogger(__name__)

AGAIN = 2.0                         # seconds until what could not be written is tried again
CLOSING = 5.0                       # seconds that the end of a show waits for the disk


class Writer:
    """put(job, key) has a job run soon, in the order of the puts. A newer job of the same key takes the place of one that failed."""

    def __init__(self, name: str, again: float = AGAIN):
        self.name, self.again = name, again
        self._jobs: queue.SimpleQueue = queue.SimpleQueue()
        self._failed: dict = {}                          # key -> job, oldest first
        self._due = 0.0
        self._told: set = set()
        self._thread = self._start()

    def _start(self):
        thread = make_thread(self.name, self._work)
        thread.start()
        return thread

    def put(self, job, key=None):
        """Have a job run. key: what it writes; None: nothing else writes that."""
        self._jobs.put((job, object() if key is None else key))
        if not self._thread.is_alive():
            log.error("%s: the thread that writes had ended; it is started again", self.name)
            self._thread = self._start()

    def flush(self):
        """Wait until everything put so far has been tried."""
        done = threading.Event()
        self._jobs.put((done.set, object()))
        done.wait(CLOSING)

    def close(self):
        """Do what is left, try what failed a last time, and end the thread."""
        self._jobs.put(None)
        end_thread(self._thread, CLOSING)
        for job in self._failed.values():
            log.error("%s: the show ends and something could not be written; it is lost", self.name)

    def _work(self):
        while True:
            try:
                item = self._jobs.get(timeout=max(0.01, self._due - now()) if self._failed else None)
            except queue.Empty:
                self._try_again()
                continue
            if item is None:
                self._try_again()
                return
            job, key = item
            self._failed.pop(key, None)                  # what it would have written is out of date
            self._run(job, key)

    def _try_again(self):
        for key, job in list(self._failed.items()):
            del self._failed[key]
            self._run(job, key)

    def _run(self, job, key):
        try:
            job()
        except (UserError, OSError) as error:
            self._failed[key], self._due = job, now() + self.again
            if str(error) not in self._told:             # once, not every two seconds
                self._told.add(str(error))
                log.error("%s; it is kept, and tried again every %g seconds", error, self.again)
        except ValueError as error:                      # a name that the file system has no letters for
            log.error("%s: can't be written and is not tried again: %s", self.name, error)
        else:
            self._told.clear()
