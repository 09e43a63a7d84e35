"""Pictures that show what an edit does and where it fires. Arrays only: writing them is the caller's.

Letters: N pictures, S their size.
"""
import numpy as np
import torch
from torch.nn import functional as F

from engine.clustering.sheet import lay_heat, picture_cells, tile_rows
from engine.rewriting.edit import apply
from engine.rewriting.memory import map_z, recall

STRENGTHS = (1.0, 2.0, -1.0)
SEEN = 128                          # px of the pictures that changes of styles are seen in
LOUDEST = 0.999                     # quantile of what a rule adds: shown as full heat


@torch.no_grad()
def sheet(generator, edit, seeds, psi: float = 0.8, size: int | None = None, strengths=STRENGTHS) -> np.ndarray:
    """Return uint8 [H, W, 3]: the pictures as they are, at each strength, and where the rule fires, a row each."""
    z = np.stack([np.random.RandomState(seed).randn(generator.z_dim).astype(np.float32) for seed in seeds])
    ws = map_z(generator, z, psi)
    plain = picture_cells(generator, ws, (), size)
    rows = [picture_cells(apply(generator, [(edit, strength)]), ws, (), size) for strength in strengths]
    return tile_rows([plain, *rows, lay_heat(plain, heat(generator, edit, ws, plain.shape[1:3]))])


@torch.no_grad()
def heat(generator, edit, ws, size) -> torch.Tensor:
    """Return maps [N, *size] in 0..1: how much the rule adds at each place, over the LOUDEST quantile of it."""
    found = measure_firing(generator, edit, ws)
    loudest = torch.quantile(found.flatten()[:2 ** 24], LOUDEST).clamp(min=1e-9)
    return F.interpolate((found / loudest).clamp(0, 1)[:, None], size, mode="bilinear", align_corners=False)[:, 0].cpu()


@torch.no_grad()
def measure_firing(generator, edit, ws) -> torch.Tensor:
    """Return maps [N, H, W]: the root mean square over channels of what the edit adds to the layer's sums, at strength 1.

    Of one that changes styles or several layers: how far the picture changes.
    """
    made = []
    if edit.style is not None or edit.more:
        size = min(SEEN, generator.resolution)
        return (apply(generator, [(edit, 1.0)]).synthesize(ws, size=size) - generator.synthesize(ws, size=size)).square().mean(1).sqrt()
    for w in ws:
        read = recall(generator, edit.layer, w[None])
        added = read.conv.plain(read.keys, edit.delta().to(read.keys)) * read.demodulation(generator.weights(edit.layer))
        made.append(added.square().mean(1).sqrt())
    return torch.cat(made)
