"""When sound was: the time of each sample on the show's clock, though blocks of it arrive late and unevenly. Numbers only."""

DRIFT = 300e-6                      # by how much a sound card's seconds may be longer than ours
STALLED = 0.25                      # seconds by which a block comes too late for it to be only late: samples are missing


class SampleClock:
    """A block comes late, never early: the earliest ones say when samples are. late: seconds from the sound to its block, by the driver."""

    def __init__(self, rate: float, late: float = 0.0):
        self.rate, self.late = rate, late
        self._samples = 0
        self._offset: float | None = None

    def block(self, count: int, at: float) -> float:
        """Take a block of so many samples that has arrived at this moment; return when its last sample was heard."""
        self._samples += count
        seconds = self._samples / self.rate
        found = at - seconds
        if self._offset is None or found < self._offset or found - self._offset > STALLED:
            self._offset = found
        else:
            self._offset = min(self._offset + DRIFT * count / self.rate, found)
        return self._offset + seconds - self.late
