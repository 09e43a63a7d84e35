"""Looking for pictures in a network: the schedule, the losses, what is found."""
import math

import pytest
import torch

from engine import checkpoints, projection
from engine.directions.statistics import sample_w
from engine.errors import UserError
from engine.kept import Kept
from engine.projection import find
from engine.projection.find import Projector
from engine.projection.losses import LOSSES, find_pyramid, measure_psnr, measure_ssim
from engine.projection.schedule import find_noise, find_noise_correlation, find_rate, renormalise
from tests.conftest import tiny
from tests.engine.shapes import SHAPES, shaped


def test_the_published_schedule():
    """Independently: r = min(1, (1 - t) / 0.25), 0.5 - 0.5 cos(pi r), times min(1, t / 0.05)."""
    assert [find_rate(i, 1000) for i in (0, 25, 50, 500, 750)] == pytest.approx([0.0, 0.05, 0.1, 0.1, 0.1], abs=1e-9)
    assert find_rate(999, 1000) == pytest.approx(0.1 * (0.5 - 0.5 * math.cos(math.pi * 0.004)), abs=1e-12)
    assert [find_noise(i, 1000) for i in (0, 375, 750, 999)] == pytest.approx([0.05, 0.0125, 0.0, 0.0], abs=1e-9)


def test_noise_whose_neighbours_agree():
    assert find_noise_correlation(torch.ones(32, 32)).item() == pytest.approx(6.0)           # three sizes, both ways
    white = torch.randn(256, 256, generator=torch.Generator().manual_seed(1))
    assert find_noise_correlation(white) < 1e-3
    both = torch.stack([torch.ones(32, 32), white[:32, :32]])
    assert torch.allclose(find_noise_correlation(both), torch.stack([find_noise_correlation(one) for one in both]))
    renormalise(both := both + 3)
    assert both[1].mean().abs() < 1e-5 and both[1].square().mean() == pytest.approx(1, abs=1e-4) and (both[0] == 0).all()


def test_noise_maps_of_its_own_come_nearer_and_stay_noise():
    generator = tiny()
    other = tiny()
    for layer in other.layers:
        other.layer(layer).noise_const.copy_(torch.randn(other.layer(layer).noise_const.shape, generator=torch.Generator().manual_seed(3)))
    w = sample_w(generator, 1, 5)[1]
    with torch.no_grad():
        picture = other.synthesize(w[:, None].expand(-1, 8, -1)).clamp(-1, 1)
    projector = Projector(generator, 32)
    found = []
    for maps in ({}, projector.begin_noise(1)):
        ws = projector.refine(w[:, None], picture, 30, shaken=False, noise=maps)
        found.append(projector.describe(ws, w[:, None], picture, maps))
    without, within = found
    assert within.psnr[0] > without.psnr[0] + 1 and list(within.noise) == generator.layers and not without.noise
    stored = sum(find_noise_correlation(generator.layer(layer).noise_const) for layer in generator.layers)
    assert sum(find_noise_correlation(maps) for maps in within.noise.values()) < 0.1 * stored
    for layer, maps in within.noise.items():
        assert maps.shape == (1, *generator.layer(layer).size) and maps.mean().abs() < 1e-5 and maps.square().mean() == pytest.approx(1, abs=1e-4)
    assert torch.equal(projector.draw(within.ws, within.noise).clamp(-1, 1), within.shown)


