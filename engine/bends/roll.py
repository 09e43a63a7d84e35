import torch

from engine.bends import transform
from engine.parameter import Parameter


@transform(steps=Parameter(1, -64, 64, step=1, about="channels further"), static=("steps",))
def roll(x, steps):
    """Every channel plays the part of another one: they move on, in order."""
    return torch.roll(x, round(steps), 1) if round(steps) % x.shape[1] else x
