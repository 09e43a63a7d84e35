"""Colours by hue, saturation and value on a smooth cosine wheel: no corner anywhere, since networks cannot learn one."""
import math

import torch

WHEEL = (0.0, 1 / 3, 2 / 3)


def colour(hue, saturation, value):
    """Return colours [N, 3, 1, 1] of hue in turns, saturation and value about 0..1, each [N, 1, 1] (or numbers)."""
    channels = [value * (1 - saturation * (0.5 - 0.5 * torch.cos(2 * math.pi * (hue - offset)))) for offset in WHEEL]
    return torch.stack(channels, 1)
