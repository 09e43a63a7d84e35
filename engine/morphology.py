"""Grey-scale dilation and erosion over an ellipse. Knows tensors, no bends.

The ellipse of radius r is OpenCV's: the rows i = -r .. r of it reach round(sqrt(r^2 - i^2)) to either side (SPEC.md B.2).
Maxima along rows grow from one reach to the next, so that a row of the ellipse costs one comparison a pixel, or two.
"""
from functools import lru_cache
from math import inf, sqrt

import torch
from torch.nn import functional as F


@lru_cache(maxsize=64)
def rows(radius: int, height: int, width: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return ((reach, the rows' offsets), ...), shortest reach first; no more of it than fits a map of that size."""
    found: dict[int, list[int]] = {}
    for row in range(min(radius, height - 1) + 1):
        reach = min(round(sqrt(radius * radius - row * row)), width - 1)
        found.setdefault(reach, []).extend({row, -row})
    return tuple((reach, tuple(offsets)) for reach, offsets in sorted(found.items()))


def dilate_maps(x, radius: int):
    """Return, for maps x [N, K, H, W'], the maximum over the ellipse around each pixel; pixels outside the map do not count."""
    height, width = x.shape[2:]
    reaches = rows(radius, height, width)
    tall, wide = min(radius, height - 1), reaches[-1][0]
    longest = F.pad(x, (wide, wide, tall, tall), value=-inf)                    # maxima of `length` pixels from each on
    length, best = 1, None
    for reach, offsets in reaches:
        longest, length = _grown(longest, length, 2 * reach + 1), 2 * reach + 1
        for offset in offsets:
            y = longest[:, :, tall + offset:tall + offset + height, wide - reach:wide - reach + width]
            best = y if best is None else torch.maximum(best, y)
    return best


def _grown(maxima, length, wanted):
    while length < wanted:
        step = min(length, wanted - length)
        maxima = torch.maximum(maxima[..., :-step], maxima[..., step:])
        length += step
    return maxima


def erode_maps(x, radius: int):
    """Return the minimum over the ellipse."""
    return -dilate_maps(-x, radius)
