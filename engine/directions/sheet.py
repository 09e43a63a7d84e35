"""Contact sheets of directions, so that a person can name them. Arrays only: writing them is the caller's."""
import numpy as np
import torch

from engine.clustering.sheet import picture_cells, tile_rows
from engine.directions.data import Directions
from engine.directions.statistics import sample_w
from engine.generator import truncate

AMOUNTS = (-3.0, -1.5, 0.0, 1.5, 3.0)
PSI = 0.7


def move_along(ws, directions: Directions, name: str, amount: float):
    """Return ws [N, n, W] moved along one of the directions, by `amount` of its unit, in its own range."""
    at = directions.names.index(name)
    start, end = directions.ranges[at] or (0, ws.shape[1])
    step = (amount * directions.unit[at] * directions.vectors[at]).to(ws)
    moved = ws.clone()
    moved[:, start:end] += step if step.ndim == 1 else step[start:end]
    return moved


@torch.no_grad()
def draw_directions(generator, directions: Directions, names=(), seed: int = 0, size: int = 128) -> np.ndarray:
    """Return uint8 [H, W, 3]: a row a direction, a picture at each of AMOUNTS."""
    ws = _first_ws(generator, 1, seed)
    return tile_rows([_draw_row(generator, directions, name, ws, size) for name in names or directions.names])


@torch.no_grad()
def draw_direction(generator, directions: Directions, name: str, pictures: int = 4, seed: int = 0, size: int = 128) -> np.ndarray:
    """Return uint8 [H, W, 3]: a row a seed, a picture at each of AMOUNTS of one direction."""
    return tile_rows([_draw_row(generator, directions, name, ws[None], size) for ws in _first_ws(generator, pictures, seed)])


def _draw_row(generator, directions, name, ws, size):
    side = min((r for r in generator.architecture.resolutions if r >= size), default=generator.resolution)
    return picture_cells(generator, torch.cat([move_along(ws, directions, name, amount) for amount in AMOUNTS]), size=side)


def _first_ws(generator, count, seed):
    _, w = sample_w(generator, count, seed)
    return truncate(w[:, None].repeat(1, generator.num_ws, 1), generator.w_avg, PSI)
