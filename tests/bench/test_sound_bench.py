"""The bench of hearing, small: what it says of hits is asserted, what it says of time is not."""
from tests.bench import sound


def test_what_is_heard_is_counted():
    figures = sound.bench({"styles": 1, "seconds": 4.0, "size": 64, "threads": 1})
    assert len(figures["styles"]) == 1 and all(row["onset"] > 0.9 and row["false_a_s"] < 0.5 for row in figures["styles"].values())
    assert figures["cost"]["ms_a_hop"] > 0
    live = figures["show"]
    assert live["hits"] > 0 and live["hit_to_frame_ms"]["p50"] > 0 and live["frames"]["with"]["frames"] > 0 and live["frames"]["without"]["frames"] > 0
