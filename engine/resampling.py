"""Feature maps read between their pixels, crisply: a cubic kernel, sharpened where it magnifies. Knows tensors, no bends.

What is magnified m times has edges m times as wide. There the kernel is the cubic one with a blur taken off it, the more the
larger m is, which costs nothing: both read the same 4 x 4 pixels. On a processor the 16 products of each pixel are one pass over
the maps as they lie, channels last; all before that is so little work that the number of steps is what it costs: so maps of several sizes
are planned together. Letters: N samples, C channels, H, W' size of a map, P pixels read of each sample.
"""
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from engine.caching import make_once

ROUND = -0.75                       # of the cubic kernel, as F.grid_sample has it
CRISP = 2.8                         # for each time more that is magnified: chosen so that edges are as a lens would show them
LARGEST = 2.0                       # magnification beyond it is sharpened no further
STILL = 1e-3                        # px: what is read from so near is where it was


@dataclass(frozen=True)
class Reading:
    """What a sample is read from: rows [P] of its pixels, None = all of them; for each the 16 pixels [P, 16] and their shares [P, 16]."""
    rows: torch.Tensor | None
    places: torch.Tensor
    shares: torch.Tensor


@dataclass(frozen=True)
class Grid:
    """Of the pixels of maps, row by row, one map after the other. own [2, P]: where they are, px right and down of their map's middle.
    whole [6, P]: those beside, above and below them, left, right, above, below, by number; their map's width and height.
    parts [4, P]: where their map's middle is, px from its first pixel, twice; 1 over how far apart those beside, and those above and below are.
    """
    own: torch.Tensor
    whole: torch.Tensor
    parts: torch.Tensor


def read_planned(x, plan, spare: bool = False):
    """Return x [N, C, H, W'] read as planned: one Reading for each sample, or one for all of them. spare: x may be written over, so nothing is copied."""
    samples, channels, height, width = x.shape
    maps = x.float().permute(0, 2, 3, 1).reshape(samples, height * width, channels)
    plan = plan * samples if len(plan) == 1 else plan
    if plan[0].rows is None:
        found = torch.stack([_sum(one, reading) for one, reading in zip(maps, plan)])
    else:
        found = maps.clone() if maps.data_ptr() == x.data_ptr() and not spare or torch.is_grad_enabled() else maps
        for n, reading in enumerate(plan):
            if len(reading.rows):
                found[n].index_copy_(0, reading.rows, _sum(maps[n], reading))
    return found.view(samples, height, width, channels).permute(0, 3, 1, 2).to(x.dtype)


def plan_reading(positions, border="border") -> list[list[Reading]]:
    """Return how to read maps of some sizes, sharpened where that enlarges: for each of them a Reading for each sample.

    positions: [2, N, H, W'] of each of them, px right and down of its middle. border: "border" or "reflection": what lies beyond the map.
    """
    sizes = tuple(tuple(at.shape[2:]) for at in positions)
    grid, starts = make_grid(sizes, positions[0].device), [0]
    for height, width in sizes:
        starts.append(starts[-1] + height * width)
    to = torch.cat([at.flatten(2) for at in positions], 2) if len(positions) > 1 else positions[0].flatten(2)                  # [2, N, P]
    planned = [_plan(sample, grid, starts, border) for sample in to.unbind(1)]
    return [list(of_size) for of_size in zip(*planned)]


def _plan(to, grid, starts, border):
    """Return the Reading of each of the maps of a grid for positions to [2, P]."""
    whole, parts, bounds = grid.whole, grid.parts, starts
    rows, here = None, to
    if to.device.type == "cpu":                                                 # what stays where it is need not be read
        rows = ((to - grid.own).abs_().sum(0) > STILL).nonzero()[:, 0]
        whole, parts, here = (table.index_select(1, rows) for table in (whole, parts, to))
        bounds = [0, *torch.searchsorted(rows, torch.tensor(starts[1:])).tolist()] if len(starts) > 2 else [0, len(rows)]
    gain = (magnification(to, whole, parts) - 1) * CRISP
    places, shares = (at.flatten(0, 1).T.contiguous() for at in _weigh(here + parts[:2], gain, whole[4:], border))
    return [Reading(None if rows is None else rows[begin:end] - start, places[begin:end], shares[begin:end])
            for begin, end, start in zip(bounds, bounds[1:], starts)]


