"""Draw the contact sheet of an instrument's presets, and the picture of each that the page shows.

    python docs/pictures/presets.py                     every instrument in presets/
    python docs/pictures/presets.py presets/bloom       one

The sheets are docs/pictures/presets.jpg (the built-in instrument) and presets-NAME.jpg; the single pictures lie beside the presets, in scenes/.thumbs.
"""
import pathlib
import sys
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.motion import Motion
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.presets.preset import apply_preset
from live.surface.preview import encode_jpeg
from live.surface.thumbnails import SIDE, Thumbnails

HERE = pathlib.Path(__file__).parent
WALKED = 5.0                                                # seconds into each preset
COLUMNS, WIDTH = 7, 210


def draw(where):
    """Write the pictures of one instrument's presets, and its sheet."""
    opened = opening.open_instrument(where)
    library = opened.open_library()
    kept = Thumbnails(SimpleNamespace(recall=SimpleNamespace(library=library, has_library=True)), None)
    for old in (opened.folder.scenes / ".thumbs").glob("*.jpg"):
        old.unlink()
    pictures = {name: frame(opened, *apply_preset(library.read(name), opened.scene, Motion()), WALKED) for name in library.list_names()}
    for name, pixels in pictures.items():
        kept.store(name, kept.hash_preset(name), encode_jpeg(pixels, SIDE))
    built_in = opened.folder.folder.resolve() == instruments.BUILT_IN.resolve()
    lay_out(list(pictures.values())).save(HERE / ("presets.jpg" if built_in else f"presets-{opened.folder.folder.name}.jpg"), quality=88)


def frame(opened, scene, motion, seconds):
    """Return the picture so many seconds on, at a hit: presets that hear should be seen hearing."""
    motion = motion.advance(scene, 0.0)
    for left in reversed(range(round(seconds * 10))):
        loud = float(left == 0)
        scene = scene.set_values({"/audio/kick": loud, "/audio/snare": loud, "/audio/hat": loud, "/audio/low": 0.8, "/audio/mid": 0.7, "/audio/high": 0.6})
        motion = motion.advance(scene, 0.1)
    return opened.instrument.render(scene, motion).pixels.copy()


def lay_out(pictures):
    """Return pictures in rows, each WIDTH px wide; what is left of the last row is black."""
    small = [np.asarray(Image.fromarray(one).resize((WIDTH, WIDTH), Image.LANCZOS)) for one in pictures]
    small += [np.zeros_like(small[0])] * (-len(small) % COLUMNS)
    rows = [np.concatenate(small[i:i + COLUMNS], 1) for i in range(0, len(small), COLUMNS)]
    return Image.fromarray(np.concatenate(rows))


if __name__ == "__main__":
    with torch.no_grad():
        for where in sys.argv[1:] or sorted(path.parent for path in (ROOT / "presets").glob("*/instrument.yaml")):
            draw(where)
