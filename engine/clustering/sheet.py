"""Pictures that show what clusters do, so that a person can name them. Arrays only: writing them is the caller's.

Letters: N pictures, S their size, K channels of a cluster.
"""
import numpy as np
import torch
from torch.nn import functional as F

from engine.bending import Bend
from engine.clustering.clusters import Clusters
from engine.clustering.correlation import sample_ws, shapes

WARM = (1.0, 0.25, -0.6)            # the colour of heat, -1..1
GAP = 4                             # px between cells


@torch.no_grad()
def sheet(generator, clusters: Clusters, layer: str, pictures: int = 4, seed: int = 0) -> np.ndarray:
    """Return uint8 [H, W, 3]: above, sample pictures; below, a row a cluster: its heat map over each, then each with it ablated."""
    ws = torch.cat(list(sample_ws(generator, pictures, seed, 0.7)))
    plain = picture_cells(generator, ws)
    maps = generator.activations(ws, [layer])[layer]
    rows = [np.concatenate([plain, plain])]
    for name, channels in clusters[layer].items():
        heat = lay_heat(plain, heat_map(maps, channels, plain.shape[1:3]))
        rows.append(np.concatenate([heat, picture_cells(generator, ws, [Bend(name, layer, channels, "ablate")])]))
    return tile_rows(rows)


def heat_map(maps, channels, size) -> torch.Tensor:
    """Return the mean shape [N, *size] of the cluster's maps, of maps [N, C, H, W]; brought to 0..1 in each picture."""
    x = maps[:, list(channels)]
    if not channels:
        return torch.zeros(len(maps), *size)
    heat = F.interpolate(mean_shape(x)[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    low, high = heat.amin((1, 2), keepdim=True), heat.amax((1, 2), keepdim=True)
    return ((heat - low) / (high - low).clamp(min=1e-6)).cpu()


def mean_shape(x):
    """Return the mean shape [N, H', W'] of maps x [N, K, H, W], every map having the same weight."""
    height, width = (min(side, 32) for side in x.shape[2:])
    return shapes(x).mean(1).view(len(x), height, width)


def lay_heat(cells, heat) -> np.ndarray:
    """Return cells, uint8 [N, S, S, 3], under a veil of heat [N, S, S]."""
    dim = torch.from_numpy(cells).float() * 0.5
    colour = (torch.tensor(WARM) + 1) * 127.5
    return torch.lerp(dim, colour.expand_as(dim), heat[..., None] * 0.9).round().to(torch.uint8).numpy()


def picture_cells(generator, ws, bends=(), size=None) -> np.ndarray:
    """Return pictures of ws as cells, uint8 [N, S, S, 3], at 256 px at most."""
    size = size or min(generator.resolution, 256)
    return to_cells(torch.cat([generator.synthesize(w[None], size=size, bends=bends) for w in ws]))


def to_cells(x) -> np.ndarray:
    """Return pictures [N, 3, S, S] in -1..1 as cells, uint8 [N, S, S, 3]."""
    return x.mul(127.5).add(128).nan_to_num(0.0).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def tile_rows(rows) -> np.ndarray:
    """Return one picture of rows of cells, uint8 [N, S, S, 3], black gaps between."""
    def row(cells):
        return np.concatenate([np.pad(cell, ((GAP, GAP), (GAP, GAP), (0, 0))) for cell in cells], 1)

    return np.concatenate([row(cells) for cells in rows])


@torch.no_grad()
def strip(generator, ws, bends, size=None) -> np.ndarray:
    """Return uint8 [H, W, 3]: each picture of ws [N, num_ws, W], and below it the same with the bends."""
    return tile_rows([picture_cells(generator, ws, (), size), picture_cells(generator, ws, bends, size)])
