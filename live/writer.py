"""A thread that writes files, so that the loop never waits for a disk. Knows neither what is written nor where."""
import logging
import queue
import threading

from engine.errors import UserError

log = logging.getLogger(__name__)


class Writer:
    """put(job) has the job run soon, in the order of the puts; a file that can't be written is logged."""

    def __init__(self, name: str):
        self._jobs = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, job):
        self._jobs.put(job)

    def flush(self):
        """Wait until everything put so far is done."""
        done = threading.Event()
        self._jobs.put(done.set)
        done.wait(5)

    def close(self):
        """Do what is left and end the thread."""
        self._jobs.put(None)
        self._thread.join(timeout=5)

    def _work(self):
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except (UserError, OSError) as error:
                log.error("%s", error)
