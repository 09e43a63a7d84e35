"""Where a part is in a layer's feature maps, by its heat: the middle, shape and size of each of its places. Tensors only.

So little is computed here that the number of steps is what it costs on a processor, each frame: what is the same for all frames is made once.
Coordinates and letters as in engine.region.
"""
import torch

from engine.caching import make_once
from engine.region import Region, pixels

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
    steep = 1 / (heat.amax(2, keepdim=True).clamp_(min=1e-3) * SLOPE)
    here = (heat * steep - SHARE / SLOPE).clamp_(0, 1)                          # how surely it is the part
    looked = (starts, height, width, heat.device, share)
    powers, first = _powers(*looked[1:]), _starts(starts, heat.device)          # [H * W', 7], [1, K, 2]
    near = here * _nearby(apart, *looked)                                       # [N, K, H * W']
    whose, centre = _nearest_start(*looked), first.expand(len(heat), -1, -1)
    for turn in range(ROUNDS if len(starts) > 1 else 1):
        whose = _nearest(centre, *looked) if turn else whose
        sums = (near * whose) @ powers                                          # [N, K, 7]
        centre = _means(sums, centre)
    if together and len(starts) > 1:
        sums, first = sums.sum(1, keepdim=True), first.mean(1, keepdim=True)
        centre = _means(sums, centre.mean(1, keepdim=True))
    matrix, least = _thicken(heat.device)
    xx, xy, yy = (_spread(sums, centre) @ matrix + least).unbind(2)              # of a filled ellipse: its half axes, squared
    det = torch.addcmul(xx * yy, xy, xy, value=-1).clamp_(min=LEAST * LEAST)
    return Region(centre, torch.stack([yy, -xy, xx], 2) / det[..., None], det.sqrt().sqrt_(), home=first, share=share, **how)


@make_once(64)
def _powers(height: int, width: int, device, share: float):
    """Return 1, x, y, x^2, xy, xy, y^2 of each pixel, [H * W', 7]: a place's sums over them say where it is and how large."""
    right, down = (at.expand(height, width).flatten() for at in pixels(height, width, device, share))
    return torch.stack([torch.ones_like(right), right, down, right * right, right * down, right * down, down * down], 1)


@make_once(256)
def _nearby(apart, starts, height: int, width: int, device, share: float):
    """Return how much of each pixel may belong to each place, [1, K, H * W']: none far from where it is on average."""
    right, down = pixels(height, width, device, share)
    first = _starts(starts, device)
    away = (right - first[..., 0, None, None]).square() + (down - first[..., 1, None, None]).square()
    return torch.exp(-away / (2 * (3 * apart) ** 2)).flatten(2)


def _nearest(centre, starts, height: int, width: int, device, share: float):
    """Return whose each pixel is, [N, K, H * W']: that place's whose centre is the nearest, softly."""
    away = centre.square().sum(2, keepdim=True) * (-1 / _blend(starts))         # what is the same for all of them left out
    return torch.softmax(torch.baddbmm(away, centre, _directions(starts, height, width, device, share).expand(len(centre), -1, -1)), 1)


@make_once(256)
def _nearest_start(starts, height: int, width: int, device, share: float):
    """Return whose each pixel is as long as no place has been found yet, [1, K, H * W']."""
    first = _starts(starts, device)
    return _nearest(first, starts, height, width, device, share) if len(starts) > 1 else torch.ones(1, 1, 1, device=device)


@make_once(256)
def _directions(starts, height: int, width: int, device, share: float):
    """Return what a centre is multiplied by to be compared with the others at each pixel, [1, 2, H * W']."""
    return (_powers(height, width, device, share)[:, 1:3].T * (2 / _blend(starts))).contiguous()[None]


def _blend(starts) -> float:
    """Return over how large a square the pixels between two places are both theirs."""
    return ((starts[0][0] - starts[1][0]) ** 2 + (starts[0][1] - starts[1][1]) ** 2) / 8


def _means(sums, otherwise):
    """Return the middle of each place's sums [N, K, 7] -> [N, K, 2]; where there is nothing, `otherwise`."""
    total = sums[..., :1]
    return torch.lerp(otherwise, sums[..., 1:3] / total.clamp(min=1e-3), (total * 2).clamp_(0, 1))


def _spread(sums, centre):
    """Return the mean squares of 2 x, their product twice, and of 2 y about each centre, [N, K, 4]."""
    total = sums[..., :1]
    product = centre[..., None] * (sums[..., 1:3] - centre * (total / 2))[..., None, :]                    # [N, K, 2, 2]
    about = sums[..., 3:].unflatten(2, (2, 2)) - product - product.mT
    return about.flatten(2) * (4 / total.clamp(min=1e-3))


@make_once(8)
def _thicken(device):
    """Return (the matrix [4, 3], what is added [3]) that make an ellipse from its mean squares, a little rounder and larger than it was."""
    return (torch.tensor([[1 + ROUND, 0, ROUND], [0, 0.5, 0], [0, 0.5, 0], [ROUND, 0, 1 + ROUND]]).to(device), torch.tensor([LEAST, 0, LEAST]).to(device))


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
