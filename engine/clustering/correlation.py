"""Clusters without training: channels whose activation maps have the same shape, over sample pictures, belong together.

Correlations between channels are added up picture by picture, so memory does not grow with the samples; their leading
eigenvectors place each channel in a few dimensions, where k-means groups them. Letters: S samples, C channels, P pixels.
"""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from engine.clustering import kmeans
from engine.device import to_double

SIZE = 32                           # maps are compared at this size at most
FEWEST, MOST = 8, 16                # eigenvectors kept: as many as clusters are wanted, within these
BATCH = 8


@dataclass(frozen=True)
class Correlation:
    """psi: truncation of the samples. progress({layer, stage, done, of}): called as it goes on."""
    psi: float = 1.0
    progress: Callable | None = None

    name = "correlation"

    def labels(self, generator, layer: str, k, samples: int, seed: int) -> np.ndarray:
        """Return the cluster of every channel, [C]; 0 the largest."""
        correlation = correlations(generator, layer, samples, seed, self)
        points = embed(correlation, MOST if k == "auto" else min(max(int(k), FEWEST), MOST))
        if k == "auto":
            k = kmeans.best_k(points, kmeans.CRITERION, seed)
        return kmeans.group(points, int(k), seed)


def sample_ws(generator, samples: int, seed: int, psi: float = 1.0):
    """Yield the ws of sample pictures, in batches [N, num_ws, W]; the same for the same seed whatever the batch size."""
    z = torch.from_numpy(np.random.RandomState(seed).randn(samples, generator.z_dim)).float().to(generator.device)
    label = torch.zeros(samples, generator.c_dim, device=generator.device)
    if generator.c_dim:
        label[torch.arange(samples), torch.arange(samples) % generator.c_dim] = 1.0
    for at in range(0, samples, BATCH):
        yield generator.map(z[at:at + BATCH], psi, c=label[at:at + BATCH] if generator.c_dim else None)


def shapes(x):
    """Return maps x [N, C, H, W] as [N, C, P]: each map's shape alone, its mean taken off and its length 1; a flat map is 0."""
    x = x.float()
    size = tuple(min(SIZE, side) for side in x.shape[2:])
    x = F.adaptive_avg_pool2d(x, size).flatten(2)
    x = x - x.mean(2, keepdim=True)
    return x / x.norm(dim=2, keepdim=True).clamp(min=1e-6)


@torch.no_grad()
def correlations(generator, layer: str, samples: int, seed: int, settings=Correlation()) -> np.ndarray:
    """Return the mean correlation [C, C] of the channels' maps."""
    total, done = torch.zeros((), dtype=torch.float64), 0
    for ws in sample_ws(generator, samples, seed, settings.psi):
        maps = shapes(generator.activations(ws, [layer])[layer])                # [N, C, P]
        total = total + to_double(maps @ maps.transpose(1, 2)).sum(0)
        done += len(ws)
        if settings.progress:
            settings.progress({"layer": layer, "stage": "correlating", "done": done, "of": samples})
    return (total / max(done, 1)).cpu().numpy()


def embed(correlation, dimensions: int = MOST) -> np.ndarray:
    """Return places [C, D] for a correlation [C, C]: rows of the leading eigenvectors, scaled, each brought to length 1 (direction is what counts)."""
    values, vectors = np.linalg.eigh(correlation)
    count = min(dimensions, len(values))
    points = vectors[:, -count:] * np.sqrt(np.maximum(values[-count:], 0.0))
    points = points * np.sign(points[np.abs(points).argmax(0), np.arange(count)] + 1e-300)   # one of two equal answers
    return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-6)
