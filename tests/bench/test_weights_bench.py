"""The bench of edits, small: that it fades and counts is asserted, what it says of time is not."""
from engine.checkpoints import native
from tests.bench import edits
from tests.conftest import tiny


def test_it_measures_a_fade_a_checkpoint_and_a_show(tmp_path):
    native.save(tmp_path / "tiny.safetensors", tiny())
    figures = edits.bench({"instrument": str(tmp_path / "tiny.safetensors"), "seconds": 0.6, "threads": 1, "plot": str(tmp_path / "a.png")})
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert figures["frames"].keys() == {"steady", "fading", "checkpoint"} and figures["frames"]["steady"]["ratio"] == 1.0
    assert all(row["frames"] >= 3 and row["cpu_ms"] > 0 for row in figures["frames"].values())
    assert figures["show"]["fading"]["frames"] == figures["show"]["steady"]["frames"] >= 4
    assert len(figures["edits"]) == 2 and not figures["edits_of_the_instrument"]


def test_a_fade_goes_from_one_preset_to_the_other_and_back():
    a, b = edits.presets(edits._random_edits(tiny()))
    assert set(a.values()) == {0.0, 1.0} and all(a[address] != b[address] for address in a)
    assert edits.faded(0, a, b) == a == edits.faded(120, a, b) and edits.faded(60, a, b) == b
    assert set(edits.faded(30, a, b).values()) == {0.5}
