"""The governor: while frames take too long it has the picture drawn smaller, and larger again once there is time.

A player of the loop, so what it decides are changes to /quality/size and part of takes. It knows frame times, no clock,
no tensors and no machine. Why it comes to rest:

* down only when more than one frame in twenty was late (p95 over the budget), never for a single hiccup;
* up only after some calm, and when the larger size is expected to fit with room to spare: the frame time now, times
  what that size cost when it was left against the first frames of this one, which the same load was on;
* each time a larger size did not hold, the calm it takes grows fourfold. Expectations may be wrong, since the load may
  have changed in that very moment: so after PATIENCE times as long, a larger size is tried that might fit at best.
"""
from collections import deque
from statistics import median

from live.show.events import Change

ON_TIME = 0.95                      # share of a frame's time that drawing may take
WINDOW = 40                         # drawn frames that p95 is taken over
MANY = 3                            # late frames it takes to go down, however few frames there have been
WARM = 2                            # frames after a change that do not count: caches fill
FIRST = 8                           # frames after going down that tell what the larger size cost against this one
ROOM = 0.8                          # share of the budget that a larger size may be expected to take
SOON, WORSE, BETTER, RARELY = 2.0, 4.0, 0.5, 600.0      # calm before going up: seconds at first; times so much for a
HELD, PATIENCE = 60.0, 30.0                             # size that did not hold, and for one that did (HELD seconds); at most
UNTRIED, AT_BEST = 4.0, 1.1         # a size's cost over the next smaller one's: while not known, and at best
SMALLEST = 256


class Governor:
    """show: the Show it plays in. fps: the rate to hold. sizes: those the picture may be drawn at."""

    def __init__(self, show, fps, sizes):
        self.show, self.budget = show, ON_TIME * 1000.0 / fps       # milliseconds
        self.sizes = sorted(size for size in sizes if size >= min(SMALLEST, max(sizes)))
        self.recent: deque[float] = deque(maxlen=WINDOW)            # milliseconds of drawn frames at this size
        self.late = 0                                               # how many of them were over the budget
        self.at = None                                              # the size they were drawn at
        self.steps = {}                                             # size -> its cost over that of the next smaller one
        self.tried = set()                                          # sizes that it has gone up to
        self.left = None                                            # (size, its median milliseconds) that it came down from
        self.wait, self.calm = SOON, 0.0                            # seconds: calm it takes to go up, calm so far
        self.risen = None                                           # seconds since it went up, until that held or did not
        self.changes, self.frames = [], {}                          # (tick, size, p95) newest last; size -> frames drawn
        self._seen, self._skip = 0, WARM

    def play(self, tick) -> list:
        """The change of size that the frames so far call for, if any."""
        scene = self.show.scene
        size = self._drawn(scene["/quality/size"])
        if size != self.at:                                         # a hand, a preset or the start
            self._begin(size)
        if not self._heard(tick.dt) or not scene["/quality/auto"]:
            return []
        wanted = self._wanted(size)
        if wanted == size:
            return []
        self.changes = [*self.changes[-99:], (tick.frame, wanted, round(self._p95(), 2))]
        left = (size, median(self.recent)) if wanted < size else None
        why = f"frames took {self._p95():.0f} ms and may take {self.budget:.0f}" if wanted < size else "there is time again"
        self.show.told.tell(f"the picture is drawn at {wanted} px instead of {size}: {why}", "size")
        self._begin(wanted)
        self.left = left
        return [Change("/quality/size", float(wanted))]

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Nothing that hands do concerns it."""
        return []

    def report(self) -> dict:
        """For --report: the size now, frames drawn at each, and the newest changes as [frame, size, p95 before]."""
        return {"auto": bool(self.show.scene["/quality/auto"]), "size": self.at, "changes": len(self.changes),
                "frames": {str(size): n for size, n in sorted(self.frames.items())}, "newest": [list(c) for c in self.changes[-20:]]}

    def _drawn(self, wanted):
        return max((size for size in self.sizes if size <= wanted), default=self.sizes[0])

    def _begin(self, size):
        self.at, self._skip, self.calm, self.left = size, WARM, 0.0, None
        self.recent.clear()
        self.late = 0

    def _heard(self, dt) -> bool:
        """Take in the frame before this one; whether one was drawn (a picture shown again says nothing)."""
        drawn = self.show.instrument.drawings
        if drawn == self._seen:
            return False
        self._seen = drawn
        if self._skip:
            self._skip -= 1
            return False
        times = self.show.meter.frame_ms
        if len(self.recent) == WINDOW:
            self.late -= self.recent[0] > self.budget
        self.recent.append(times.newest)
        self.late += self.recent[-1] > self.budget
        if self.left and len(self.recent) <= FIRST:
            self.steps[self.left[0]] = max(AT_BEST, self.left[1] / max(median(self.recent), 1e-3))
        self.frames[self.at] = self.frames.get(self.at, 0) + 1
        self.calm = 0.0 if self._behind() else self.calm + dt
        if self.risen is not None:
            self.risen += dt
            if self.risen >= HELD:
                self.risen, self.wait = None, max(SOON, self.wait * BETTER)
        return True

    def _behind(self) -> bool:
        """Whether p95 is over the budget."""
        return self.late >= MANY and self.late > 0.05 * len(self.recent)

    def _p95(self):
        ordered = sorted(self.recent)
        return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))] if ordered else 0.0

    def _wanted(self, size):
        place = self.sizes.index(size)
        if self._behind():
            return self._down(place) if place else size
        ready = self.calm >= self.wait and len(self.recent) == WINDOW and self.frames[size] % WINDOW == 0
        if ready and place + 1 < len(self.sizes):
            return self._up(place)
        return size

    def _down(self, place):
        size = self.sizes[place]
        if size in self.tried:                                      # it did not hold
            self.wait = min(RARELY, self.wait * WORSE)
        self.risen = None
        return self.sizes[place - 1]

    def _up(self, place):
        size, larger = self.sizes[place], self.sizes[place + 1]
        step = AT_BEST if self.calm >= PATIENCE * self.wait else self.steps.get(larger, UNTRIED)
        if self._p95() * step >= ROOM * self.budget:
            return size
        self.tried.add(larger)
        self.risen = 0.0
        return larger
