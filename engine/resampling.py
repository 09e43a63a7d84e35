"""Feature maps read between their pixels, crisply: a cubic kernel, sharpened where it magnifies. Knows tensors, no bends.

What is magnified m times has edges m times as wide. There the kernel is the cubic one with a blur taken off it, the more the
larger m is, which costs nothing: both read the same 4 x 4 pixels. On a processor the 16 products of each pixel are one pass over
the maps as they lie, channels last. Letters: N samples, C channels, H, W' size of a map, P pixels read of each sample.
"""
import torch
from torch.nn import functional as F

from engine.caching import make_once

ROUND = -0.75                       # of the cubic kernel, as F.grid_sample has it
CRISP = 2.8                         # for each time more that is magnified: chosen so that edges are as a lens would show them
LARGEST = 2.0                       # magnification beyond it is sharpened no further
STILL = 1e-3                        # px: what is read from so near is where it was


def read_crisp(x, right, down, border="border"):
    """Return x [N, C, H, W'] read at px from the map's middle, [N or 1, H, W'] each, sharpened where it is enlarged.

    border: "border" or "reflection": what lies beyond the map.
    """
    samples, channels, height, width = x.shape
    right, down, gain = (at.expand(samples, -1, -1).flatten(1) for at in (right, down, (magnification(right, down) - 1) * CRISP))     # [N, P]
    maps = x.float().permute(0, 2, 3, 1).reshape(samples, height * width, channels)
    if x.device.type != "cpu":
        found = torch.stack([_read(*sample, (height, width), border) for sample in zip(maps, right, down, gain)])
    else:                                                                       # what stays where it is need not be read
        found = maps.clone() if maps.data_ptr() == x.data_ptr() or torch.is_grad_enabled() else maps
        away = (right - _places(height, width)[0]).abs() + (down - _places(height, width)[1]).abs() > STILL
        for n in range(samples):
            rows = away[n].nonzero()[:, 0]
            if len(rows):
                found[n].index_copy_(0, rows, _read(maps[n], right[n, rows], down[n, rows], gain[n, rows], (height, width), border))
    return found.view(samples, height, width, channels).permute(0, 3, 1, 2).to(x.dtype)


def _read(maps, right, down, gain, size, border):
    """Return maps [H * W', C] read at P places, [P, C]."""
    height, width = size
    right, down = right + (width - 1) / 2, down + (height - 1) / 2
    across, blurred_across = _kernels(right)                                    # [4, P]
    along, blurred_along = _kernels(down)
    shares = along[:, None] * (across * (1 + gain)) - blurred_along[:, None] * (blurred_across * gain)              # [4, 4, P]
    places = _pixels(down, height, border)[:, None] * width + _pixels(right, width, border)
    return _sum(maps, places.flatten(0, 1).T.contiguous(), shares.flatten(0, 1).T.contiguous())


def magnification(right, down):
    """Return how many times larger a map is seen where it is read at these places [n, h, w'], 1 to LARGEST."""
    (right_along, right_across), (down_along, down_across) = (torch.gradient(at, dim=(1, 2)) for at in (right, down))
    area = (right_across * down_along - right_along * down_across).abs()
    return torch.rsqrt(area.clamp(min=LARGEST ** -2)).clamp(min=1.0)


def _kernels(at):
    """Return the shares [4, P] of the pixels about each place [P]: of the cubic kernel, and of a B-spline, which is a blur."""
    t = at - at.floor()
    near = torch.stack([1 + t, t, 1 - t, 2 - t])                                # how far they are
    cubic = torch.empty_like(near)
    cubic[1:3] = ((ROUND + 2) * near[1:3] - (ROUND + 3)) * near[1:3].square() + 1
    cubic[::3] = ((ROUND * near[::3] - 5 * ROUND) * near[::3] + 8 * ROUND) * near[::3] - 4 * ROUND
    spline = torch.empty_like(near)
    spline[1:3] = 2 / 3 - near[1:3].square() * (1 - near[1:3] / 2)
    spline[::3] = (2 - near[::3]) ** 3 / 6
    return cubic, spline


def _pixels(at, size: int, border: str):
    """Return the pixels [4, P] about each place [P], by number."""
    first = at.clamp(-4 * size, 5 * size).nan_to_num(0.0).floor().long()
    around = torch.stack([first - 1, first, first + 1, first + 2])
    if border == "reflection":
        around = around.remainder(2 * size)
        around = torch.minimum(around, 2 * size - 1 - around)
    return around.clamp(0, size - 1)


@make_once(64)
def _places(height: int, width: int):
    """Return where the pixels of a map on the CPU are, px from its middle, row by row: right [P], down [P]."""
    down, right = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    return right.flatten(), down.flatten()


def _sum(maps, places, shares):
    """Return the sums [P, C] of pixels of maps [H * W', C], shares [P, 16] of those at places [P, 16]."""
    if maps.device.type == "cpu":
        return F.embedding_bag(places, maps, mode="sum", per_sample_weights=shares)
    return torch.einsum("ptc,pt->pc", maps[places], shares)
