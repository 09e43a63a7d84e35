"""Draw docs/pictures/relatives.jpg: beasts that become the masks they descend from, by the fader /weights/masks/amount.

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

SEEDS, AMOUNTS, SIDE = (3, 8, 11), (0.0, 0.25, 0.5, 0.75, 1.0), 240


@torch.no_grad()
def main():
    opened = opening.open_instrument(ROOT / "presets" / "beasts", 512)
    rows = []
    for seed in SEEDS:
        held = opened.scene.set_values({"/walk/kind": "hold", "/walk/seed": seed, "/truncation": 0.9})
        scenes = [held.set_values({"/weights/masks/amount": amount}) for amount in AMOUNTS]
        row = [opened.instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy() for scene in scenes]
        rows.append(np.concatenate([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.LANCZOS)) for one in row], 1))
    Image.fromarray(np.concatenate(rows)).save(pathlib.Path(__file__).with_suffix(".jpg"), quality=88)


if __name__ == "__main__":
    main()
