"""Draw the pictures of the built-in instrument: the README's, those of docs/world.md, and those that the page shows of its presets.

    python docs/pictures/masks.py [hero] [presets] [world] [truncation]
"""
import pathlib
import sys
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.generator import quantize
from engine.motion import Motion
from engine.world import draw, measure
from live.instrument import open as opening
from live.presets.preset import apply_preset
from live.surface.preview import encode_jpeg
from live.surface.thumbnails import SIDE, Thumbnails

HERE = pathlib.Path(__file__).parent
SEEDS = ((2, 5, 8, 12), (20, 34, 23, 37))                  # of the hero, row by row
WALKED = 5.0                                                # seconds into each preset


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
    return tiled([[frame(opened, opened.scene.set_values(still | {"/walk/seed": seed}), Motion(), 0.0) for seed in row] for row in SEEDS], 400)


def presets(opened):
    """Every preset of the set list, some seconds after it was recalled; each picture is also kept beside its preset, for the page."""
    library = opened.open_library()
    kept = Thumbnails(SimpleNamespace(recall=SimpleNamespace(library=library, has_library=True)), None)
    pictures = {name: frame(opened, *apply_preset(library.read(name), opened.scene, Motion()), WALKED) for name in library.list_names()}
    for name, pixels in pictures.items():
        kept.store(name, kept.hash_preset(name), encode_jpeg(pixels, SIDE))
    return sheet(list(pictures.values()))


def sheet(played):
    """Return pictures in rows of seven; what is left of the last row is black."""
    played = played + [np.zeros_like(played[0])] * (-len(played) % 7)
    return tiled([played[i:i + 7] for i in range(0, len(played), 7)], 210)


def frame(opened, scene, motion, seconds):
    """Return the picture so many seconds on, at a hit: presets that hear should be seen hearing."""
    motion = motion.advance(scene, 0.0)
    for left in reversed(range(round(seconds * 10))):
        loud = float(left == 0)
        scene = scene.set_values({"/audio/kick": loud, "/audio/snare": loud, "/audio/hat": loud, "/audio/low": 0.8, "/audio/mid": 0.7, "/audio/high": 0.6})
        motion = motion.advance(scene, 0.1)
    return opened.instrument.render(scene, motion).pixels.copy()


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
    pictures = {"hero": hero, "presets": presets, "world": world, "truncation": truncation}
    for name in names or pictures:
        pictures[name](opened).save(HERE / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main(sys.argv[1:])
