"""The bench of outputs, small: that it measures what it says; not how fast."""
from engine.checkpoints import native
from tests.bench import outputs
from tests.conftest import tiny


def test_what_outputs_cost(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "DISPLAY", (64, 36))
    network = str(native.save(tmp_path / "tiny.safetensors", tiny()))
    figures = outputs.bench({"instrument": network, "size": 32, "seconds": 1.0, "threads": 1})
    assert figures["put_ms"]["frames"] >= figures["handover_ms"]["frames"] > 3
    assert set(figures["framing_cpu_ms"]) >= {"fit", "fit, pinned", "fit, pin moving"} and min(figures["limiter_cpu_ms"].values()) > 0
    assert figures["frame_ms"]["outputs"][0] == "window" and figures["frame_ms"]["outputs"][-1] == "recorder"
    assert figures["frame_ms"]["null"]["frames"] == figures["frame_ms"]["all"]["frames"]
