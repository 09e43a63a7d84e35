import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import own_size, unless, warp


@transform(across=Parameter(2.0, 1.0, 8.0, about="copies side by side"), down=Parameter(2.0, 1.0, 8.0, about="copies on top of each other"),
           moves=True, once=True, neutral={"across": 1.0, "down": 1.0})
def tile(x, across, down, *, own=None):
    """Many small copies, each the mirror image of its neighbours."""
    return unless((across == 1) & (down == 1), x, lambda: warp(x, _tile, across, down, *own_size(x, own)))


def _tile(right, below, across, down, height, width):
    return _fold(right * across, width), _fold(below * down, height)


def _fold(at, size):
    """Return positions with those beyond the map's edges mirrored back into it, as often as needed."""
    there = torch.remainder(at + size / 2, 2 * size)
    return torch.where(there > size, 2 * size - there, there).clamp(0.5, size - 0.5) - size / 2
