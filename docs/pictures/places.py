"""Draw the strips of docs/bending.md's places: rows of bends at parts of the built-in instrument, over four unseen seeds.

    python docs/pictures/places.py
"""
import pathlib
import sys

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine import checkpoints
from engine.bending import Places, new_bend, parts, spread
from engine.clustering.sheet import picture_cells

SIZE, PSI, SEED = 256, 0.8, 11
ROWS = (
    None, ("part:eyes", "scale", {"factor": 1.6}), ("part:crown", "scale", {"factor": 1.5}), ("part:crown", "translate", {"right": 0.0, "down": -0.1}),
    ("part:head", "rotate", {"angle": 30.0}), ("part:mouth,crown", "move_to", {}), ("part:eyes,mouth", "swap", {}),
    ("part:eyes", "repeat", {}), ("part:head", "magnet", {"amount": -0.8}), ("part:eyes", "scalar_multiply", {}),
)


@torch.no_grad()
def main():
    folder = ROOT / "presets" / "masks"
    generator = checkpoints.load(folder / "generator.safetensors")
    known = Places(parts.load(folder / "parts.yaml", generator))
    ws = generator.map(torch.randn(4, generator.z_dim, generator=torch.Generator().manual_seed(SEED)), PSI)
    columns = []
    for row in ROWS:
        bent = row and new_bend({"name": "b", "where": row[0], "transform": row[1]}, generator, None, known).with_values(row[2], 1.0)
        bends = spread(bent, known) if bent else []
        columns.append(np.concatenate(list(picture_cells(generator, ws, bends, SIZE)), 0))
    half = len(columns) // 2
    Image.fromarray(np.concatenate([np.concatenate(columns[:half], 1), np.concatenate(columns[half:], 1)], 0)).save(
        ROOT / "docs" / "pictures" / "places.jpg", quality=85)


if __name__ == "__main__":
    main()
