"""The world's factors on faders: smile, gaze, hues, each relative to whatever walk plays. For networks the world was taught to.

A factor is one coordinate of z (engine/world/latent.py), so it is moved there: every point a walk is made of is changed
before the mapping network, and a blend of points that have a factor in common has it, too. Knows numbers, no tensors of pictures.
"""
import math
from typing import NamedTuple

import torch

from engine.parameter import Parameter

ENDS = 0.01                         # u stays so far within 0..1: beyond it no seed is
FREE = 0.01                         # mean square that the coordinates without a meaning keep at least
ABOUT = "0 = as the walk says, 1 = all the way up, -1 = all the way down"


class Asked(NamedTuple):
    """What becomes of the factors: pushes -1..1, one each; hold 0..1; led: u that a source leads to, and how much, or ()."""
    pushes: tuple[float, ...]
    hold: float = 0.0
    led: tuple[float, ...] = ()
    share: tuple[float, ...] = ()


class Factors:
    """The faders of one world's factors. names: of the factors, in the order of z. parameters: {address: Parameter}."""

    def __init__(self, names):
        self.names = tuple(names)
        self.addresses = tuple(f"/factors/{name.replace('_', '-')}" for name in self.names)
        self.parameters = {
            **{address: Parameter(0.0, -1.0, 1.0, about=f"{name.replace('_', ' ')}: {ABOUT}") for name, address in zip(self.names, self.addresses)},
            "/factors/hold": Parameter(0.0, about="how far the walk's own values are let go of: at 1 the faders say all, 0 being the middle"),
            "/factors/amount": Parameter(1.0, about="times all faders of factors"),
        }

    def read_factors(self, scene, led=((), ())) -> Asked | None:
        """Return the factors that a scene asks for; None where they stay as the walk has them. led: (u, share) of each factor from a source."""
        if "/factors/hold" not in scene.parameters:
            return None
        amount, hold = scene["/factors/amount"], scene["/factors/hold"]
        pushes = tuple(scene[address] * amount for address in self.addresses)
        u, share = led if any(led[1]) else ((), ())
        return Asked(pushes, hold, u, share) if hold or share or any(pushes) else None


def move_factors(z, asked: Asked):
    """Return z (a float64 array [64]) with its factors moved; all other coordinates keep their values as the mapping network sees them."""
    z = torch.from_numpy(z)
    z = z * torch.rsqrt(z.square().mean() + 1e-8)
    count = len(asked.pushes)
    u = 0.5 + 0.5 * torch.erf(z[:count] * math.sqrt(0.5))
    moved = torch.lerp(u, torch.full_like(u, 0.5), asked.hold)
    if asked.share:
        moved = torch.lerp(moved, torch.tensor(asked.led, dtype=u.dtype), torch.tensor(asked.share, dtype=u.dtype))
    push = torch.tensor(asked.pushes, dtype=u.dtype)
    moved = torch.where(push > 0, moved + push * (1 - moved), moved * (1 + push))
    turned = torch.erfinv(2 * moved.clamp(ENDS, 1 - ENDS) - 1) * math.sqrt(2)
    factors = torch.where(moved == u, z[:count], turned)
    rest = z[count:]
    left = (len(z) - factors.square().sum()).clamp(min=FREE * len(rest))         # so that the length stays what it was
    return torch.cat([factors, rest * torch.sqrt(left / rest.square().sum().clamp(min=1e-12))]).numpy()
