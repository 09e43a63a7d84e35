"""How fast w moves, and how much it is shaken, step by step: the published schedule. Source: SPEC2.md P.1."""
import math

import torch
from torch.nn import functional as F

RATE = 0.1                           # at its height
UP, DOWN = 0.05, 0.25                # of the steps: rising, falling
SHAKEN, UNTIL = 0.05, 0.75           # of the length that w strays by; until this share of the steps


def find_rate(step: int, steps: int, rate: float = RATE) -> float:
    """Return the learning rate of a step."""
    t = step / steps
    falling = min(1.0, (1.0 - t) / DOWN)
    return rate * (0.5 - 0.5 * math.cos(math.pi * falling)) * min(1.0, t / UP)


def find_noise(step: int, steps: int, amount: float = SHAKEN) -> float:
    """Return how much w is shaken in a step, in shares of the length that w strays by: that is sqrt(W) standard deviations of a number."""
    return amount * max(0.0, 1.0 - step / steps / UNTIL) ** 2


def find_noise_correlation(noise) -> torch.Tensor:
    """Return how much neighbouring numbers of noise maps [..., H, W'] agree, at their own and every halved size down to 8: sums [...], 0 for white noise."""
    x = noise.reshape(-1, 1, *noise.shape[-2:])
    total = torch.zeros(len(x), device=x.device)
    while True:
        for axis in (2, 3):
            total = total + (x * x.roll(1, axis)).mean((1, 2, 3)).square()
        if min(x.shape[2:]) <= 8:
            return total.view(noise.shape[:-2])
        x = F.avg_pool2d(x, 2)


@torch.no_grad()
def renormalise(noise):
    """Give each of noise maps [..., H, W'] a mean of 0 and a mean square of 1, in place, as they were drawn."""
    noise.sub_(noise.mean((-2, -1), keepdim=True))
    noise.mul_(noise.square().mean((-2, -1), keepdim=True).clamp(min=1e-12).rsqrt())
