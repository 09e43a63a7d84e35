"""The drawn world: deterministic, the same at every size and through every window, and smooth in every factor."""
import pytest
import torch
from torch.nn import functional as F

from engine import world
from engine.world.draw import view, whole
from engine.world.factors import FACTORS, NAMES, Z_DIM, uniform, values


@pytest.fixture(scope="module")
def z():
    return torch.randn(4, Z_DIM, generator=torch.Generator().manual_seed(5))


def test_enough_of_everything():
    assert len(FACTORS) >= 36 and len(FACTORS) <= Z_DIM
    assert len(world.PARTS) >= 12


def test_shapes_and_ranges(z):
    picture, parts = world.draw(z, 64), world.parts(z, 64)
    assert picture.shape == (4, 3, 64, 64) and picture.dtype == torch.float32
    assert picture.min() >= -1 and picture.max() <= 1
    assert set(parts) == set(world.PARTS)
    assert all(mask.shape == (4, 64, 64) and mask.min() >= 0 and mask.max() <= 1 for mask in parts.values())


def test_the_same_again_and_one_at_a_time(z):
    assert torch.equal(world.draw(z, 64), world.draw(z, 64))
    assert torch.allclose(world.draw(z, 64)[2:3], world.draw(z[2:3], 64), atol=1e-6)


def test_the_length_of_z_means_nothing(z):
    assert torch.allclose(world.draw(z, 32), world.draw(z * 3, 32), atol=1e-4)


def test_zero_is_the_centre_of_every_factor():
    assert torch.equal(uniform(torch.zeros(1, Z_DIM)), torch.full((1, len(NAMES)), 0.5))


def test_parts_cover_the_picture_once(z):
    total = sum(world.parts(z, 64).values())
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)


def test_every_part_is_seen(z):
    areas = {name: mask.mean().item() for name, mask in world.parts(z, 128).items()}
    assert min(areas.values()) > 2e-4, areas


def test_parts_and_picture_agree(z):
    """Where the masks say teeth, there is the white of teeth."""
    canvas = whole(z, 256)
    inside = canvas.visible()["teeth"] > 0.99
    assert inside.any()
    assert canvas.picture.permute(0, 2, 3, 1)[inside].min() > 0.9


def test_sizes_agree(z):
    big, small = world.draw(z, 256), world.draw(z, 128)
    assert (F.avg_pool2d(big, 2) - small).abs().mean() < 0.02
    fine, coarse = world.parts(z, 256), world.parts(z, 128)
    assert max((F.avg_pool2d(fine[n][:, None], 2)[:, 0] - coarse[n]).abs().mean().item() for n in fine) < 0.006


def test_a_window_is_a_crop(z):
    full = world.draw(z, 128)
    left, top = torch.tensor([0.0, 10, 64, 96]), torch.tensor([0.0, 33, 64, 96])
    seen = view(uniform(z), left / 64 - 1, top / 64 - 1, 2 / 128, 32, 32).picture * 2 - 1
    for i in range(4):
        x, y = int(left[i]), int(top[i])
        assert torch.allclose(seen[i], full[i, :, y:y + 32, x:x + 32], atol=2e-3)


def test_a_small_step_is_a_small_change(z):
    """No jump anywhere: a hundredth of the way to another z moves the picture by about a hundredth as much."""
    a, b = z[:1], z[1:2]
    t = torch.linspace(0, 1, 101)[:, None]
    frames = world.draw(torch.lerp(a, b, t), 64)
    steps = frames.diff(dim=0).abs().mean((1, 2, 3))
    assert steps.max() < 3 * steps.mean()


@pytest.mark.parametrize("name", NAMES)
def test_every_factor_shows(name):
    u = torch.full((2, len(NAMES)), 0.5)
    u[:, NAMES.index("paint_band")] = 0.6
    u[0, NAMES.index(name)], u[1, NAMES.index(name)] = 0.1, 0.9
    corner = torch.full((2,), -1.0)
    a, b = view(u, corner, corner, 2 / 96, 96, 96).picture
    assert (a - b).abs().mean() > 2e-4


def test_values_are_in_the_factors_own_units():
    low, high = (values(torch.full((1, len(NAMES)), end)) for end in (0.0, 1.0))
    for name, (a, b) in FACTORS.items():
        assert low[name].item() == pytest.approx(a, abs=1e-6) and high[name].item() == pytest.approx(b, abs=1e-6)
