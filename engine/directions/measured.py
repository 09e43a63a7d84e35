"""What can be measured of any picture: light, warmth, edges, symmetry, colour, and the area of the commonest colour.

Letters: N pictures, H, W' pixels.
"""
import colorsys
import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from engine.device import to_double
from engine.directions.statistics import sample_w

HUES = 12                            # bins of the colour circle
BATCH = 8
SIZE = 64                            # px that pictures are measured at
WORK = 1e13                          # multiply-adds that drawing pictures may take: some minutes on two cores
BESIDE = 6e12                        # beside a show, on one
MOST_PICTURES = 2000
FEWEST = 200
STATISTICS = {
    "light": "how light the picture is",
    "warmth": "how warm its colours are",
    "edges": "how strong its edges are",
    "symmetry": "how alike its left and right are",
    "colour": "how colourful it is",
    "area": "how much of it has the commonest colour, {hue}",
}


def choose_samples(generator, most: int, most_work: float = WORK) -> tuple[int, int]:
    """Return (how many pictures to measure, at which size): as many as the work allows, at 64 px or what comes nearest."""
    a = generator.architecture
    size = max(r for r in a.resolutions if r <= SIZE)
    work = 0
    for r in (r for r in a.resolutions if a.kind == "resnet" or r <= size):
        pixels, here = math.prod(a.pixels(r)), a.channels[r]
        work += 9 * here * here * pixels + (9 * here * a.channels[r // 2] * pixels // 4 if r > 4 else 0)
    return max(min(FEWEST, most), min(most, int(most_work / work))), size


@dataclass(frozen=True)
class Drawn:
    """Pictures [N, 3, H, W'] in -1..1 on the CPU, of w [N, W]: drawn once for all that is found by looking at a network's pictures."""
    w: torch.Tensor
    pictures: torch.Tensor


@torch.no_grad()
def draw_samples(generator, most: int = MOST_PICTURES, seed: int = 0, progress=None) -> Drawn:
    """Return pictures of as many seeds as the work allows, `most` at most."""
    count, size = choose_samples(generator, most, BESIDE)
    _, w = sample_w(generator, count, seed)
    found = []
    for at in range(0, count, BATCH):
        ws = w[at:at + BATCH, None].expand(-1, generator.num_ws, -1)
        found.append(generator.synthesize(ws, size=size).float().clamp(-1, 1).nan_to_num(0.0).cpu())
        if progress:
            progress({"stage": "measuring", "done": min(at + BATCH, count), "of": count})
    return Drawn(w, torch.cat(found))


def measure_pictures(pictures):
    """Return (statistics [N, 6] float64 of pictures [N, 3, H, W'], the commonest colour in words)."""
    rows, hues = [], []
    for some in pictures.split(BATCH):
        rows.append(_measure(some))
        hues.append(share_of_hues(some))
    shares = torch.cat(hues)
    commonest = int(shares.mean(0).argmax())
    return to_double(torch.cat([torch.cat(rows), shares[:, commonest, None]], 1)), name_hue(commonest)


def _measure(x):
    """Return light, warmth, edges, symmetry and colour [N, 5] of pictures [N, 3, H, W']."""
    luma = x[:, 0] * 0.299 + x[:, 1] * 0.587 + x[:, 2] * 0.114
    across, down = luma.diff(dim=2).abs().mean((1, 2)), luma.diff(dim=1).abs().mean((1, 2))
    return torch.stack([luma.mean((1, 2)), (x[:, 0] - x[:, 2]).mean((1, 2)), across + down,
                        -(x - x.flip(3)).abs().mean((1, 2, 3)), (x.amax(1) - x.amin(1)).mean((1, 2))], 1)


def share_of_hues(x):
    """Return [N, HUES]: how much of each picture [N, 3, H, W'] has each hue, by how colourful it is there."""
    high, low = x.amax(1), x.amin(1)
    chroma = high - low
    r, g, b = x.unbind(1)
    safe = chroma.clamp(min=1e-6)
    hue = torch.where(high == r, (g - b) / safe % 6, torch.where(high == g, (b - r) / safe + 2, (r - g) / safe + 4))     # 0..6
    place = hue * (HUES / 6)
    near = (1 - ((place[:, None] - torch.arange(HUES).view(1, -1, 1, 1) + HUES / 2) % HUES - HUES / 2).abs()).clamp(min=0)
    return (near * F.relu(chroma[:, None] - 0.1)).mean((2, 3))


def name_hue(number: int) -> str:
    """Return a bin of the colour circle as a colour, #rrggbb."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hsv_to_rgb(number / HUES, 0.8, 0.8))
