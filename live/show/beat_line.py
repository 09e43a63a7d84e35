"""A beat that is told as a whole: its tempo, and where it was at a moment. What is heard, and Ableton Link, say it so. Numbers only."""
from dataclasses import dataclass

SILENT = 1.5                        # seconds after which what was told last is over
TICKS = 24


@dataclass
class BeatLine:
    """quantum: beats in whose multiples its number is known: 1 = only where a beat begins, 4 = where a bar does.

    origin, jumped: as a clock_follower.Follower has them.
    """
    quantum: float = 1.0
    origin: float | None = None
    jumped: bool = False
    is_ill = False
    _tempo: float = 0.0
    _beats: float = 0.0
    _told: float | None = None

    def add(self, tempo: float, beats: float, at: float):
        """Take down that the beat had got so far at a moment."""
        if self._told is None or at - self._told > SILENT:
            self.origin = None
        self._tempo, self._beats, self._told = tempo, beats, at

    def predict(self, moment: float) -> tuple[float, float] | None:
        """Return (bpm, ticks so far with their fraction) at a moment; None: nothing was told lately."""
        if self._told is None or moment - self._told > SILENT or self._tempo <= 0:
            return None
        return self._tempo, (self._beats + (moment - self._told) * self._tempo / 60.0) * TICKS

    def join(self, beat: float, beats: float) -> float:
        """Return the origin that brings its beats nearest to a beat."""
        self.jumped = True
        return round((beat - beats) / self.quantum) * self.quantum
