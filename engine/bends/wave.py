import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import own_size, unless, warp


@transform(amount=Parameter(0.05, 0.0, 0.5, unit="map widths", about="how far rows and columns sway"),
           count=Parameter(3.0, 0.5, 32.0, curve="log", about="waves from edge to edge"),
           phase=Parameter(0.0, 0.0, 360.0, curve="circular", unit="degrees", about="where in the wave; turn it and they run"),
           moves=True, once=True, neutral={"amount": 0.0})
def wave(x, amount, count, phase, *, own=None):
    """Let rows and columns sway like a flag."""
    return unless(amount == 0, x, lambda: warp(x, _sway, amount, count, phase, *own_size(x, own), border="reflection"))


def _sway(right, down, amount, count, phase, height, width):
    begin = phase * (torch.pi / 180)
    sway = amount * width * torch.sin(down * (2 * torch.pi * count / height) + begin)           # [H, 1]
    heave = amount * height * torch.sin(right * (2 * torch.pi * count / width) + begin)         # [W']
    return right + sway, down + heave
