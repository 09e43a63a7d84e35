"""Draw docs/pictures/cells.jpg: what a camera's pictures become, by factors and by feature maps, at settings of /source/cells and /source/vivid.

    python docs/pictures/cells.py [PICTURE ...]

Two drawn people and Matplotlib's photograph of Grace Hopper, then the pictures named: here astronaut.png, chelsea.png and coffee.png of scikit-image.
"""
import pathlib
import sys

import numpy as np
import torch
from matplotlib import cbook
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.motion import Motion
from engine.world import MASKS
from engine.world.latent import Z_DIM
from engine.world.masks.people import Pose, people
from live.files import sheets
from live.instrument import open as opening

SIDE, SEED = 256, 9
WAYS = ({"/source/into": "factors"},
        *({"/source/into": "features", "/source/cells": amount, "/source/vivid": vivid} for amount, vivid in ((0.0, 0.0), (0.5, 0.0), (0.8, 1.0), (1.0, 1.0))))


def person(number):
    """Return a drawn person, uint8 [SIDE, SIDE, 3]."""
    source = torch.Generator().manual_seed(SEED + number)
    u = MASKS.uniform(torch.randn(1, Z_DIM, generator=source))
    where = Pose(*(torch.tensor([value]) for value in ((0.15, 0.1, 0.85, 0.12), (-0.2, 0.0, 0.9, -0.1))[number]))
    return ((people(u, where, SIDE, source)[0].permute(1, 2, 0) + 1) * 127.5).byte().numpy()


def photograph(path):
    """Return the middle of a photograph, uint8 [SIDE, SIDE, 3]."""
    with Image.open(path) as picture:
        side = min(picture.size)
        left = (picture.width - side) // 2
        return np.asarray(picture.convert("RGB").crop((left, 0, left + side, side)).resize((SIDE, SIDE), Image.LANCZOS))


def main(*paths):
    opened = opening.open_instrument("presets/masks", SIDE)
    shown = [person(0), person(1), photograph(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)), *map(photograph, paths)]
    cells = list(shown)
    for way in WAYS:
        for column, picture in enumerate(shown):
            scene = opened.scene.set_values({"/source/mix": 1.0, "/walk/kind": "hold", "/walk/seed": 20 + column} | way)
            motion = Motion()
            opened.instrument.forget_shown()
            for part in (opened.instrument.live_encoder, opened.instrument.live_reader):
                part.forget()
            for _ in range(10):
                motion, picture = motion.advance(scene, 0.1), picture.copy()
                picture[0, 0, 0] ^= 1                                    # another picture, or nobody would look
                frame = opened.instrument.render(scene, motion, picture)
            cells.append(frame.pixels.copy())
    sheets.save_sheet(pathlib.Path(__file__).with_suffix(".jpg"), sheets.draw_sheet(cells, len(shown)))


if __name__ == "__main__":
    main(*sys.argv[1:])
