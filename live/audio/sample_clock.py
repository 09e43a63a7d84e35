"""When sound was: the time of each sample on the show's clock, though blocks of it arrive late and unevenly. Numbers only."""
from collections import deque

WINDOW = 1.0                        # in so many seconds of sound at least one block arrives without delay; longer ago, card and show may have drifted apart
STALLED = 0.25                      # seconds: a block that is later than this is not delayed, but samples before it are missing


class SampleClock:
    """A block comes late, never early: the earliest ones say when samples are. late: seconds from the sound to its block, by the driver."""

    def __init__(self, rate: float, late: float = 0.0):
        self.rate, self.late = rate, late
        self._samples = 0
        self._founds: deque[tuple[float, float]] = deque()               # (seconds of sound, when they began by a block), the earliest first

    def count(self, count: int, at: float) -> float:
        """Take a block of so many samples that has arrived at this moment; return when its last sample was heard."""
        self._samples += count
        seconds = self._samples / self.rate
        found = at - seconds
        if self._founds and found - self._founds[0][1] > STALLED:
            self._founds.clear()
        while self._founds and self._founds[-1][1] >= found:             # it says more than those before it
            self._founds.pop()
        self._founds.append((seconds, found))
        while self._founds[0][0] < seconds - WINDOW:
            self._founds.popleft()
        return self._founds[0][1] + seconds - self.late
