"""Solving for the look: ridge regression from what pictures of seeds show to their w, in closed form. Letters: N seeds, F features, W = w_dim."""
from collections.abc import Callable

import torch

from engine.checkpoints.native import generator_hash
from engine.device import to_double
from engine.encoder import augment
from engine.look.network import Look, find_features, has_trunk

SEEDS = 1500
RIDGE = 0.1                          # of the mean diagonal
BATCH = 8


@torch.no_grad()
def find(generator, encoder=None, seeds: int = SEEDS, seed: int = 0, camera: bool = True, progress: Callable[[dict], None] | None = None,
         drawn=None) -> Look:
    """Return the look of a generator. encoder: whose trunk sees the pictures, where it has one; else their pixels alone.

    camera: half of the pictures are spoilt as cameras spoil them, so that the look is not only for its own pictures. drawn:
    engine.directions.measured.Drawn, pictures of seeds that are there already.
    """
    from engine.directions.measured import draw_samples

    tell = progress or (lambda event: None)
    encoder = encoder if has_trunk(encoder) else None
    drawn = drawn or draw_samples(generator, seeds, seed + 1_000_000, lambda event: tell(event | {"stage": "look"}))
    w, count, pixels = drawn.w, len(drawn.w), tuple(drawn.pictures.shape[2:])
    source, rows = torch.Generator().manual_seed(seed), []
    for pictures in drawn.pictures.split(BATCH):
        if camera and (half := len(pictures) // 2):
            pictures = torch.cat([augment.camera(pictures[:half], 1.0, source), pictures[half:]])
        rows.append(find_features(pictures.to(generator.device), pixels, encoder))
    tell({"stage": "look", "done": count, "of": count})
    f = torch.cat(rows)
    mean, scale, w_mean = f.mean(0), f.std(0).clamp(min=1e-4), w.mean(0)
    x = to_double((f - mean) / scale)
    gram = x @ x.T
    gram.diagonal().add_(RIDGE * gram.diagonal().mean().clamp(min=1e-9))
    matrix = x.T @ torch.linalg.solve(gram, to_double(w - w_mean))
    return Look(matrix.float().to(mean.device), mean, scale, w_mean, pixels, encoder, generator_hash(generator))
