"""What is counted about a port stays small, and is rarely mentioned."""
import itertools
import json
import logging

from live.osc.stats import KEPT, Stats


def test_stats_stay_small():
    stats = Stats(now=itertools.count().__next__)
    for i in range(3 * KEPT):
        stats.note_datagram((f"10.0.0.{i}", 5), 1, [])
        stats.unknown(f"/a/{i}", "x" * 1000 if i % 2 else tuple(range(1000)))
    report = json.loads(json.dumps(stats.report()))
    assert len(report["senders"]) == KEPT + 1 and sum(report["senders"].values()) == report["packets"] == 3 * KEPT
    assert list(report["unknown_addresses"]) == [f"/a/{i}" for i in range(2 * KEPT, 3 * KEPT)]
    assert len(report["unknown_addresses"]["/a/191"]) == 64 and len(report["unknown_addresses"]["/a/190"]) == 8
    assert report["unknown"] == 3 * KEPT


def test_unknown_addresses_are_mentioned_once_and_rarely(caplog):
    moments = iter([0.0, 0.1, 0.2, 1.5])
    stats = Stats(now=moments.__next__)
    with caplog.at_level(logging.WARNING):
        for address in ("/a", "/a", "/b", "/c", "/d"):
            stats.unknown(address, 1.0)
    assert [r.getMessage() for r in caplog.records] == [
        "OSC: nothing is called '/a' (it came with 1.0)", "OSC: nothing is called '/d' (it came with 1.0) (and 2 more like it)"]