def test_the_pyramid_against_a_slow_one():
    a, b = (torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(n)) for n in (1, 2))
    total = torch.zeros(2)
    for n in range(2):
        d = (a[n] - b[n]).numpy()
        for _ in range(6):
            total[n] += abs(d).mean()
            if min(d.shape[1:]) < 2:
                break
            total[n] += abs(d[:, 1:] - d[:, :-1]).mean() + abs(d[:, :, 1:] - d[:, :, :-1]).mean()
            d = (d[:, ::2, ::2] + d[:, 1::2, ::2] + d[:, ::2, 1::2] + d[:, 1::2, 1::2]) / 4
    assert torch.allclose(find_pyramid(a, b), total, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_least_for_the_picture_itself(name):
    a = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    near, far = a + 0.05 * torch.randn_like(a), a.flip(3)
    loss = LOSSES[name]
    assert (loss(a, a) <= 1e-5).all() and (loss(near, a) > loss(a, a)).all() and (loss(far, a) > loss(near, a)).all()


def test_figures():
    a = torch.zeros(1, 3, 16, 16)
    assert measure_psnr(a, a + 0.2).item() == pytest.approx(20.0, abs=1e-4)
    assert measure_ssim(a + 0.3, a + 0.3).item() == pytest.approx(1.0, abs=1e-5)


@pytest.fixture(scope="module")
def masks():
    generator = checkpoints.load("presets/masks/generator.safetensors").eval().requires_grad_(False)
    made = Projector(generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find, "BANK", 128)                    # quicker
        made.find_start(torch.zeros(1, 3, 64, 64))
    return made


def own(projector, seeds):
    w = sample_w(projector.generator, seeds, 11)[1]
    with torch.no_grad():
        return w, projector.draw(w[:, None]).clamp(-1, 1)


def test_own_pictures_are_found_again(masks):
    w, pictures = own(masks, 2)
    found = masks.project(pictures, 15)
    start = measure_psnr(found.start, found.target)
    assert all(psnr > at + 3 for psnr, at in zip(found.psnr, start.tolist())) and min(found.psnr) > 18
    assert found.ws.shape == (2, 1, 128) and found.psnr == pytest.approx(measure_psnr(found.shown, found.target).tolist(), abs=1e-4)
    assert torch.equal(masks.project(pictures, 15).ws, found.ws)


def test_kept_close_it_stays_where_seeds_are():
    generator = tiny()
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    v = find.undo_activation(sample_w(generator, 5000, 3)[1])
    z = torch.randn(9, 16, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(find.undo_activation(torch.nn.functional.leaky_relu(z, 0.2) * 2 ** 0.5), z, atol=1e-6)
    inverse, apart = torch.linalg.inv(torch.cov(v.T)), []
    for cost in (0.0, 1.0, 30.0):
        projector = Projector(generator, 32, keep_close=cost)
        off = find.undo_activation(projector.refine(sample_w(generator, 1, 7)[1][:, None], picture, 60, shaken=False))[0, 0] - v.mean(0)
        apart.append(float(off @ inverse @ off) / 16)
    assert apart[0] > apart[1] > apart[2] and apart[2] < 1


def test_layers_of_their_own_come_nearer(masks):
    from engine.world import MASKS

    drawn = MASKS.draw(sample_w(masks.generator, 1, 9)[0], 64)
    one, each = (masks.project(drawn, 12, space) for space in ("w", "w+"))
    assert each.ws.shape == (1, 18, 128) and each.psnr[0] > one.psnr[0] + 0.5


def test_pictures_of_any_shape_are_cut_about_their_middle(masks):
    wide = torch.zeros(1, 3, 40, 100)
    wide[:, :, :, 30:70] = 1.0
    assert (masks.prepare(wide) == 1).all() and masks.prepare(wide).shape == (1, 3, 64, 64)


@pytest.mark.parametrize("name", SHAPES)
def test_any_network_can_be_looked_in(name):
    generator = shaped(name)
    picture = torch.rand(3, 30, 20, generator=torch.Generator().manual_seed(1)) * 2 - 1
    ws = projection.project(generator, picture, steps=3, seed=0, space="w+", size=16)
    assert ws.shape == (1, generator.num_ws, 16) and ws.isfinite().all()
    found = Projector(generator, 16).project(picture[None], 2, noise=True)
    Kept(found.ws, noise=found.noise).fit(generator)
    with torch.no_grad():
        assert generator.synthesize(ws).isfinite().all()


@pytest.mark.parametrize("wrong, told", [(dict(space="z"), "space 'z': expected one of w, w"), (dict(loss="vgg"), "loss 'vgg': expected one of pyramid")])
def test_what_cannot_be_asked(wrong, told):
    with pytest.raises(UserError, match=told):
        projection.project(tiny(), torch.zeros(3, 8, 8), steps=1, **wrong)
