"""The look: from a picture to the w that comes near it, in one pass; and the source that leads the walk by it."""
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import checkpoints, encoder, look
from engine.checkpoints import native
from engine.directions.statistics import sample_w
from engine.errors import UserError
from engine.instrument import Instrument
from engine.look import train
from engine.look.network import list_groups
from engine.motion import Motion
from run_live import main
from tests.conftest import tiny
from tests.engine.shapes import SHAPES, shaped

FOLDER = "presets/masks"


def drawn(generator, w, size):
    with torch.no_grad():
        return generator.synthesize(w[:, None].expand(-1, generator.num_ws, -1), size=size).clamp(-1, 1)


def levels(pictures):
    """Pictures [1, 3, H, W] as a camera would give them."""
    return pictures[0].permute(1, 2, 0).add(1).mul(127.5).round().to(torch.uint8).numpy()


@pytest.fixture(scope="module")
def masks():
    generator = checkpoints.load(f"{FOLDER}/generator.safetensors").eval().requires_grad_(False)
    return generator, look.load(f"{FOLDER}/look.safetensors", generator, encoder.load(f"{FOLDER}/encoder.safetensors", generator))


def test_the_shipped_one_sees_own_pictures_it_never_saw(masks):
    generator, seen = masks
    w = sample_w(generator, 12, 5)[1]
    pictures = drawn(generator, w, 64)
    found = seen(pictures)[:, 0]
    psnr = -10 * torch.log10((drawn(generator, found, 64) - pictures).square().mean((1, 2, 3)) / 4)
    assert psnr.median() >= 22 and 1 - (found - w).square().sum() / (w - w.mean(0)).square().sum() >= 0.6


def test_files_and_who_they_are_for(tmp_path, masks):
    generator, seen = masks
    path = look.save(tmp_path / "look.safetensors", seen)
    picture = torch.rand(1, 3, 50, 70) * 2 - 1
    again = look.load(path, generator, seen.encoder)
    assert torch.allclose(again(picture), seen(picture), atol=0.05) and torch.equal(look.load(look.save(path, again), generator, seen.encoder)(picture), again(picture))
    with pytest.raises(UserError, match="not for these"):
        look.load(path, tiny(), None)
    with pytest.raises(UserError, match="solved with another encoder"):
        look.load(path, generator, None)
    other = encoder.Encoder.fresh(generator, "b16.conv1", seed=3)
    with pytest.raises(UserError, match="solved with another encoder"):
        look.load(path, generator, other)


@pytest.mark.parametrize("name", SHAPES)
def test_any_network_has_one_and_a_source_leads_its_walk(name, tmp_path):
    generator = shaped(name)
    made = look.find(generator, None, seeds=24)
    path = look.save(tmp_path / "look.safetensors", made)
    instrument = Instrument(generator, generator.architecture.resolutions[1])
    instrument.know_look(look.load(path, generator))
    w = sample_w(generator, 1, 90)[1]
    seen = levels(drawn(generator, w, generator.architecture.resolutions[-1]))
    scene = instrument.scene().set_values({"/source/into": "w", "/source/mix": 1.0, "/walk/kind": "wander"})
    motion = Motion().advance(scene, 1 / 30)
    led = instrument.render(scene, motion, seen).pixels.copy()
    ws = instrument.latents.ws(scene, motion, seen=instrument.sight.w)
    found, amount = instrument.sight.w
    assert amount == 1.0 and torch.equal(ws, found.expand_as(ws))
    assert (led != instrument.render(scene.set_values({"/source/mix": 0.0}), motion, seen).pixels).any()


@pytest.fixture
def seeing():
    generator = tiny()
    instrument = Instrument(generator)
    instrument.know_look(look.find(generator, None, seeds=64))
    return instrument


def test_the_mix_leads_and_lets_go(seeing):
    scene = seeing.scene().set_values({"/source/into": "w", "/walk/kind": "hold"})
    motion = Motion().advance(scene, 1 / 30)
    walk = seeing.latents.ws(scene, motion)
    picture = np.full((40, 60, 3), 200, np.uint8)
    seeing.render(scene.set_values({"/source/mix": 0.25}), motion, picture)
    w, amount = seeing.sight.w
    half = seeing.latents.ws(scene, motion, seen=seeing.sight.w)
    assert amount == 0.25 and torch.allclose(half, walk + 0.25 * (w - walk), atol=1e-6)
    seeing.render(scene, motion, picture)
    assert seeing.sight.w is None