def magnification(to, whole, parts):
    """Return how many times larger maps are seen at pixels of a grid (its `whole` and `parts` [., P]) where they are read at `to` [2, all], 1 to LARGEST."""
    around = to.index_select(1, whole[:4].flatten()).view(2, 2, 2, -1)           # [axis, across or along, before or after, P]
    before, after = around.unbind(2)
    (right_across, right_along), (down_across, down_along) = (after - before).mul_(parts[2:])
    area = (right_across * down_along - right_along * down_across).abs()
    return torch.rsqrt(area.clamp(min=LARGEST ** -2)).clamp(min=1.0)


def _weigh(at, gain, sides, border):
    """Return the pixels about places at [2, P], px from a map's first pixel, by number, and their shares: [4, 4, P] each, row by row."""
    first = at.floor()
    constant, factors = _kernels(at.device)
    kernels = torch.addmm(constant, factors, _powers(at - first)).view(2, 4, 2, -1)                                     # [which, 4, axis, P]
    (across, along), (blurred_across, blurred_along) = (which.unbind(1) for which in kernels)
    shares = (along[:, None] * (across * (1 + gain))).addcmul_(blurred_along[:, None], blurred_across * gain, value=-1)
    around = first.long() + _steps(at.device)                                   # [4, 2, P]; however far that is, it is brought back into the map
    if border == "reflection":
        around = around.remainder(2 * sides)
        around = torch.minimum(around, 2 * sides - 1 - around)
    around = torch.minimum(around.clamp_(min=0), sides - 1)
    return around[None, :, 0] + around[:, 1, None] * sides[0], shares


def _powers(t):
    """Return t [2, P], squared and cubed: [3, 2 * P]."""
    squared = t * t
    return torch.stack([t, squared, squared * t]).view(3, -1)


@make_once(8)
def _kernels(device):
    """Return what the shares of the four pixels about a place come to by the powers of how far it is past the second: a constant [8, 1] and
    factors [8, 3]. The first four are of the cubic kernel, the others of a B-spline, which is a blur.
    """
    a = ROUND
    cubic = [[0, a, -2 * a, a], [1, 0, -a - 3, a + 2], [0, -a, 2 * a + 3, -a - 2], [0, 0, a, -a]]
    spline = [[1 / 6, -1 / 2, 1 / 2, -1 / 6], [2 / 3, 0, -1, 1 / 2], [1 / 6, 1 / 2, 1 / 2, -1 / 2], [0, 0, 0, 1 / 6]]
    shares = torch.tensor(cubic + spline, dtype=torch.float32).to(device)
    return shares[:, :1], shares[:, 1:].contiguous()


@make_once(8)
def _steps(device):
    """Return the steps to the four pixels about a place, [4, 1, 1]."""
    return torch.arange(-1, 3).view(4, 1, 1).to(device)


@make_once(64)
def make_grid(sizes, device) -> Grid:
    """Return the pixels of maps of these sizes, ((H, W'), ...)."""
    own, whole, parts, start = [], [], [], 0
    for height, width in sizes:
        down, right = (at.flatten() for at in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
        sides = torch.tensor([[width], [height]]).expand(2, height * width)
        at, ends = torch.stack([right, down]), sides - 1
        (left, above), (beyond, below) = (at - 1).clamp(min=0), torch.minimum(at + 1, ends)
        near = torch.stack([down * width + left, down * width + beyond, above * width + right, below * width + right]) + start
        apart = torch.stack([beyond - left, below - above]).clamp(min=1)
        own.append(at - ends / 2)
        whole.append(torch.cat([near, sides]))
        parts.append(torch.cat([ends / 2, 1 / apart]))
        start += height * width
    return Grid(*(torch.cat(tables, 1).to(device) for tables in (own, whole, parts)))


def _sum(maps, reading):
    """Return the sums [P, C] of pixels of maps [H * W', C]."""
    if maps.device.type == "cpu":
        return F.embedding_bag(reading.places, maps, mode="sum", per_sample_weights=reading.shares)
    return torch.einsum("ptc,pt->pc", maps[reading.places], reading.shares)
