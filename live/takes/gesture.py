"""The gesture looper: what hands did to parameters over some beats, played again and again. Knows no clock but beats."""
from dataclasses import dataclass, field

from live.show.events import Change
from live.show.parameters import is_below

SHORTEST = 0.25                     # beats
NEARLY = 1e-6                       # beats: sums of many frames are that far off
MOST = 100_000                      # changes in a loop


@dataclass
class Gesture:
    """state: "empty", "recording", "looping" or "overdub". only: addresses or prefixes it listens to, () = all."""
    state: str = "empty"
    only: tuple = ()
    length: float = 0.0
    changes: list = field(default_factory=list)          # (beats from the start, Change), in order
    _start: float = 0.0
    _at: float = 0.0
    _released: set = field(default_factory=set)

    def record(self, beat: float):
        """Begin a new one."""
        self.state, self._start, self.changes, self.length = "recording", beat, [], 0.0

    def loop(self, beat: float, quantum: float = 0.0):
        """Close it and play it; its length is rounded to whole quanta."""
        length = max(beat - self._start, SHORTEST)
        if quantum:
            length = max(round(length / quantum), 1) * quantum
        self.changes = [(at, change) for at, change in self.changes if at < length]
        self.state, self.length, self._at = "looping", length, (beat - self._start) % length

    def overdub(self, on: bool):
        """Whether what hands do is laid over the loop."""
        if self.state in ("looping", "overdub"):
            self.state = "overdub" if on else "looping"

    def stop(self):
        """Forget it; parameters stay where they are."""
        self.state, self.changes = "empty", []

    def shift(self, beats: float):
        """Move the start of the loop by so many beats, as the beat was set forward: in time the loop stays where it was."""
        self._start += beats

    def record_changes(self, beat: float, changes):
        """Hands changed these."""
        wanted = [c for c in changes if not self.only or is_below(c.address, self.only)]
        if self.state == "recording" and len(self.changes) < MOST:
            self.changes += [(beat - self._start, c) for c in wanted]
        elif self.state == "overdub" and len(self.changes) < MOST:
            self.changes = sorted([*self.changes, *((self._at, c) for c in wanted)], key=lambda found: found[0])
            self._released |= {c.address for c in wanted}          # heard from the next time round
        elif self.state == "looping":
            self._released |= {c.address for c in changes}         # the hand has it until the loop comes round

    def play(self, beat: float) -> list[Change]:
        """Return what the loop does between the last call and this beat; the newest of each parameter."""
        if self.state not in ("looping", "overdub"):
            return []
        before, at = self._at, (beat - self._start) % self.length
        self._at = now = 0.0 if self.length - at < NEARLY else at
        if self._at < before:
            due = [c for at, c in self.changes if at > before + NEARLY and c.address not in self._released]
            self._released.clear()
            due += [c for at, c in self.changes if at <= now + NEARLY]
        else:
            due = [c for at, c in self.changes if before + NEARLY < at <= now + NEARLY and c.address not in self._released]
        return list({c.address: c for c in due}.values())
