"""The benches of directions and projection, small: that they run and say what they promise; not how good."""
from engine.checkpoints import native
from tests.bench import project
from tests.conftest import tiny


def test_projection(tmp_path):
    network = str(native.save(tmp_path / "tiny.safetensors", tiny()))
    figures = project.bench({"instrument": network, "size": 16, "seconds": 1.0})
    assert set(figures["own"]) == {"published", "published, VGG", "ours", "tuned"}
    assert all({"median", "worst", "seconds", "ms"} == set(row) for row in figures["own"].values())
