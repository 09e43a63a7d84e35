"""The governor: while frames take too long it has the picture drawn smaller, and larger again once there is time.

A player of the loop, so what it decides are changes to /quality/size and part of takes. It knows frame times, no clock,
no tensors and no machine. It looks for the largest size that holds, with less than one frame in 500 late; the first moments
of a show don't count. Why it comes to rest:

* down at once when more than one frame in twenty was late, and after a while when more than one in 500 was that would have
  been in time at the smaller size; never for a single hiccup, which comes at any size;
* up after some calm, when the larger size is expected to fit: the frame time now, times what that size cost against this
  one when both were at their fastest; while that is not known, what it cost when it was left against the first frames
  after, which the same load was on;
* each time a size did not hold, the calm that it takes to go there again grows fourfold, and halves when it holds. To the
  same size it goes once a minute at most. Expectations may be wrong, since the load may have changed in that very moment: so
  after long calm a larger size is tried that might fit at best.
"""
from collections import deque
from dataclasses import dataclass, field
from statistics import median

from live.show.events import Change

ON_TIME = 0.95                      # share of a frame's time that drawing may take: the budget
WINDOW = 40                         # drawn frames that p95 is taken over
MANY = 3                            # late frames after which it goes down, even if few frames have been drawn
LONG, RARE = 1500, 0.002            # a size holds if of its newest LONG frames no more than this share was late
WARM = 2                            # frames after a change that do not count, because caches are still empty
OPENING = 1.5                       # seconds that a show begins with, in which windows open and other processes start: they say nothing about a size
FIRST = 8                           # frames after going down that tell what the larger size cost against this one
ROOM, FULL = 0.86, 1.0              # share of the budget that a larger size may be expected to take: half of its frames, nearly all
SOON, WORSE, BETTER, RARELY = 2.0, 4.0, 0.5, 600.0      # calm before going up: seconds at first; times so much for a
HELD = 60.0                                             # size that did not hold, and for one that did (HELD seconds); at most
PATIENCE, LONGER = 60.0, 30.0       # calm before a size is tried that might fit at best: seconds at least, and times the above
AGAIN = 60.0                        # seconds from going up to a size to going up to it again
UNTRIED, AT_BEST = 4.0, 1.1         # a size's cost over the next smaller one's: while not known, and at best
SMALLEST = 256


@dataclass
class Size:
    """What is known of one size. step: its cost over that of the next smaller one, from when it was left; None = not known.

    fastest: least median of a window, milliseconds. wait: seconds of calm it takes to go up to it. risen: when it last was.
    """
    step: float | None = None
    fastest: float = float("inf")
    wait: float = SOON
    risen: float = float("-inf")
    late: deque = field(default_factory=deque)      # its newest frames, LONG at most: whether one was late for its size,
    many: int = 0                                   # and how many were


