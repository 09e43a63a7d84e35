"""Feature maps read between their pixels: as the cubic kernel reads them, and sharper where that magnifies."""
import pytest
import torch
from torch.nn import functional as F

from engine.resampling import magnification, make_grid, plan_reading, read_planned

SIZE = 24


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def read_crisp(x, right, down, border="border"):
    return read_planned(x, plan_reading([torch.stack([right, down])], border)[0])


def places(size=SIZE):
    at = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    return at.expand(1, size, size), at[:, None].expand(1, size, size)


def maps(channels=5, samples=2, seed=1):
    return torch.randn(samples, channels, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("border", ("border", "reflection"))
@pytest.mark.parametrize("layout", (torch.contiguous_format, torch.channels_last))
def test_what_is_not_magnified_is_read_by_the_cubic_kernel(border, layout):
    right, down = places()
    x = maps().contiguous(memory_format=layout)
    there = (1.3 * right + 0.4 * down - 3.3, 1.2 * down + 20.7)                  # smaller, aslant, beyond the edge
    grid = torch.stack([at * (2 / SIZE) for at in there], -1).expand(2, -1, -1, -1)
    wanted = F.grid_sample(x, grid, "bicubic", border, align_corners=False)
    before = x.clone()
    assert (read_crisp(x, *there, border) - wanted).abs().max() < 1e-4
    assert torch.equal(x, before)


def test_what_stays_is_itself_and_the_rest_is_read_as_if_all_were():
    right, down = places()
    x = maps().contiguous(memory_format=torch.channels_last)
    here = (right.abs() < 6) & (down.abs() < 6)
    moved = torch.where(here, right + 0.5 * down, right)
    part, whole = read_crisp(x, moved, down), read_crisp(x, right + 0.5 * down, down)
    assert torch.equal(part[:, :, ~here[0]], x[:, :, ~here[0]])
    inner = (right.abs() < 5) & (down.abs() < 5)
    assert torch.allclose(part[:, :, inner[0]], whole[:, :, inner[0]], atol=1e-5)


@pytest.mark.parametrize("factor", (1.0, 1.5, 1.9, 0.5, -2.0))
def test_magnification_is_how_much_larger_a_map_is_seen(factor):
    right, down = places()
    grid = make_grid(((SIZE, SIZE),), right.device)
    found = magnification(torch.stack([right, down]).flatten(1) / factor, grid.whole, grid.parts)
    assert torch.allclose(found, torch.full_like(found, max(1.0, abs(factor))), atol=1e-4)


def test_a_magnified_edge_is_steeper_than_the_cubic_kernel_leaves_it():
    right, down = places()
    x = (right > 0).float()[None]
    crisp = read_crisp(x, right / 2, down / 2)[0, 0]
    soft = F.grid_sample(x, torch.stack([right / SIZE, down / SIZE], -1), "bicubic", "border", align_corners=False)[0, 0]
    assert crisp.diff(dim=1).max() > 1.3 * soft.diff(dim=1).max()
    assert torch.allclose(crisp.mean(), soft.mean(), atol=1e-3)                  # as bright as before


def test_gradients_pass_through():
    right, down = places()
    x = maps(2, 1).requires_grad_()
    with torch.enable_grad():
        read_crisp(x, right / 1.5, down).square().sum().backward()
    assert x.grad.abs().sum() > 0
