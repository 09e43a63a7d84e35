import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import own_size, warp


@transform(blocks=Parameter(8.0, 1.0, 64.0, curve="log", about="from edge to edge"),
           moves=True, shown={"blocks": 6.0})
def pixelate(x, blocks, *, own=None):
    """Coarse blocks, each with the value at its centre."""
    height, width = own_size(x, own)
    return warp(x, _coarse, width / blocks, height / blocks, border="border", mode="nearest")


def _coarse(right, down, wide, tall):
    return _middle(right, wide), _middle(down, tall)


def _middle(at, size):
    return (torch.floor(at / size) + 0.5) * size
