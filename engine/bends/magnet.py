import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import unless, warp


@transform(amount=Parameter(0.0, -1.5, 0.9, about="above 0 draws what is around into the middle, below 0 bulges it out"),
           moves=True, once=True, neutral={"amount": 0.0}, shown={"amount": 0.6})
def magnet(x, amount):
    """Draw the maps into the middle, or bulge them out of it."""
    return unless(amount == 0, x, lambda: warp(x, _draw_in, amount, max(x.shape[2:]) / 2, border="border"))


def _draw_in(right, down, amount, half):
    factor = (torch.hypot(right, down) / half).clamp(0.02, 1.0) ** -amount      # [H, W']
    return right * factor, down * factor
