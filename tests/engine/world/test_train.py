"""Training: the fast forward pass is the generator's, a few steps help, and a run cut in two is the run in one go."""
import pytest
import torch
from torch.nn import functional as F

from engine.architecture import Architecture
from engine.errors import UserError
from engine.world import MASKS, find, list_names, losses
from engine.world.codes import codes, regress
from engine.world.forward import Crop, pyramid, speckles
from engine.world.latent import Z_DIM
from engine.world.optimise import turn
from engine.world.train import Machine, Stage, Trainer, frame, fresh, inner, pictures, train, windows

TINY = Architecture(resolution=32, z_dim=Z_DIM, w_dim=128, mapping_layers=2, channels={4: 16, 8: 16, 16: 16, 32: 16})
FOUR = Architecture(resolution=64, z_dim=Z_DIM, w_dim=128, mapping_layers=2, channels={4: 8, 8: 8, 16: 8, 32: 8, 64: 8})


def quiet(generator):
    for name in generator.layers:
        generator.layer(name).noise_strength.data.zero_()
    return generator


def test_forward_is_the_generators():
    generator = quiet(fresh(TINY, 3))
    z = torch.randn(2, Z_DIM, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ws = generator.map(z)
        ours, kept = pyramid(generator, ws[:, 0], 32, speckles(generator, 2, 32), keep=("b16.conv1",))
        theirs = generator.skips(ws, noise="none")
        features = generator.activations(ws, ["b16.conv1"], noise="none")
    assert set(ours) == set(theirs)
    for r in ours:
        assert torch.allclose(ours[r], theirs[r], atol=1e-4), r
    assert torch.allclose(kept["b16.conv1"], features["b16.conv1"], atol=1e-4)


def test_a_crop_is_the_whole_but_for_its_ring():
    generator = quiet(fresh(FOUR, 3))
    w = torch.randn(2, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        crop = Crop(16, 12, (0, 4), (2, 1))
        full = pyramid(generator, w, 64, speckles(generator, 2, 64))[0][64]
        part = pyramid(generator, w, 64, speckles(generator, 2, 64, crop=crop), crop=crop)[0][64]
    assert torch.allclose(part[0, :, :32, 16:-16], full[0, :, :32, 24:40], atol=1e-3)       # touches the upper edge
    assert torch.allclose(part[1, :, 16:, 16:-16], full[1, :, 32:, 20:36], atol=1e-3)       # touches the lower edge


def test_crops_are_drawn_where_they_are_cut():
    stage = Stage(64, 1, batch=3, crop=32, cut=16)
    crop = windows(stage, torch.Generator().manual_seed(2))
    u = torch.rand(3, 60, generator=torch.Generator().manual_seed(3))
    seen = pictures(MASKS, u, *frame(stage, crop))[0]
    whole_stage = Stage(64, 1, batch=3)
    corner, _, pitch, size, _ = frame(whole_stage, None)
    full = pictures(MASKS, u, corner, corner, pitch, size, 1)[0]
    for i, (top, left) in enumerate(zip(crop.top, crop.left)):
        assert torch.allclose(seen[i], full[i, :, 4 * top:4 * top + 32, 4 * left:4 * left + 32], atol=2e-3)
    _, _, weight = inner(stage, crop, {64: seen}, seen, torch.ones(3, 1, 32, 32))
    assert weight.min() == 0 or all(t in (0, 8) for t in crop.top + crop.left)


def test_groups_and_weights_know_their_parts():
    shown = MASKS.whole(torch.zeros(1, Z_DIM), 32).visible()
    assert losses.importance(MASKS, shown).min() >= 1 - 1e-4
    assert losses.group_masks(MASKS, shown).shape == (1, len(MASKS.groups), 32, 32)


def test_group_loss_is_low_for_channels_that_show_their_part():
    masks = losses.group_masks(MASKS, MASKS.whole(torch.zeros(1, Z_DIM), 32).visible())
    right = masks.repeat_interleave(2, 1)
    right = torch.cat([right, torch.zeros(1, int(right.shape[1] * 0.3), 32, 32)], 1)
    one = torch.ones(len(MASKS.groups))
    good = losses.group_loss(right, masks, 9 * one, -4 * one)
    assert good < 0.5 * losses.group_loss(right.flip(1), masks, 9 * one, -4 * one)


def test_turning_keeps_the_size_of_a_step():
    gradient = torch.randn(16, 8, 3, 3, generator=torch.Generator().manual_seed(0)) * torch.logspace(-3, 0, 16)[:, None, None, None]
    weight = torch.zeros(16, 8, 3, 3)
    turn(weight, torch.zeros_like(weight), gradient, 0.01)
    assert 0.005 < weight.square().mean().sqrt() < 0.015
    assert (weight * gradient).sum() < 0


def test_mapping_learns_the_codes():
    generator = fresh(TINY, 1)
    z = torch.randn(64, Z_DIM, generator=torch.Generator().manual_seed(9))
    target = codes(MASKS, z)
    before = F.mse_loss(generator.mapping(z)[:, :target.shape[1]], target)
    heard = []
    regress(MASKS, generator.mapping, 30, seed=1, rate=0.01, batch=128, progress=heard.append)
    assert F.mse_loss(generator.mapping(z)[:, :target.shape[1]], target) < 0.5 * before
    assert heard[-1]["step"] == heard[-1]["of"] == 30
    assert torch.allclose(generator.w_avg, generator.mapping(torch.zeros(1, Z_DIM))[0], atol=1e-5)


def test_a_few_steps_help_and_write_their_files(tmp_path):
    losses_heard = []
    made = train(MASKS, tmp_path, (Stage(0, 20), Stage(16, 45, batch=2, rate=0.02)), TINY, progress=lambda e: losses_heard.append(e.get("loss")) or False,
                 every=15)
    assert losses_heard[-1] < 0.97 * losses_heard[1]         # running averages: they lag
    assert (tmp_path / "figures.csv").read_text().count("\n") == 4
    assert made.resolution == 32 and not made.training


def test_a_run_cut_in_two_is_the_run_in_one_go(tmp_path):
    recipe = (Stage(0, 2), Stage(8, 4, batch=2), Stage(16, 4, batch=2, joint=True))
    whole_run = train(MASKS, tmp_path / "a", recipe, TINY, every=2)
    cut = Trainer(MASKS, tmp_path / "b", TINY, 1, stages=[8, 16])
    regress(MASKS, cut.generator.mapping, 2, 1)
    cut.optimiser.average = {n: p.detach().clone() for n, p in cut.optimiser.parameters.items()}
    for _ in range(3):
        cut.step(recipe[1])
    cut.save()
    again = train(MASKS, tmp_path / "b", recipe, TINY, every=2)
    for name, value in whole_run.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.parametrize("recipe, shape, seed, says", [
    ((Stage(8, 1, batch=2),), TINY, 2, "seed"), ((Stage(16, 1, batch=2),), TINY, 1, "recipe"), ((Stage(8, 1, batch=2),), FOUR, 1, "architecture")])
def test_a_folder_with_another_run_in_it_is_left_alone(tmp_path, recipe, shape, seed, says):
    train(MASKS, tmp_path, (Stage(0, 1), Stage(8, 1, batch=2)), TINY)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(UserError, match=f"another {says}"):
        train(MASKS, tmp_path, recipe, shape, seed)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_a_folder_with_another_worlds_run_is_left_alone(tmp_path):
    train(MASKS, tmp_path, (Stage(0, 1), Stage(8, 1, batch=2)), TINY)
    with pytest.raises(UserError, match="another world"):
        train(find("bloom"), tmp_path, (Stage(0, 1), Stage(8, 1, batch=2)), TINY)


def test_finished_weights_are_refined_not_begun_anew(tmp_path):
    start = fresh(TINY, 5)
    heard = []
    made = train(MASKS, tmp_path, (Stage(16, 1, batch=2, rate=1e-6),), start, progress=heard.append)
    assert not any(event["stage"] == "mapping" for event in heard)                          # no regression was run
    for name, value in start.named_parameters():
        assert torch.allclose(made.get_parameter(name), value, atol=1e-3), name


@pytest.mark.parametrize("name", list_names())
@pytest.mark.parametrize("stage", [Stage(32, 4, batch=2, joint=True), Stage(64, 4, batch=2, crop=32, cut=16, crisp=1.5)], ids=["whole", "crops"])
def test_a_step_stays_on_the_device_it_is_given(tmp_path, monkeypatch, name, stage):
    """On torch's device without numbers, which refuses to meet a tensor of the processor, as any other device does."""
    monkeypatch.setattr("engine.world.train.speckles", lambda generator, count, top, number, crop: {
        name: noise.to("meta") for name, noise in speckles(fresh(FOUR, 1), count, top, number, crop).items()})
    monkeypatch.setattr(Trainer, "_average", lambda self, loss, groups, miss, rate: {"loss": loss, "miss": miss})
    trainer = Trainer(find(name), tmp_path, FOUR, 1, Machine("meta"), [stage.resolution])
    figures = trainer.step(stage)
    assert figures["loss"].device.type == figures["miss"].device.type == "meta" and trainer.steps == 1
    assert {value.device.type for key, value in trainer.optimiser.state.items() if not key.endswith("count")} == {"meta"}