@pytest.mark.parametrize("into, encoded, looked", [("w", 0, 1), ("features", 1, 0), ("both", 1, 1), ("all", 1, 0), ("factors", 0, 0)])
def test_what_plays_in_which(into, encoded, looked):
    generator = tiny()
    seeing = Instrument(generator, encoder=encoder.Encoder.fresh(generator, "b16.conv1", seed=1))
    seeing.know_look(look.find(generator, seeing.live_encoder.encoder, seeds=16))
    scene = seeing.scene().set_values({"/source/into": into, "/source/mix": 1.0})
    seeing.render(scene, Motion().advance(scene, 1 / 30), np.full((32, 32, 3), 90, np.uint8))
    assert (seeing.live_encoder.encoded, seeing.sight.look.encoded) == (encoded, looked)


def test_it_glides_from_picture_to_picture_and_a_broken_one_leaves_the_walk(seeing, caplog):
    scene = seeing.scene().set_values({"/source/into": "w", "/source/mix": 1.0, "/source/rate": 10.0, "/source/smoothing": 0.4})
    motion, at = Motion(), []
    for frame in range(20):
        motion = motion.advance(scene, 1 / 30)
        seeing.render(scene, motion, np.full((32, 32, 3), 0 if frame < 5 else 255, np.uint8))
        at.append(seeing.sight.w[0].clone())
    steps = [(b - a).norm().item() for a, b in zip(at[5:], at[6:])]
    assert sum(step > 0 for step in steps) >= 10 and torch.equal(at[-1], at[-2])

    def fail(pictures):
        raise RuntimeError("no")
    seeing.sight.look.encoder = type("Broken", (), {"size": (32, 32), "__call__": staticmethod(fail)})()
    motion = motion.advance(scene, 1.0)
    for _ in range(2):
        seeing.render(scene, motion, np.full((32, 32, 3), 60, np.uint8))
    assert seeing.sight.w is None and "look: RuntimeError: no" in caplog.text


@pytest.mark.parametrize("name", SHAPES)
def test_trained_it_has_a_w_for_each_group_of_layers(name, tmp_path):
    generator = shaped(name)
    begun = look.find(generator, None, seeds=32)
    told = []
    trained = train.train(generator, begun, steps=8, samples=32, progress=told.append)
    picture = drawn(generator, sample_w(generator, 1, 90)[1], generator.architecture.resolutions[-1])
    ws, groups = trained(picture), list_groups(generator.num_ws)
    assert ws.shape == (1, generator.num_ws, generator.w_dim) and ws.isfinite().all()
    assert all(torch.equal(ws[:, a], ws[:, b]) == (groups[a] == groups[b]) for a in range(len(groups)) for b in range(len(groups)))
    assert [event["done"] for event in told if event["stage"] == "training"] == list(range(1, 9))
    again = look.load(look.save(tmp_path / "look.safetensors", trained), generator)
    assert torch.allclose(again(picture), ws, atol=0.05) and again(picture).shape == ws.shape
    further = train.train(generator, again, steps=2, samples=32)
    assert further.offsets is not None and not torch.equal(further.offsets, again.offsets)
    instrument = Instrument(generator, generator.architecture.resolutions[1])
    instrument.know_look(again)
    scene = instrument.scene().set_values({"/source/into": "w", "/source/mix": 1.0, "/walk/kind": "hold"})
    motion = Motion().advance(scene, 1 / 30)
    instrument.render(scene, motion, levels(picture))
    assert torch.equal(instrument.latents.ws(scene, motion, seen=instrument.sight.w), instrument.sight.w[0])


def test_offsets_of_another_shape_are_refused(tmp_path):
    generator = tiny()
    made = look.find(generator, None, seeds=16)
    wrong = replace(made, offsets=torch.zeros(1, *made.matrix.shape))
    with pytest.raises(UserError, match="offsets of 1 x"):
        look.load(look.save(tmp_path / "look.safetensors", wrong), generator)


def test_training_brings_it_nearer(monkeypatch):
    """On a small network of random weights, whose solved look has seen few pictures."""
    generator = tiny()
    begun = look.find(generator, None, seeds=200, camera=False)
    before, after = (train.measure(generator, one) for one in (begun, train.train(generator, begun, steps=300, samples=1000)))
    assert after > before + 0.3


def test_the_command_writes_only_what_is_better(tmp_path, capsys):
    path = native.save(tmp_path / "net.safetensors", tiny(), "float32")
    look.save(tmp_path / "net" / "look.safetensors", look.find(tiny(), None, seeds=200, camera=False))
    target = tmp_path / "trained.safetensors"
    run = lambda *words: main(["train-look", "--instrument", str(path), "-o", str(target), "--samples", "1000", *words])
    assert run("--steps", "300") == 0 and target.exists() and " dB, median of 32" in capsys.readouterr().out
    assert look.load(target, tiny()).offsets is not None
    target.unlink()
    monkey = train.measure
    try:
        train.measure = lambda generator, one: -float(one.offsets is not None)
        assert run("--steps", "2") == 1 and not target.exists() and "nothing is written" in capsys.readouterr().out
    finally:
        train.measure = monkey
    assert run("--steps", "0") == 2 and run("-o", str(tmp_path / "x.pt")) == 2
