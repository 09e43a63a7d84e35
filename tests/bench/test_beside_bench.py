"""The benches of what a show does beside itself, small: that they run and say what they promise; not how fast."""
import shutil

import pytest

from engine.checkpoints import native
from tests.bench import analysis, photograph
from tests.conftest import tiny


def test_a_network_is_analysed_beside_its_show(tmp_path, monkeypatch):
    monkeypatch.setattr(analysis, "TURN", 1.0)
    network = str(native.save(tmp_path / "tiny.safetensors", tiny()))
    figures = analysis.bench({"instrument": network, "size": 32, "seconds": 6.0, "samples": 32})
    assert {"alone", "beside", "p95", "minutes", "found"} <= set(figures) and figures["alone"]["frames"] > 0 and figures["beside"]["frames"] > 0
    assert set(figures["found"]) <= {"clusters.yaml", "directions.safetensors", "look.safetensors"}          # a busy machine gives it little time


@pytest.mark.skipif(not (shutil.which("chromium") or shutil.which("chromium-browser")), reason="no Chromium")
def test_a_photograph_is_dropped_on_a_real_page(monkeypatch):
    monkeypatch.setattr(photograph, "DROPS", 1)
    figures = photograph.bench({"size": 64, "threads": 1})
    assert figures["tile"]["most"] > 0 and figures["drops"] == 1
