"""Draw the pictures of the built-in instrument: the README's and those of docs/world.md.

    python docs/pictures/masks.py [hero] [world] [truncation]
"""
import pathlib
import sys

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.generator import quantize
from engine.motion import Motion
from engine.world import draw, measure
from live.instrument import open as opening

HERE = pathlib.Path(__file__).parent
SEEDS = ((2, 5, 8, 12), (20, 34, 23, 37))                  # of the hero, row by row


def cell(picture):
    """Picture [3, H, W] in -1..1 -> uint8 [H, W, 3]."""
    return quantize(picture[None].clone()).numpy()


def tiled(rows, side):
    """Rows of uint8 pictures -> one picture, each `side` px wide."""
    small = [[np.asarray(Image.fromarray(p).resize((side, side), Image.LANCZOS)) for p in row] for row in rows]
    return Image.fromarray(np.concatenate([np.concatenate(row, 1) for row in small]))


def hero(opened):
    """The masks as they are."""
    still = {"/walk/kind": "hold", "/truncation": 0.9}
    scenes = [[opened.scene.set_values(still | {"/walk/seed": seed}) for seed in row] for row in SEEDS]
    return tiled([[opened.instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy() for scene in row] for row in scenes], 400)


def world(opened):
    """What the world draws above what the generator makes of the same unseen z."""
    rows, generator = [], opened.instrument.generator
    for z in measure.unseen(16).split(8):
        rows += [[cell(p) for p in draw(z, 512)], [cell(p) for p in generator.synthesize(generator.map(z), size=512)]]
    return tiled(rows, 256)


def truncation(opened):
    """Three z at truncation 0, 0.4, 0.7, 1 and 1.2."""
    generator = opened.instrument.generator
    return tiled([[cell(generator.synthesize(generator.map(z[None], psi), size=512)[0]) for psi in (0.0, 0.4, 0.7, 1.0, 1.2)]
                  for z in measure.unseen(3)], 256)


@torch.no_grad()
def main(names):
    opened = opening.open_instrument(ROOT / "presets" / "masks")
    pictures = {"hero": hero, "world": world, "truncation": truncation}
    for name in names or pictures:
        pictures[name](opened).save(HERE / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main(sys.argv[1:])
