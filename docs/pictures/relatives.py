"""Draw docs/pictures/relatives.jpg, beasts that become the masks they descend from by /weights/masks/amount, and relatives-split.jpg, by /weights/masks/split.

    python docs/pictures/relatives.py
"""
import pathlib
import sys

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.motion import Motion
from live.instrument import open as opening

SEEDS, SIDE = (3, 8, 11), 240
AMOUNT, SPLIT = "/weights/masks/amount", "/weights/masks/split"
SHEETS = {"relatives": [{AMOUNT: amount} for amount in (0.0, 0.25, 0.5, 0.75, 1.0)],
          "relatives-split": [{AMOUNT: 1.0, SPLIT: split} for split in (18, 8, 6, 4, 0)]}


@torch.no_grad()
def main():
    opened = opening.open_instrument(ROOT / "presets" / "beasts", 512)
    for name, columns in SHEETS.items():
        rows = []
        for seed in SEEDS:
            held = opened.scene.set_values({"/walk/kind": "hold", "/walk/seed": seed, "/truncation": 0.9})
            scenes = [held.set_values(values) for values in columns]
            row = [opened.instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy() for scene in scenes]
            rows.append(np.concatenate([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.LANCZOS)) for one in row], 1))
        Image.fromarray(np.concatenate(rows)).save(pathlib.Path(__file__).with_name(f"{name}.jpg"), quality=88)


if __name__ == "__main__":
    main()
