import tracemalloc

import pytest

from live.show.events import ControlEvent, Tick
from live.show.meter import KEPT, Meter, Ring


class Hand:
    at = 5.0

    def now(self):
        return self.at


def played(frame_ms, events=()):
    hand = Hand()
    meter = Meter(hand.now)
    for ms in frame_ms:
        meter.begin(Tick(0, 0.0, 0.0))
        hand.at += ms / 1000
        meter.end(events)
    return meter


def test_percentiles_and_rate():
    report = played([10.0] * 98 + [50.0, 90.0]).report()
    assert report["frames"] == 100
    assert report["frame_ms"] == {"p50": 10.0, "p95": 10.0, "p99": 90.0, "max": 90.0}
    assert report["seconds"] == pytest.approx(1.12) and report["fps"] == pytest.approx(99 / 1.12, abs=0.01)


def test_latency_by_source():
    events = [ControlEvent("osc /a", 1.0, at=4.99), ControlEvent("cc 1/16", 1.0, at=4.98), ControlEvent("key space", 1.0)]
    report = played([10.0], events).report()["control_to_frame_ms"]
    assert report["by_source"]["osc"]["p50"] == pytest.approx(20.0) and report["by_source"]["cc"]["p99"] == pytest.approx(30.0)
    assert set(report["by_source"]) == {"osc", "cc"} and report["max"] == pytest.approx(30.0)


def test_nothing_played():
    assert played([]).report()["fps"] == 0.0


def test_a_ring_forgets_the_oldest_but_not_the_largest():
    ring = Ring()
    ring.add(1e6)
    for _ in range(KEPT):
        ring.add(1.0)
    assert ring.percentiles(99) == {"p99": 1.0, "max": 1e6}


def test_a_long_show_needs_no_more_memory_than_a_short_one():
    meter, hand = played([1.0] * 200), Hand()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(20_000):
        meter.begin(None)
        meter.end([ControlEvent("osc /a", 1.0, at=1.0)] if hand else ())
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 300_000                                # one ring for the first control ever heard, nothing per frame
