"""Moving feature maps about: read them at other places than they were drawn. Knows tensors, no bends and no layers.

Positions are in pixels from the map's true centre, right and down positive; a pixel's middle is its place.
Numbers may be Python's or 0-d tensors on the map's device. Letters: N samples, K channels, H, W' size of a map.
Inside `act_at(region)` a move is kept to that place, and fades out round about it.
"""
import math
import threading
from contextlib import contextmanager

import torch
from torch.nn import functional as F

from engine.caching import make_once
from engine.device import widest_floats
from engine.resampling import read_planned

STEPS = 32                          # OpenCV 4 rounds sampling positions to 1/32 px,
FIXED = 1024                        # having added them up in units of 1/1024 px
KEPT = 12                           # grids of positions kept; 8 MB each at 1024 px
SMALLEST = 1e-6                     # a scale below it leaves nothing of the map

_acting = threading.local()


@contextmanager
def act_at(region, spare: bool = False):
    """Keep all moves in this thread to a place (engine.region.Region) meanwhile; None = they go everywhere. spare: what is moved may be written over."""
    before = getattr(_acting, "region", None), getattr(_acting, "spare", False)
    _acting.region, _acting.spare = region, spare
    try:
        yield
    finally:
        _acting.region, _acting.spare = before


def unless(untouched, x, make):
    """Return x itself where `untouched` (a bool, or a 0-d tensor of one), else make()."""
    if isinstance(untouched, torch.Tensor):
        return torch.where(untouched, x, make())
    return x if untouched else make()


def clamp(value, low=-math.inf, high=math.inf):
    """Return a number, or 0-d tensor of one, within bounds."""
    if isinstance(value, torch.Tensor):
        return value.clamp(low, high)
    return min(max(value, low), high)


def inverse(value):
    """Return 1 / value, finite at 0."""
    if isinstance(value, torch.Tensor):
        return 1 / torch.where(value.abs() < SMALLEST, SMALLEST, value)
    return 1 / (value if abs(value) >= SMALLEST else SMALLEST)


def turn(degrees):
    """Return (cosine, sine)."""
    if isinstance(degrees, torch.Tensor):
        return torch.cos(torch.deg2rad(degrees)), torch.sin(torch.deg2rad(degrees))
    return math.cos(math.radians(degrees % 360)), math.sin(math.radians(degrees % 360))


def places(height: int, width: int, device):
    """Return the places of a map's pixels: right [W'], down [H, 1], float32."""
    right = torch.arange(width, device=device, dtype=torch.float32) - (width - 1) / 2
    down = torch.arange(height, device=device, dtype=torch.float32) - (height - 1) / 2
    return right, down[:, None]


def warp(x, move, *numbers, border="zeros", mode="bilinear", scaled=True, carries=True):
    """Return x read at `move(right, down, *numbers)`, a function of its pixels' places -> positions, broadcast to [H, W'].

    border: what is beyond it, "zeros", "border" or "reflection". Where to read is kept for numbers that stay as they are.
    scaled: to a move that is kept to a place, the place is all of the map; else the numbers are px as ever. carries: as in Region.move().
    """
    if (region := getattr(_acting, "region", None)) is not None:
        border = "border" if border == "zeros" else border
        if mode == "bilinear":
            return read_planned(x, region.plan(*x.shape[2:], move, numbers, scaled, carries, border), _acting.spare)
        right, down = region.move(*x.shape[2:], move, numbers, scaled, carries)
        return read(x, right, down, border, mode)
    make = _grid if any(isinstance(n, torch.Tensor) for n in numbers) else _kept_grid
    grid = make(move, x.shape[2:], x.device, numbers).expand(x.shape[0], -1, -1, -1)
    return F.grid_sample(x.float(), grid, mode, border, align_corners=False).to(x.dtype)


def read(x, right, down, border="border", mode="bicubic"):
    """Return x [N, K, H, W'] read at px from the map's middle, [N or 1, H, W'] each."""
    height, width = x.shape[2:]
    grid = torch.stack([right * (2 / width), down * (2 / height)], -1).expand(x.shape[0], -1, -1, -1)
    return F.grid_sample(x.float(), grid, mode, border, align_corners=False).to(x.dtype)


def _grid(move, size, device, numbers):
    """Return [1, H, W', 2], -1..1 from edge to edge."""
    height, width = size
    right, down = move(*places(height, width, device), *numbers)
    return torch.stack(torch.broadcast_tensors(right * (2 / width), down * (2 / height)), -1)[None]


_kept_grid = make_once(KEPT)(_grid)


def affine(x, matrix, right=0.0, down=0.0, border="zeros"):
    """Return x read at matrix * place - (right, down) px; matrix = (a, b, c, d): right' = a right + b down, down' = c right + d down."""
    carries = any(isinstance(way, torch.Tensor) or way != 0 for way in (right, down))
    return warp(x, _turn, *matrix, right, down, border=border, scaled=False, carries=carries)


