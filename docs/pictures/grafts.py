"""Make grafts.jpg: pictures of the built-in network and of another, and the first grafted into the second at four layers; a row for each other.

    python docs/pictures/grafts.py RELATIVE.safetensors STRANGER.safetensors
"""
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.grafting import Grafting
from engine.motion import Motion
from live.files.sheets import save_sheet
from live.instrument.open import open_instrument

SIZES = (8, 16, 32, 64)


def make_row(other):
    """Return the pictures side by side, uint8 [256, 6 * 256, 3]."""
    giver, taker = open_instrument("presets/masks", 256, "cpu", 1), open_instrument(other, 256, "cpu", 1)
    theirs, ours = (one.begin().set_values({"/walk/kind": "hold", "/walk/seed": seed, "/truncation": 0.9}) for one, seed in ((giver, 18), (taker, 22)))
    still = Motion().advance(theirs, 0.0), Motion().advance(ours, 0.0)
    shown = [giver.instrument.render(theirs, still[0]).pixels.copy(), taker.instrument.render(ours, still[1]).pixels.copy()]
    for size in SIZES:
        graft = Grafting(giver.instrument, taker.instrument, f"b{size}.conv1")
        if not graft.kin:
            graft.measure()
        graft.play(1.0, theirs, still[0])
        shown.append(taker.instrument.render(ours, still[1]).pixels.copy())
        graft.end()
    return np.concatenate(shown, 1)


if __name__ == "__main__":
    save_sheet(ROOT / "docs" / "pictures" / "grafts.jpg", np.concatenate([make_row(other) for other in sys.argv[1:]]))
