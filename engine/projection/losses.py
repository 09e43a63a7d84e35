"""How far pictures are from others, one number each. Letters: N pictures, H, W' pixels. Source: SPEC2.md P.3."""
from collections.abc import Callable

import torch
from torch.nn import functional as F

from engine.world.losses import crispness

LEVELS = 6


def find_pyramid(pictures, targets):
    """Return the distance [N] at six sizes, each half the one before: of the pixels, and of how they change across and down."""
    d, total = pictures - targets, torch.zeros(len(pictures), device=pictures.device)
    for level in range(LEVELS):
        if level:
            if min(d.shape[2:]) < 2:
                break
            d = F.avg_pool2d(d, 2)
        total = total + d.abs().mean((1, 2, 3))
        for axis in (2, 3):
            if d.shape[axis] > 1:
                total = total + d.diff(dim=axis).abs().mean((1, 2, 3))
    return total


def find_square(pictures, targets):
    """Return the mean squared difference [N]."""
    return (pictures - targets).square().mean((1, 2, 3))


def find_crisp_pyramid(pictures, targets):
    """Return the pyramid [N] with how strong edges are at the full size as well, wherever they lie: for photographs, whose noise it else answers with blur."""
    edges = (crispness(pictures) - crispness(targets)).abs().mean((1, 2, 3)) if min(pictures.shape[2:]) >= 8 else 0.0
    return find_pyramid(pictures, targets) + 0.5 * edges


def find_likeness(pictures, targets):
    """Return the pyramid [N] with a fifth of what structural similarity (SSIM) lacks to 1."""
    return find_pyramid(pictures, targets) + 0.2 * (1 - measure_ssim(pictures, targets))


def measure_ssim(a, b):
    """Return the structural similarity [N] of pictures [N, 3, H, W'] in -1..1: windows of 11 px, Gaussian, sigma 1.5."""
    x, y = a / 2 + 0.5, b / 2 + 0.5
    line = torch.exp(-((torch.arange(11, device=a.device) - 5.0) ** 2) / (2 * 1.5 ** 2))
    line = line / line.sum()
    kernel = torch.outer(line, line).expand(x.shape[1], 1, 11, 11)
    blur = lambda z: F.conv2d(F.pad(z, (5, 5, 5, 5), mode="replicate"), kernel, groups=x.shape[1])
    mx, my = blur(x), blur(y)
    vx, vy, both = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = 0.01 ** 2, 0.03 ** 2
    return ((2 * mx * my + c1) * (2 * both + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean((1, 2, 3))


LOSSES: dict[str, Callable] = {"pyramid": find_pyramid, "crisp": find_crisp_pyramid, "ssim": find_likeness, "square": find_square}


def measure_psnr(a, b):
    """Return the peak signal-to-noise ratio [N] in decibels of pictures [N, 3, H, W'] in -1..1."""
    return -10 * torch.log10((a.clamp(-1, 1) - b.clamp(-1, 1)).square().mean((1, 2, 3)).clamp(min=1e-12) / 4)
