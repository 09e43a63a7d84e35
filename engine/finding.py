"""Where a part is in a layer's feature maps, by its heat: the middle, shape and size of each of its places. Tensors only.

So little is computed here that the number of steps is what it costs on a processor, each frame: what is the same for all frames is made once,
and what is known of a place is Python's numbers there (tensors elsewhere), as in engine.sampling.
Coordinates and letters as in engine.region.
"""
import torch

from engine.caching import make_once
from engine.region import Region, pixels
from engine.sampling import clamp

SHARE, SLOPE = 0.45, 0.3            # shares of the greatest heat: what is below the first is not part of the place, from so much above it all is
ROUNDS = 4                          # rounds of separating two places of one part
BLUR = 0.022                        # half widths of the heat's blur, standard deviation
LEAST = 1e-4                        # half widths, squared: no place is smaller
TINY = 1e-12                        # share of a pixel that is not worth looking at
ROUND = 0.14                        # of both half axes, squared: no place is a line


def find(heat, starts, apart: float, together: bool, share: float = 1.0, times: int = 1, **how) -> Region:
    """Return the places of a part by its heat [N, 1, H, W'], about 1 on it and 0 off it.

    starts: ((right, down), ...) where its places are on average, one for each; apart: how far they stray from there.
    together: all of them are one place. share: as in Region. times: look for them in a map so many times smaller.
    """
    height, width = (side // times for side in heat.shape[2:])
    heat = _blur(heat, share, times).flatten(2)                                 # [N, 1, H * W']
    steep = heat.amax(2, keepdim=True).clamp_(min=1e-3).mul_(SLOPE)
    here = torch.div(heat, steep).sub_(SHARE / SLOPE).clamp_(0, 1)              # how surely it is the part
    looked = (starts, height, width, heat.device, share)
    powers, first = _powers(*looked[1:]), _starts(starts, heat.device)          # [H * W', 6], [1, K, 2]
    near = here * _nearby(apart, *looked)                                       # [N, K, H * W']
    sums = (near * _nearest_start(*looked)) @ powers                            # [N, K, 6]
    begun = _list_rows(first.expand(len(heat), -1, -1))
    centres = _means(sums, begun)
    for _ in range(ROUNDS - 1 if len(starts) > 1 else 0):
        sums = (near * _nearest(centres, sums, *looked)) @ powers
        centres = _means(sums, centres)
    if together and len(starts) > 1:
        middle = _make_tensor(centres, sums).mean(1, keepdim=True)
        sums, first = sums.sum(1, keepdim=True), first.mean(1, keepdim=True)
        centres = _means(sums, _list_rows(middle))
    found = _make_tensor([(*centre, *_fit(row, centre)) for row, centre in zip(_list_rows(sums), centres)], sums)
    return Region(found[..., :2], found[..., 2:5], found[..., 5], home=first, share=share, **how)


@make_once(64)
def _powers(height: int, width: int, device, share: float):
    """Return 1, x, y, x^2, xy, y^2 of each pixel, [H * W', 6]: a place's sums over them say where it is and how large."""
    right, down = (at.expand(height, width).flatten() for at in pixels(height, width, device, share))
    return torch.stack([torch.ones_like(right), right, down, right * right, right * down, down * down], 1)


@make_once(256)
def _nearby(apart, starts, height: int, width: int, device, share: float):
    """Return how much of each pixel may belong to each place, [1, K, H * W']: none far from where it is on average."""
    right, down = pixels(height, width, device, share)
    first = _starts(starts, device)
    away = (right - first[..., 0, None, None]).square() + (down - first[..., 1, None, None]).square()
    return torch.exp(-away / (2 * (3 * apart) ** 2)).flatten(2)


def _nearest(centres, like, starts, height: int, width: int, device, share: float):
    """Return whose each pixel is, [N, K, H * W']: that place's whose centre, of rows, is the nearest, softly."""
    each = 1 / _blend(starts)                                                   # what is the same for all of them is left out
    rows = [((right * right + down * down) * -each, right * (2 * each), down * (2 * each)) for right, down in centres]
    return torch.softmax(_make_tensor(rows, like) @ _turn_powers(height, width, device, share), 1)


@make_once(256)
def _nearest_start(starts, height: int, width: int, device, share: float):
    """Return whose each pixel is as long as no place has been found yet, [1, K, H * W']."""
    first = _starts(starts, device)
    return _nearest(_list_rows(first), first, starts, height, width, device, share) if len(starts) > 1 else torch.ones(1, 1, 1, device=device)


@make_once(64)
def _turn_powers(height: int, width: int, device, share: float):
    """Return 1, x, y of each pixel, [3, H * W']."""
    return _powers(height, width, device, share)[:, :3].T.contiguous()


def _blend(starts) -> float:
    """Return over how large a square the pixels between two places are both theirs."""
    return ((starts[0][0] - starts[1][0]) ** 2 + (starts[0][1] - starts[1][1]) ** 2) / 8


def _list_rows(places) -> list:
    """Return what is known of each place, of a tensor [N, K, .]: rows of Python's numbers, which a processor is fast at;
    where that would wait for a GPU or lose a gradient, one row of tensors [N, K].
    """
    return [places.unbind(2)] if places.device.type != "cpu" or places.requires_grad else places.flatten(0, 1).tolist()


def _make_tensor(rows, like):
    """Return rows as _list_rows() gives them as a tensor [N, K, .]; like: [N, K, .], what they came from."""
    return torch.stack(rows[0], 2) if isinstance(rows[0][0], torch.Tensor) else torch.tensor(rows).view(*like.shape[:2], -1)


def _means(sums, otherwise):
    """Return the middle of each place by its sums [N, K, 6]; where there is nothing, `otherwise`: rows."""
    return [_find_middle(row, start) for row, start in zip(_list_rows(sums), otherwise)]


def _find_middle(sums, start):
    """Return the middle of a place by its sums; where there is nothing, its start."""
    surely = clamp(sums[0] * 2, 0.0, 1.0)
    each = surely / clamp(sums[0], 1e-3)
    return tuple(at * each + begun * (1 - surely) for at, begun in zip(sums[1:3], start))


def _fit(sums, centre):
    """Return a, b, c of Region's distance and the radius, of the ellipse about a centre that has these sums, a little rounder and larger."""
    (total, x, y, xx, xy, yy), (right, down) = sums, centre
    each = 4 / clamp(total, 1e-3)                                               # of a filled ellipse: its half axes, squared
    xx, xy, yy = ((xx - right * (2 * x - right * total)) * each, (xy - right * y - down * x + right * down * total) * each,
                  (yy - down * (2 * y - down * total)) * each)
    thicker = ROUND * (xx + yy) + LEAST
    xx, yy = xx + thicker, yy + thicker
    det = clamp(xx * yy - xy * xy, LEAST * LEAST)
    return yy / det, -xy / det, xx / det, det ** 0.25


def _blur(heat, share, times):
    """Return heat [N, 1, H, W'] times smaller, blurred: [N, 1, h, w']."""
    down, right = (_kernel(side, times, width, heat.device) for side, width in zip(heat.shape[2:], (heat.shape[3] // times * share,) * 2))
    return down @ (heat.float() @ right.T)


@make_once(64)
def _kernel(side: int, times: int, width: float, device):
    at = torch.arange(side // times, dtype=torch.float32) * (2 / width)
    blur = torch.softmax(-(at[:, None] - at).square() / (2 * BLUR * BLUR), 1)
    blur = torch.where(blur < TINY, 0.0, blur)                                  # a processor takes its time over numbers next to nothing
    return (blur.repeat_interleave(times, 1) / times).to(device)


@make_once(256)
def _starts(starts, device):
    return torch.tensor(starts, dtype=torch.float32).view(1, -1, 2).to(device)
