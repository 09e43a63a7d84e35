"""A camera's effects on a picture: colour, blur, noise, things in the way, compression, and where the picture sits.

Each function takes pictures [N, 3, H, W] in -1..1, how strong (0 = nothing, 1 = usual) and a torch.Generator, and returns
new ones of the same shape; each picture gets its own. `place` moves pictures: apply it to the target too, the others not.
Letters: N pictures, H, W pixels.
"""
import math

import torch
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)
MOVED, SCALED, TURNED = 0.08, 0.15, 0.16        # at strength 1: shares of the picture, shares of its size, radians
CODED = ((16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
         (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
         (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99))     # ITU-T T.81, table K.1


def spans(count, low, high, source):
    """Return uniform random numbers [N, 1, 1, 1]."""
    return (low + (high - low) * torch.rand(count, generator=source)).view(-1, 1, 1, 1)


def place(pictures, strength, source):
    """Return pictures shifted, scaled and turned; what comes in at the border mirrors what went out."""
    n, _, height, width = pictures.shape
    turn, scale, right, down = (spans(n, -1, 1, source).flatten() * strength * most for most in (TURNED, SCALED, 2 * MOVED, 2 * MOVED))
    scale = torch.exp(-scale)
    aspect = width / height
    rows = torch.stack([torch.cos(turn) * scale, -torch.sin(turn) * scale / aspect, -right,
                        torch.sin(turn) * scale * aspect, torch.cos(turn) * scale, -down], 1).view(n, 2, 3)
    grid = F.affine_grid(rows.to(pictures), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def colour(pictures, strength, source):
    """Return pictures with another exposure, contrast, gamma, saturation, white balance, and a slightly different hue."""
    n = len(pictures)
    light = (pictures.clamp(-1, 1) + 1) / 2
    light = light.pow(torch.exp(spans(n, -0.25, 0.25, source) * strength)) * torch.exp(spans(n, -0.25, 0.25, source) * strength)
    light = light * torch.exp((torch.rand(n, 3, 1, 1, generator=source) - 0.5) * (0.2 * strength))
    middle = light.mean((2, 3), keepdim=True)
    light = middle + (light - middle) * torch.exp(spans(n, -0.25, 0.25, source) * strength)
    grey = luma(light)
    light = grey + turn_hue(light - grey, spans(n, -0.25, 0.25, source) * strength) * torch.exp(spans(n, -0.5, 0.35, source) * strength)
    return light.clamp(0, 1) * 2 - 1


def luma(pictures):
    """Return the luma [N, 1, H, W] of pictures [N, 3, H, W]."""
    return (pictures * pictures.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def turn_hue(colours, angle):
    """Return colours [N, 3, H, W] turned about the grey axis by an angle [N, 1, 1, 1] in radians."""
    across = torch.roll(colours, 1, 1) - torch.roll(colours, -1, 1)
    grey = colours.mean(1, keepdim=True)
    return grey + (colours - grey) * torch.cos(angle) + across * (torch.sin(angle) / math.sqrt(3))


def blur(pictures, strength, source):
    """Return pictures out of focus by up to two pixels of 128."""
    side = 2 * max(1, round(pictures.shape[3] / 128)) + 1
    wide = pictures
    for _ in range(2):
        wide = F.avg_pool2d(F.pad(wide, [side // 2] * 4, mode="replicate"), side, 1)
    return pictures + (wide - pictures) * (spans(len(pictures), 0, 1, source) * min(1.0, strength))


def noise(pictures, strength, source):
    """Return a sensor's noise, alike in all places."""
    level = spans(len(pictures), 0, 0.12, source) * strength
    return (pictures + torch.randn(pictures.shape, generator=source) * level).clamp(-1, 1)


def occlusion(pictures, strength, source):
    """Return a rectangle of one colour in front of each picture, up to 0.3 of its sides."""
    n, _, height, width = pictures.shape
    x, y = torch.linspace(0, 1, width).view(1, 1, 1, -1), torch.linspace(0, 1, height).view(1, 1, -1, 1)
    across, down = (spans(n, 0, 1, source) for _ in range(2))
    wide, high = (spans(n, 0, 0.15 * strength, source) for _ in range(2))
    hidden = ((x - across).abs() < wide) & ((y - down).abs() < high)
    return torch.where(hidden, torch.rand(n, 3, 1, 1, generator=source) * 2 - 1, pictures)


def compression(pictures, strength, source):
    """Return pictures with JPEG's loss: 8 x 8 cosine blocks rounded to multiples that grow with the strength, colours at half the size."""
    quality = spans(len(pictures), 90 - 60 * min(1.0, strength), 90, source)
    return jpeg(pictures, quality)


def jpeg(pictures, quality):
    """Return pictures as if saved as JPEG at a quality 1 to 99 (a number, or [N, 1, 1, 1]) with colours at half the size, and read again."""
    height, width = pictures.shape[2:]
    quality = torch.as_tensor(quality, dtype=pictures.dtype)
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    padded = F.pad((pictures.clamp(-1, 1) * 127.5), [0, -width % 16, 0, -height % 16], mode="replicate")
    light = luma(padded)
    colours = F.avg_pool2d(padded - light, 2)                        # stands for Cb and Cr, which are multiples of B, R minus Y
    steps = pictures.new_tensor(CODED)
    light = round_blocks(light, steps * factor.view(-1, 1, 1, 1, 1, 1) if factor.ndim else steps * factor)
    coarse = steps.clamp(17, 99) * 1.5
    colours = round_blocks(colours, coarse * factor.view(-1, 1, 1, 1, 1, 1) if factor.ndim else coarse * factor)
    colours = F.interpolate(colours, scale_factor=2, mode="bilinear", align_corners=False)
    return ((light + colours)[:, :, :height, :width] / 127.5).clamp(-1, 1)


def round_blocks(x, steps):
    """Return x [N, C, H, W], sides multiples of 8, with every 8 x 8 block's cosine terms rounded to multiples of steps [..., 8, 8]."""
    n, c, height, width = x.shape
    k = torch.arange(8.0)
    cosines = torch.cos((2 * k + 1) * k.view(-1, 1) * (math.pi / 16)) * 0.5      # [term, place]
    cosines[0] *= math.sqrt(0.5)
    blocks = x.view(n, c, height // 8, 8, width // 8, 8).transpose(3, 4)         # [N, C, H / 8, W / 8, 8, 8]
    terms = cosines @ blocks @ cosines.T
    terms = torch.round(terms / steps.clamp_min(1)) * steps.clamp_min(1)
    return (cosines.T @ terms @ cosines).transpose(3, 4).reshape(n, c, height, width)


SEEN = {"colour": colour, "blur": blur, "noise": noise, "occlusion": occlusion, "compression": compression}


def camera(pictures, strength, source, clean=0.3, share=0.5):
    """Return pictures as a camera may show them. Each of SEEN is done to a share of the pictures, and some stay clean altogether."""
    untouched = torch.rand(len(pictures), generator=source) < clean
    for change in SEEN.values():
        hit = (torch.rand(len(pictures), generator=source) < share) & ~untouched
        changed = change(pictures, strength, source)
        pictures = torch.where(hit.view(-1, 1, 1, 1), changed, pictures)
    return pictures
