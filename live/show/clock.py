"""The only file that reads the time or sleeps."""
import itertools
import time

from live.show.events import Tick

now = time.perf_counter
sleep = time.sleep
wall_time = time.time                # seconds since 1970, for other programs


def spent() -> float:
    """Return the seconds of processor time that this thread has taken: what others on the machine took meanwhile is not in it."""
    return time.thread_time()


def measure_cost(function, times=5) -> float:
    """Return how many seconds a call takes: the shortest of a few tries."""
    def once():
        start = now()
        function()
        return now() - start

    return min(once() for _ in range(times))


class WallClock:
    """Ticks at `fps`; a late frame is skipped over, never caught up with a burst. `late` counts the skipped periods."""

    def __init__(self, fps, now=now, sleep=sleep):
        self.fps, self.now, self.sleep = fps, now, sleep
        self.late = 0

    def ticks(self):
        period = 1 / self.fps
        start = last = due = self.now()
        for frame in itertools.count():
            if (wait := due - self.now()) > 0:
                self.sleep(wait)
            moment = self.now()
            yield Tick(frame, moment - start, moment - last)
            last = moment
            due += period
            behind = self.now() - due
            if behind > 0:                                     # that tick's time has gone: next one on the grid from now
                self.late += int(behind / period) + 1
                due += behind


class Pace:
    """Call with a recorded tick: waits until its time has come, counted from the first one. `late`: those it came too late for."""

    def __init__(self, now=now, sleep=sleep):
        self.now, self.sleep, self._start, self.late = now, sleep, None, 0

    def __call__(self, tick):
        if self._start is None:
            self._start = self.now() - tick.time
        wait = self._start + tick.time - self.now()
        if wait > 0:
            self.sleep(wait)
        elif wait < -0.1:
            self.late += 1


class FixedClock:
    """Every frame lasts exactly 1/fps: tests, and rendering a take to a file."""
    late = 0

    def __init__(self, fps):
        self.fps = fps

    def ticks(self):
        for frame in itertools.count():
            yield Tick(frame, frame / self.fps, 1 / self.fps if frame else 0.0)


def limit_ticks(ticks, frames=None, seconds=None):
    """Yield the ticks up to a number of frames or seconds, whichever comes first; None = no bound."""
    for tick in ticks:
        if frames is not None and tick.frame >= frames or seconds is not None and tick.time >= seconds:
            return
        yield tick
