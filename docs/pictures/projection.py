"""Make docs/pictures/projection.jpg: two photographs that packages ship, what the built-in instrument has nearest, and a walk between them.

    python docs/pictures/projection.py PHOTO PHOTO

Those of the docs are matplotlib's grace_hopper.jpg (U.S. Navy, public domain) and pygame's liquid.bmp.
"""
import pathlib
import sys

import numpy as np
import torch

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.clustering.sheet import to_cells
from engine.kept.made import to_light
from engine.projection.find import Projector
from live.files.sheets import draw_captions, save_sheet
from live.files.stills import read_still
from live.instrument.open import open_instrument

SHOWN, WALK = 192, 5


def main(paths):
    opened = open_instrument("presets/masks", 256, "cpu")
    generator = opened.instrument.generator
    projector, show = Projector(generator, 64, look=opened.found.look), Projector(generator, 256)
    lights = [to_light(read_still(path)) for path in paths]
    rows, found = [], []
    with torch.no_grad():
        for light in lights:
            with torch.enable_grad():
                one = projector.project(light, 100)
            led = opened.found.look(projector.prepare(light))
            rows.append(np.concatenate([to_cells(x)[0] for x in (show.prepare(light), show.draw(led).clamp(-1, 1), show.draw(one.ws).clamp(-1, 1))], 1))
            found.append(one.ws)
            sys.stdout.write(f"{one.psnr[0]:.1f} dB\n")
        walk = [to_cells(show.draw(torch.lerp(*found, t)).clamp(-1, 1))[0] for t in np.linspace(0, 1, 2 * 3)]
    above = draw_captions(np.concatenate(rows, 1), ("photograph", "at once", "projected") * 2)
    below = np.concatenate(walk, 1)
    save_sheet(ROOT / "docs" / "pictures" / "projection.jpg", np.concatenate([above, below])[::2, ::2])


if __name__ == "__main__":
    main(sys.argv[1:])
