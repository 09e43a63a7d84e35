import itertools

import pytest

from live.show.clock import FixedClock, WallClock, limit_ticks
from live.show.events import Tick


class Hand:
    """Time that moves only when told to: sleep() moves it, and so does whoever renders."""

    def __init__(self):
        self.at, self.slept = 100.0, []

    def now(self):
        return self.at

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.at += seconds


def play(work, fps=10):
    """Tick while each frame takes as long as `work` says; returns (ticks, clock)."""
    hand = Hand()
    clock, ticks = WallClock(fps, hand.now, hand.sleep), []
    for tick, seconds in zip(clock.ticks(), itertools.chain(work, [0.0])):
        ticks.append(tick)
        hand.at += seconds
    return ticks, clock


def test_wall_clock_keeps_the_grid():
    ticks, clock = play([0.03] * 20)
    assert [t.time for t in ticks] == pytest.approx([i / 10 for i in range(21)])
    assert clock.late == 0 and [t.frame for t in ticks] == list(range(21))
    assert ticks[0].dt == 0.0 and ticks[5].dt == pytest.approx(0.1)


def test_a_late_frame_is_skipped_over_and_never_caught_up_with_a_burst():
    ticks, clock = play([0.03, 0.35, 0.03, 0.03, 0.03])
    gaps = [b.time - a.time for a, b in zip(ticks, ticks[1:])]
    assert gaps == pytest.approx([0.1, 0.35, 0.1, 0.1, 0.1])
    assert clock.late == 3                               # the ticks due at 0.2, 0.3 and 0.4 did not come at their time


def test_a_machine_that_is_always_too_slow_runs_flat_out():
    ticks, clock = play([0.15] * 10)
    assert [t.dt for t in ticks[1:]] == pytest.approx([0.15] * 10)
    assert clock.late == 10


def test_fixed_clock():
    ticks = list(limit_ticks(FixedClock(25).ticks(), frames=3))
    assert ticks == [Tick(0, 0.0, 0.0), Tick(1, 0.04, 0.04), Tick(2, 0.08, 0.04)]


def test_bounds():
    assert len(list(limit_ticks(FixedClock(10).ticks(), seconds=0.95))) == 10
    assert len(list(limit_ticks(FixedClock(10).ticks(), frames=7, seconds=0.95))) == 7
