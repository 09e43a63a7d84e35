"""The OSC bench, small: what it says of arrival is asserted, what it says of time is not."""
from tests.bench import osc


def test_every_value_arrives(monkeypatch):
    monkeypatch.setattr(osc, "SETTLE", 0.1)
    figures = osc.bench({"size": 16, "seconds": 0.3, "rounds": 1, "threads": 1})
    for part in ("bundle", "single"):
        assert figures[part]["arrived"] == 1.0 and figures[part]["sent"] >= 300
        assert figures[part]["verified"] == figures["channels"] == 300
        assert figures[part]["frames"] and figures[part]["control_to_frame_ms"].keys() == {"p50", "p99"}
