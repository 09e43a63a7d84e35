"""Draw docs/pictures/NAME.jpg: a dozen pictures of a world as it draws itself, the first of them its middle.

    python docs/pictures/worlds.py bloom
"""
import pathlib
import sys

import torch
from PIL import Image

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from engine import world
from engine.generator import quantize
from engine.world.latent import Z_DIM

COLUMNS, ROWS, SIDE, SEED = 4, 3, 300, 3


def sheet(drawn):
    """Return the pictures of a world side by side, a PIL image."""
    z = torch.randn(COLUMNS * ROWS, Z_DIM, generator=torch.Generator().manual_seed(SEED))
    z[0] = 0
    pictures = torch.stack([quantize(drawn.draw(one, SIDE)) for one in z.split(1)]).numpy()
    rows = pictures.reshape(ROWS, COLUMNS, SIDE, SIDE, 3)
    return Image.fromarray(rows.swapaxes(1, 2).reshape(ROWS * SIDE, COLUMNS * SIDE, 3))


for name in sys.argv[1:] or world.list_names():
    sheet(world.find(name)).save(HERE / f"{name}.jpg", quality=88)
