"""Captured programs by topology, and the one thread that captures them. Knows machines that capture, nothing of what is drawn."""
import atexit
import logging
import queue
import threading

from engine.bending.layer import TRANSFORM_ERRORS
from engine.caching import keep_tensors

log = logging.getLogger(__name__)


class Worker:
    """One thread for all captures, begun with the first job: two at a time would land in each other's graphs, and what
    libraries find out for one capture (the fastest algorithms) they keep for a thread. It ends before the process does:
    a capture must not be under way while CUDA is taken down."""

    def __init__(self):
        self.jobs: queue.SimpleQueue = queue.SimpleQueue()
        self.thread: threading.Thread | None = None

    def __call__(self, job):
        if self.thread is None:
            atexit.register(self.close)
        if self.thread is None or not self.thread.is_alive():       # a job with a bug in it may have ended it
            self.thread = threading.Thread(target=self._work, name="capture", daemon=True)
            self.thread.start()
        self.jobs.put(job)

    def close(self, seconds=5.0):
        """End after the job under way; those that wait are left out."""
        while not self.jobs.empty():
            self.jobs.get()
        self.jobs.put(None)
        if self.thread is not None:
            self.thread.join(seconds)

    def _work(self):
        while (job := self.jobs.get()) is not None:
            job()


WORKER = Worker()


class Programs:
    """Captured programs by topology. A new one runs uncaptured until its capture, made aside, is ready.

    One is captured at a time: of a row of topologies that are gone by the next frame, as when a fader turns what decides
    about kernels, only some are. start(job): how to run something aside.
    """

    def __init__(self, machine, most=16, start=WORKER):
        self.machine, self.most, self.start = machine, most, start
        self.ready, self.pending, self.failed, self.epoch = {}, set(), set(), 0      # ready: {topology: (replay, what it reads)}
        self.put_off = False                                        # whether one has to wait for another's capture: it is begun the next time that it is run
        self.lock = threading.Condition()                           # of these five; told of when a capture has ended
        self.captured = self.replayed = self.uncaptured = 0         # programs made; frames drawn by them, and without one

    def run(self, topology, body, warm):
        """Do what body() does, by its captured program if there is one. warm: see capture()."""
        with self.lock:
            ready = self.ready.pop(topology, None)
            if ready is not None:
                self.ready[topology] = ready                        # the newest in use, the last to be forgotten
            wanted = ready is None and not self.pending and topology not in self.failed
            self.put_off |= ready is None and not wanted and topology not in self.pending and topology not in self.failed
            if wanted:
                self.pending.add(topology)
        if ready is not None:
            ready[0]()
            self.replayed += 1
            return
        if wanted:
            epoch = self.epoch
            self.start(lambda: self._capture(topology, body, warm, epoch))
        self.uncaptured += 1
        body()

    def _capture(self, topology, body, warm, epoch):
        captured = None
        try:
            with keep_tensors() as read:
                captured = self.machine.capture(body, warm), read
        except TRANSFORM_ERRORS as error:                                      # this topology is never captured: it is drawn by body()
            log.warning("a set of bends is drawn without a graph: %s: %s", type(error).__name__, error)
        finally:
            self._conclude(topology, captured, epoch)

    def _conclude(self, topology, captured, epoch):
        with self.lock:
            if epoch != self.epoch:                                 # tensors moved while it was made
                return
            self.pending.discard(topology)
            self.captured += captured is not None
            self.lock.notify_all()
            if captured is None:
                self.failed.add(topology)
                return
            while len(self.ready) >= self.most:
                self.ready.pop(next(iter(self.ready)))
            self.ready[topology] = captured

    def wait(self, seconds=30.0) -> bool:
        """Wait until no capture is under way any more; return whether that came to be in time."""
        with self.lock:
            self.put_off = False
            return self.lock.wait_for(lambda: not self.pending, seconds)

    def forget(self):
        """Drop all captured programs: tensors that they read have moved."""
        with self.lock:
            self.ready, self.pending, self.failed, self.epoch = {}, set(), set(), self.epoch + 1
            self.lock.notify_all()