def flip(x, axis: int):
    """Return x turned over: axis -1 left and right, -2 top and bottom."""
    if getattr(_acting, "region", None) is None:
        return x.flip(axis)
    return warp(x, _turn, *((-1, 0, 0, 1) if axis == -1 else (1, 0, 0, -1)), 0.0, 0.0, border="border", scaled=False, carries=False)


def _turn(across, along, a, b, c, d, right, down):
    return _add(a * across, b, along, right), _add(d * along, c, across, down)


def _add(found, b, along, right):
    """Return found + b * along - right; terms that are known to be nothing cost nothing."""
    found = found if not isinstance(b, torch.Tensor) and b == 0 else found + b * along
    return found if not isinstance(right, torch.Tensor) and right == 0 else found - right


def opencv_affine(x, forward):
    """Return x warped as OpenCV 4's warpAffine does it: `forward` = the rows of [2, 3], from pixel (0, 0).

    The inverse is rounded to 1/1024 px a term and 1/32 px a position; a singular matrix reads pixel (0, 0) everywhere.
    """
    dtype = widest_floats(x.device)
    a, b, e, c, d, f = (torch.full((), 1.0, dtype=dtype, device=x.device) * v for v in forward)
    determinant = a * d - b * c
    inverse = torch.where(determinant == 0, 0.0, 1 / determinant)
    a, b, c, d = d * inverse, -b * inverse, -c * inverse, a * inverse
    return warp(x, _step, a, b, -a * e - b * f, c, d, -c * e - d * f, *x.shape[2:])


def _step(right, down, *numbers):
    a, b, e, c, d, f, height, width = numbers
    j, i = right.to(a.dtype) + (width - 1) / 2, down.to(a.dtype) + (height - 1) / 2
    at = [_round_fixed(row[0] * j) + _round_fixed(row[1] * i + row[2]) + FIXED // STEPS // 2 for row in ((a, b, e), (c, d, f))]   # [H, W'] in 1/1024 px
    at = [torch.div(p, FIXED // STEPS, rounding_mode="floor") / STEPS for p in at]
    return (at[0] - (width - 1) / 2).float(), (at[1] - (height - 1) / 2).float()


def _round_fixed(values):
    return torch.round(values.clamp(-1e6, 1e6) * FIXED)


def scroll_maps(x, right, down):
    """Return x shifted by px, round and round."""
    height, width = x.shape[2:]
    if getattr(_acting, "region", None) is not None:
        return warp(x, _round, right, down, height, width, border="border")
    across, along = places(height, width, x.device)
    return read_wrapped(x, across - right, along - down)


def _round(across, along, right, down, height, width):
    return torch.remainder(across - right + width / 2, width) - width / 2, torch.remainder(along - down + height / 2, height) - height / 2


def read_wrapped(x, right, down):
    """Return x read at positions that go round: past the right edge comes the left one."""
    height, width = x.shape[2:]
    around = F.pad(x.float(), (0, 1, 0, 1), mode="circular")                    # one more column and row to blend into
    right = torch.remainder(right + (width - 1) / 2, width) - width / 2         # from the padded map's centre
    down = torch.remainder(down + (height - 1) / 2, height) - height / 2
    right, down = torch.broadcast_tensors(right * (2 / (width + 1)), down * (2 / (height + 1)))
    grid = torch.stack([right, down], -1).expand(x.shape[0], -1, -1, -1)
    return F.grid_sample(around, grid, "bilinear", "border", align_corners=False).to(x.dtype)


def own_size(x, own=None):
    """Return (height, width) of the network's own picture in a map x [N, K, H, W']: all of it, or what a transform was told."""
    return own or x.shape[2:]


def blur_maps(x, radius, own=None):
    """Return x under a Gaussian of standard deviation `radius` * the longer side; what would lie beyond the border is left out."""
    sigma = clamp(radius * max(own_size(x, own)), low=1e-3)
    rows, columns = (_gaussian(n, sigma, x.device) for n in x.shape[2:])
    if x.element_size() > 2:
        return (rows @ (x.float() @ columns.T)).to(x.dtype)
    rows, columns = rows.to(x.dtype), columns.to(x.dtype)                       # which GPUs multiply many times faster; as they lie, nothing is copied
    pixels = x.permute(0, 2, 3, 1)
    across = columns @ pixels
    return (rows @ across.flatten(2)).view(pixels.shape).permute(0, 3, 1, 2)


def _gaussian(size, sigma, device):
    """Return [size, size]: each row the weights of one pixel; they add up to 1."""
    at = torch.arange(size, device=device, dtype=torch.float32)
    return torch.softmax(-(at[:, None] - at).square() / (2 * sigma * sigma), 1)
