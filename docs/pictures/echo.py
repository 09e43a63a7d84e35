"""Draw the strip of docs/bending.md's trails: a walk without the echo, and with it in three ways.

    python docs/pictures/echo.py
"""
import pathlib
import sys

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.motion import Motion
from live.instrument.open import open_instrument

SIZE, FPS, SHOWN = 256, 20, (30, 49)
WAYS = ({"amount": 0.0}, {"amount": 1.0}, {"amount": 1.0, "zoom": 2.0, "turn": 30.0}, {"amount": 1.0, "zoom": 0.4, "decay": 4.0})


def main():
    opened = open_instrument(ROOT / "presets" / "masks", SIZE, "cpu")
    columns = []
    for way in WAYS:
        scene = opened.scene.set_values({"/walk/kind": "wander", "/walk/speed": 1.0} | {f"/echo/{name}": value for name, value in way.items()})
        motion, column = Motion(), []
        for n in range(SHOWN[-1] + 1):
            motion = motion.advance(scene, 1 / FPS)
            pixels = opened.instrument.render(scene, motion).pixels
            column += [pixels.copy()] if n in SHOWN else []
        columns.append(np.concatenate(column, 0))
    Image.fromarray(np.concatenate(columns, 1)).save(ROOT / "docs" / "pictures" / "echo.jpg", quality=85)


if __name__ == "__main__":
    main()
