"""The page's bench, small: that it runs, counts and says what it promises; not how fast."""
from engine.checkpoints import native
from tests.bench import surface
from tests.conftest import tiny
from tests.live.surface.rig import CHROMIUM


def test_what_the_page_costs(tmp_path, monkeypatch):
    monkeypatch.setattr(surface, "JOINING", 0.6)
    monkeypatch.setattr(surface, "TURN", 0.3)
    network = str(native.save(tmp_path / "tiny.safetensors", tiny()))
    figures = surface.bench({"instrument": network, "size": 32, "seconds": 1.0, "threads": 1, "clients": 2, "touches": 20, "turns": 5})
    assert figures["on"]["frames"] and figures["off"]["frames"] and figures["p95_ratio"] > 0 and figures["on"]["loop_cpu_ms"] > 0
    assert set(figures["surface_percent"]) == set(surface.THREADS) and figures["surface_percent"]["surface"] > 0
    assert figures["pictures_a_second_and_client"] > 0
    if CHROMIUM:
        assert figures["touch_to_frame_ms"]["touches"] > 3 and figures["page_ms"]["values"] == 300
