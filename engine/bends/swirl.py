import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import own_size, unless, warp


@transform(angle=Parameter(90.0, -720.0, 720.0, unit="degrees", about="how far the middle is turned, counter-clockwise"),
           radius=Parameter(0.5, 0.05, 1.0, unit="map widths", about="beyond it nothing turns"),
           moves=True, once=True, neutral={"angle": 0.0})
def swirl(x, angle, radius, *, own=None):
    """Stir the maps about the centre."""
    return unless(angle == 0, x, lambda: warp(x, _stir, angle, radius * max(own_size(x, own))))


def _stir(right, down, angle, radius):
    distance = torch.hypot(right, down) / radius                                # [H, W']
    turned = (1 - distance).clamp(min=0).square() * (angle * (torch.pi / 180))
    c, s = torch.cos(turned), torch.sin(turned)
    return c * right - s * down, s * right + c * down
