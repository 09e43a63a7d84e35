"""Grey-scale dilation and erosion over an ellipse. Knows tensors, no bends.

The ellipse of radius r is OpenCV's: row i of 2r + 1 reaches round(sqrt(r^2 - (i - r)^2)) to either side (SPEC.md B.2).
It is a union of rectangles, so that its maximum is the maximum of theirs, each taken along rows, then columns.
"""
from functools import lru_cache
from math import sqrt

import torch
from torch.nn import functional as F


@lru_cache(maxsize=64)
def rectangles(radius: int) -> tuple[tuple[int, int], ...]:
    """(half width, half height) of the rectangles the ellipse consists of, widest first."""
    reach = {}
    for height in range(radius + 1):
        reach[round(sqrt(radius * radius - height * height))] = height
    return tuple(sorted(reach.items(), reverse=True))


def dilated(x, radius: int):
    """x [N, K, H, W'] -> the maximum over the ellipse around each pixel; pixels outside the map do not count."""
    x = x.contiguous(memory_format=torch.channels_last)                         # ten times faster on a CPU
    best = None
    for width, height in rectangles(radius):
        width, height = min(width, x.shape[3] - 1), min(height, x.shape[2] - 1)
        y = F.max_pool2d(x, (1, 2 * width + 1), 1, (0, width)) if width else x
        y = F.max_pool2d(y, (2 * height + 1, 1), 1, (height, 0)) if height else y
        best = y if best is None else torch.maximum(best, y)
    return best


def eroded(x, radius: int):
    """The minimum over the ellipse."""
    return -dilated(-x, radius)
