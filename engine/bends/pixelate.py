import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import places, sample


@transform(blocks=Parameter(8.0, 1.0, 64.0, curve="log", about="from edge to edge"))
def pixelate(x, blocks):
    """Coarse blocks, each with the value at its centre."""
    right, down = places(x)
    height, width = x.shape[2:]
    return sample(x, _middle(right, width / blocks), _middle(down, height / blocks), "border", "nearest")


def _middle(at, size):
    return (torch.floor(at / size) + 0.5) * size
