"""The published transforms once more, pixel by pixel in float64 NumPy: what the engine's are compared with.

Shares no code with engine/. One map [H, W] at a time.
"""
import math

import numpy as np

# The structuring elements of radius 1 to 4, as the published tool's morphology uses them.
ELLIPSES = {
    1: ("010", "111", "010"),
    2: ("00100", "11111", "11111", "11111", "00100"),
    3: ("0001000", "0111110", "1111111", "1111111", "1111111", "0111110", "0001000"),
    4: ("000010000", "011111110", "011111110", "111111111", "111111111", "111111111", "011111110", "011111110", "000010000"),
}


def ellipse(radius):
    """{(down, right)} of the structuring element."""
    return {(i - radius, j - radius) for i, row in enumerate(ELLIPSES[radius]) for j, sign in enumerate(row) if sign == "1"}


def dilated(x, radius):
    height, width = x.shape
    y = np.empty_like(x)
    for i in range(height):
        for j in range(width):
            y[i, j] = max(x[i + a, j + b] for a, b in ellipse(radius) if 0 <= i + a < height and 0 <= j + b < width)
    return y


def eroded(x, radius):
    height, width = x.shape
    y = np.empty_like(x)
    for i in range(height):
        for j in range(width):
            y[i, j] = min(x[i + a, j + b] for a, b in ellipse(radius) if 0 <= i + a < height and 0 <= j + b < width)
    return y


def warped(x, forward, quantised=False):
    """x under the forward map [2, 3] (pixel right, down -> right, down): bilinear, zeros outside."""
    height, width = x.shape
    a, b, e, c, d, f = np.asarray(forward, dtype=float).ravel()
    determinant = a * d - b * c
    inverse = np.array([[d, -b], [-c, a]]) / determinant if determinant else np.zeros((2, 2))
    y = np.zeros_like(x)
    for i in range(height):
        for j in range(width):
            if quantised:                          # sums in 1/1024 px, then rounded to 1/32 px
                at = [_rounded(row[0] * j) + _rounded(row[1] * i - row @ (e, f)) for row in inverse]
                right, down = (math.floor((p + 16) / 32) / 32 for p in at)
            else:
                right, down = inverse @ (j - e, i - f)
            y[i, j] = bilinear(x, right, down)
    return y


def _rounded(value):
    return int(np.rint(value * 1024))


def bilinear(x, right, down):
    j, i = math.floor(right), math.floor(down)
    s, t = right - j, down - i
    total = 0.0
    for row, column, weight in ((i, j, (1 - s) * (1 - t)), (i, j + 1, s * (1 - t)), (i + 1, j, (1 - s) * t), (i + 1, j + 1, s * t)):
        if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
            total += x[row, column] * weight
    return total


def turned_and_zoomed(degrees, factor, centre):
    """The forward map of a turn, counter-clockwise as one looks at it, and a zoom about a centre (right, down)."""
    a, b = factor * math.cos(math.radians(degrees)), factor * math.sin(math.radians(degrees))
    right, down = centre
    return [[a, b, (1 - a) * right - b * down], [-b, a, b * right + (1 - a) * down]]