class Governor:
    """show: the Show it plays in. fps: the rate to hold. sizes: those the picture may be drawn at."""

    def __init__(self, show, fps, sizes):
        self.show, self.period, self.budget = show, 1000.0 / fps, ON_TIME * 1000.0 / fps        # milliseconds
        self.sizes = sorted(size for size in sizes if size >= min(SMALLEST, max(sizes)))
        self.recent: deque[float] = deque(maxlen=WINDOW)            # milliseconds of drawn frames at this size
        self.late = 0                                               # how many of them were over the budget
        self.known = {size: Size() for size in self.sizes}
        self.at = None                                              # the size they were drawn at
        self.left = None                                            # (size, its median milliseconds) that it came down from
        self.calm = self.now = 0.0                                  # seconds without a late frame; seconds of the show in which frames were drawn
        self.holding = None                                         # seconds since it went up, until that held or did not
        self.changes, self.frames = [], {}                          # (tick, size, p95) newest last; size -> frames drawn
        self._seen, self._skip = 0, WARM

    def play(self, tick) -> list:
        """Return the change of size that the frames so far call for, if any."""
        scene = self.show.scene
        size = self._count_drawn(scene["/quality/size"])
        if size != self.at:                                         # a hand, a preset or the start
            self._begin(size)
        if not self._take_frame(tick.dt) or not scene["/quality/auto"]:
            return []
        wanted = self._choose_size(size)
        if wanted == size:
            return []
        self.changes = [*self.changes[-99:], (tick.frame, wanted, round(self._measure_p95(), 2))]
        left = (size, median(self.recent)) if wanted < size else None
        why = f"frames took {self._measure_p95():.0f} ms and may take {self.budget:.0f}" if wanted < size else "there is time again"
        self.show.notices.tell(f"the picture is drawn at {wanted} px instead of {size}: {why}", "size")
        self._begin(wanted)
        self.left = left
        return [Change("/quality/size", float(wanted))]

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: what hands do does not concern it."""
        return []

    def report(self) -> dict:
        """Return the figures for --report: the size now, frames drawn at each, and the newest changes as [frame, size, p95 before]."""
        return {"auto": bool(self.show.scene["/quality/auto"]), "size": self.at, "changes": len(self.changes),
                "frames": {str(size): n for size, n in sorted(self.frames.items())}, "newest": [list(c) for c in self.changes[-20:]]}

    def _count_drawn(self, wanted):
        return max((size for size in self.sizes if size <= wanted), default=self.sizes[0])

    def _begin(self, size):
        self.at, self._skip, self.calm, self.left = size, WARM, 0.0, None
        self.recent.clear()
        self.known[size].late.clear()
        self.known[size].many = 0
        self.late = 0

    def _take_frame(self, dt) -> bool:
        """Take in the frame before this one; whether one was drawn (a picture shown again says nothing)."""
        drawn = self.show.instrument.drawings
        if drawn == self._seen:
            return False
        self._seen = drawn
        self.now += dt
        if self.now < OPENING:
            return False
        if self._skip:
            self._skip -= 1
            return False
        self._take_in(self.show.meter.frame_ms.newest)
        self.frames[self.at] = self.frames.get(self.at, 0) + 1
        self.calm = 0.0 if self._is_behind() else self.calm + dt
        if self.holding is not None:
            self.holding += dt
            if self.holding >= HELD:
                here = self.known[self.at]
                self.holding, here.wait = None, max(SOON, here.wait * BETTER)
        return True

    def _take_in(self, milliseconds):
        """Note how long a frame took."""
        here = self.known[self.at]
        if len(self.recent) == WINDOW:
            self.late -= self.recent[0] > self.budget
        self.recent.append(milliseconds)
        self.late += milliseconds > self.budget
        if len(here.late) == LONG:
            here.many -= here.late.popleft()
        here.late.append(milliseconds > self.period and milliseconds < self.period * self._find_step(self.sizes.index(self.at)))
        here.many += here.late[-1]
        if self.left and len(self.recent) <= FIRST:
            self.known[self.left[0]].step = max(AT_BEST, self.left[1] / max(median(self.recent), 1e-3))
        if len(self.recent) == WINDOW and self.frames.get(self.at, 0) % WINDOW == 0:
            here.fastest = min(here.fastest, median(self.recent))

    def _find_step(self, place) -> float:
        """Return how many times as long a frame takes at this size as at the next smaller one, as far as that is known."""
        if not place:
            return 1.0
        here, smaller = self.known[self.sizes[place]], self.known[self.sizes[place - 1]]
        if max(here.fastest, smaller.fastest) < float("inf"):
            return max(AT_BEST, here.fastest / max(smaller.fastest, 1e-3))
        return here.step or UNTRIED

    def _is_behind(self) -> bool:
        """Return whether p95 is over the budget."""
        return self.late >= MANY and self.late > 0.05 * len(self.recent)

    def _falls_short(self) -> bool:
        """Whether too many frames of a long time were late that need not have been."""
        here = self.known[self.at]
        return here.many > max(MANY, RARE * LONG) and here.late[-1]

    def _measure_p95(self):
        ordered = sorted(self.recent)
        return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))] if ordered else 0.0

    def _choose_size(self, size):
        place = self.sizes.index(size)
        if self._is_behind() or self._falls_short():
            return self._step_down(place) if place else size
        if len(self.recent) == WINDOW and self.frames[size] % WINDOW == 0 and place + 1 < len(self.sizes):
            return self._step_up(place)
        return size

    def _step_down(self, place):
        here = self.known[self.sizes[place]]
        if self.holding is not None:                                # it was gone up to, and did not hold
            here.wait = min(RARELY, here.wait * WORSE)
        self.holding = None
        return self.sizes[place - 1]

    def _step_up(self, place):
        size, larger = self.sizes[place], self.sizes[place + 1]
        there = self.known[larger]
        if self.calm < there.wait or self.now - there.risen < AGAIN:
            return size
        step = AT_BEST if self.calm >= max(PATIENCE, min(RARELY, LONGER * there.wait)) else self._find_step(place + 1)
        if median(self.recent) * step >= ROOM * self.budget or self._measure_p95() * step >= FULL * self.budget:
            return size
        there.risen, self.holding = self.now, 0.0
        return larger
