"""The encoder that comes with the built-in instrument: it fits, it is small, it sees, and what measures it measures."""
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine import checkpoints, encoder
from engine.encoder import Encoder, measure, train
from engine.encoder.pairs import Own
from engine.world import MASKS
from engine.world.measure import unseen
from tests.bench import encoder as bench
from tests.conftest import tiny

FOLDER = Path(__file__).parents[3] / "presets" / "masks"


@pytest.fixture(scope="module")
def masks():
    return checkpoints.load(FOLDER / "generator.safetensors")


@pytest.fixture(scope="module")
def shipped(masks):
    return encoder.load(FOLDER / "encoder.safetensors", masks)


def test_it_fits_and_is_small(masks, shipped):
    assert shipped.plan.generator == checkpoints.generator_hash(masks)
    assert (FOLDER / "encoder.safetensors").stat().st_size <= 6_000_000


def test_it_sees(masks, shipped):
    """A slack version of the bars that `run_live.py bench encoder` measures in full."""
    table = measure.errors({"shipped": shipped}, masks, 12, 64, {name: measure.CHANGES[name] for name in ("clean", "all")})
    figures = bench.ratios(table)
    assert figures["half_of_mean_w"] < 0.5
    assert figures["all_over_clean"] < 1.4
    own = {who: named["clean"]["own look"] for who, named in table.items()}
    assert own["nobody"] < own["shipped"] < table["nobody"]["clean"]["mean look"]


def test_what_is_shown_is_what_is_said():
    z, source = unseen(3), lambda: torch.Generator().manual_seed(0)
    clean = measure.draw_changed(z, 32, (), source())
    assert torch.allclose(clean.seen, MASKS.draw(z, 32), atol=1e-5) and clean.target is clean.seen
    moved = measure.draw_changed(z, 32, ("shift",), source())
    assert torch.equal(moved.seen, moved.target) and not torch.allclose(moved.seen, clean.seen, atol=0.1)
    lit = measure.draw_changed(z, 32, ("brightness",), source())
    assert torch.equal(lit.target, clean.target)
    factor = ((lit.seen + 1) / (clean.seen + 1)).flatten(1).median(1).values
    assert 0.79 < factor.min() and factor.max() < 1.21 and factor.std() > 0.01
    coded = measure.draw_changed(z, 96, ("jpeg",), source())
    assert 0.001 < (coded.seen - coded.target).abs().mean() < 0.1


def test_errors_are_means_of_absolute_differences(masks, shipped):
    table = measure.errors({"it": shipped}, masks, 5, 32, {"clean": ()})
    z = unseen(5)
    with torch.no_grad():
        pictures, own = MASKS.draw(z, 32), masks.map(z)
        middle = masks.w_avg.expand_as(own)
        seen = [masks.synthesize(middle[:1], size=32, splice={shipped.layer: shipped(one)}) for one in pictures.split(1)]
    expected = {("nobody", "mean look"): masks.synthesize(middle, size=32), ("nobody", "own look"): masks.synthesize(own, size=32),
                ("it", "mean look"): torch.cat(seen)}
    for (who, look), made in expected.items():
        assert table[who]["clean"][look] == pytest.approx((made.double() - pictures).abs().mean().item(), abs=2e-5)


def test_the_bench_runs_small(capsys):
    figures = bench.bench({"seconds": 0, "count": 4, "size": 32, "frames": 0.01})
    assert figures["pictures"] == 4 and set(figures["errors"]) == {"nobody", "shipped"}
    assert figures["encoding_processor_ms"] > 0 and set(figures["met"]) == {"half_of_mean_w", "all_over_clean", "added_to_a_frame"}
    assert "shipped, clean" in capsys.readouterr().err


def test_the_same_time_is_given_to_both(monkeypatch):
    monkeypatch.setattr(bench.time, "process_time", iter(range(10_000)).__next__)     # every look at the clock is a second
    generator = tiny()
    begun = Encoder.fresh(generator, "b4.conv1", size=16, width=8)
    pairs = Own(generator, begun.plan, 8)
    made, steps = bench.trained_for(30, begun, pairs, replace(train.Recipe(), batch=1))
    assert steps == 29 and isinstance(made, Encoder)
