"""The drawn worlds: each deterministic, the same at every size and through every window, and smooth in every factor."""
import pytest
import torch
from torch.nn import functional as F

from engine import world
from engine.errors import UserError
from engine.world import MASKS
from engine.world.latent import Z_DIM

WORLDS = world.list_names()
FACTORS = [(name, factor) for name in WORLDS for factor in world.find(name).names]
# Edges are wider in coarse pixels: what pictures and parts of half the size may differ by. Blooms have more edges, gates have the hardest.
SOFT = {"masks": (0.02, 0.006), "beasts": (0.02, 0.006), "bloom": (0.02, 0.012), "gate": (0.035, 0.03)}
SHOWN_BY = {"paint_band": {"paint_band": 0.6}, "arm_phase": {"arm_wave": 0.9}}          # values of other factors that a factor needs to be seen


@pytest.fixture(scope="module")
def z():
    return torch.randn(4, Z_DIM, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module", params=WORLDS)
def drawn(request):
    return world.find(request.param)


def test_the_built_in_instruments_world_is_at_hand(z):
    assert torch.equal(world.draw(z, 32), MASKS.draw(z, 32)) and set(world.parts(z, 32)) == set(world.PARTS)


def test_a_world_that_is_none():
    with pytest.raises(UserError, match="beasts, bloom, gate, masks"):
        world.find("kind")


def test_enough_of_everything(drawn):
    assert 36 <= len(drawn.factors) <= Z_DIM
    assert len(drawn.parts) >= 12


def test_what_training_knows_of_parts(drawn):
    assert set(drawn.weights) <= set(drawn.parts)
    assert {name for names in drawn.groups.values() for name in names} == set(drawn.parts)
    assert {name for names in drawn.regions.values() for name in names} <= set(drawn.parts) and len(drawn.regions) >= 10
    assert {name for names in drawn.places.values() for name in names} <= set(drawn.parts) and len(drawn.places) >= 8


def test_shapes_and_ranges(drawn, z):
    picture, parts = drawn.draw(z, 64), drawn.mark_parts(z, 64)
    assert picture.shape == (4, 3, 64, 64) and picture.dtype == torch.float32
    assert picture.min() >= -1 and picture.max() <= 1
    assert set(parts) == set(drawn.parts)
    assert all(mask.shape == (4, 64, 64) and mask.min() >= 0 and mask.max() <= 1 for mask in parts.values())


def test_the_same_again_and_one_at_a_time(drawn, z):
    assert torch.equal(drawn.draw(z, 64), drawn.draw(z, 64))
    assert torch.allclose(drawn.draw(z, 64)[2:3], drawn.draw(z[2:3], 64), atol=1e-6)


def test_the_length_of_z_means_nothing(drawn, z):
    assert torch.allclose(drawn.draw(z, 32), drawn.draw(z * 3, 32), atol=2e-4)


def test_zero_is_the_centre_of_every_factor(drawn):
    assert torch.equal(drawn.uniform(torch.zeros(1, Z_DIM)), torch.full((1, len(drawn.names)), 0.5))


def test_parts_cover_the_picture_once(drawn, z):
    total = sum(drawn.mark_parts(z, 64).values())
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)


def test_every_part_is_seen(drawn, z):
    areas = {name: mask.mean().item() for name, mask in drawn.mark_parts(z, 128).items()}
    assert min(areas.values()) > 2e-4, areas


@pytest.mark.parametrize("name, part, lightest", [("masks", "teeth", (0.9, 1.0)), ("bloom", "pupil", (0.0, 0.12)),
                                                   ("gate", "sign", (0.9, 1.0))])
def test_parts_and_picture_agree(z, name, part, lightest):
    """Where the masks say teeth, there is the white of teeth; where a bloom's eye looks from, it is dark but for a spark; a gate's sign is white."""
    canvas = world.find(name).whole(z, 256)
    inside = canvas.visible()[part] > 0.99
    assert inside.any()
    shades = canvas.picture.permute(0, 2, 3, 1)[inside].mean(1)
    assert lightest[0] <= shades.quantile(0.25) and shades.quantile(0.75) <= lightest[1]


def test_sizes_agree(drawn, z):
    big, small = drawn.draw(z, 256), drawn.draw(z, 128)
    assert (F.avg_pool2d(big, 2) - small).abs().mean() < SOFT[drawn.name][0]
    fine, coarse = drawn.mark_parts(z, 256), drawn.mark_parts(z, 128)
    assert max((F.avg_pool2d(fine[n][:, None], 2)[:, 0] - coarse[n]).abs().mean().item() for n in fine) < SOFT[drawn.name][1]


def test_a_window_is_a_crop(drawn, z):
    full = drawn.draw(z, 128)
    left, top = torch.tensor([0.0, 10, 64, 96]), torch.tensor([0.0, 33, 64, 96])
    seen = drawn.view(drawn.uniform(z), left / 64 - 1, top / 64 - 1, 2 / 128, 32, 32).picture * 2 - 1
    for i in range(4):
        x, y = int(left[i]), int(top[i])
        assert torch.allclose(seen[i], full[i, :, y:y + 32, x:x + 32], atol=2e-3)


def test_a_small_step_is_a_small_change(drawn, z):
    """No jump anywhere: a hundredth of the way to another z moves the picture by about a hundredth as much."""
    a, b = z[:1], z[1:2]
    t = torch.linspace(0, 1, 101)[:, None]
    frames = drawn.draw(torch.lerp(a, b, t), 64)
    steps = frames.diff(dim=0).abs().mean((1, 2, 3))
    assert steps.max() < 3 * steps.mean()


@pytest.mark.parametrize("name, factor", FACTORS)
def test_every_factor_shows(name, factor):
    drawn = world.find(name)
    u = torch.full((2, len(drawn.names)), 0.5)
    for other, value in SHOWN_BY.get(factor, {}).items():
        u[:, drawn.names.index(other)] = value
    u[0, drawn.names.index(factor)], u[1, drawn.names.index(factor)] = 0.1, 0.9
    corner = torch.full((2,), -1.0)
    a, b = drawn.view(u, corner, corner, 2 / 96, 96, 96).picture
    assert (a - b).abs().mean() > 2e-4


def test_values_are_in_the_factors_own_units(drawn):
    low, high = (drawn.values(torch.full((1, len(drawn.names)), end)) for end in (0.0, 1.0))
    for name, (a, b) in drawn.factors.items():
        assert low[name].item() == pytest.approx(a, abs=1e-6) and high[name].item() == pytest.approx(b, abs=1e-6)
