"""Make networks.jpg and mattes.jpg: a show that crosses over to another network, which is a rewritten one of our own here, and ways to mix the two.

    python docs/pictures/networks.py
"""
import pathlib
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.checkpoints import convert
from engine.motion import Motion
from engine.rewriting import load
from live.files.sheets import save_sheet
from live.instrument.carrying import carry_scene
from live.instrument.crossing import Crossing
from live.instrument.open import open_instrument

STEPS = 6
MATTES = (("fade", 32), ("luma", 32), ("map", 8), ("map", 32), ("map", 128))


def main():
    with tempfile.TemporaryDirectory() as folder:
        edits = [(load(ROOT / "presets" / "masks" / "edits" / f"{name}.safetensors"), 1.0) for name in ("no-eyes", "no-mouth")]
        convert(ROOT / "presets" / "masks" / "generator.safetensors", f"{folder}/blank.safetensors", edits=edits)
        old, new = open_instrument("presets/masks", 256, "cpu"), open_instrument(f"{folder}/blank.safetensors", 256, "cpu")
        scene = old.begin().set_values({"/walk/kind": "hold", "/walk/seed": 18, "/truncation": 0.9})
        motion = Motion().advance(scene, 0.0)
        there = carry_scene(scene.set_values({"/walk/seed": 22}), new, new.begin())[0]
        crossing, shown = Crossing(new.instrument, old.instrument, scene, motion, (256, 256)), []
        for step in range(STEPS):
            crossing.at = step / (STEPS - 1)
            shown.append(crossing.render(there, Motion().advance(there, 0.0), None).pixels.copy())
        save_sheet(ROOT / "docs" / "pictures" / "networks.jpg", np.concatenate(shown, 1))
        there = there.set_values({"/walk/seed": 31, "/truncation": 0.7})
        mixed = [mix(crossing, there, 0.5, matte, layer) for matte, layer in MATTES]
        save_sheet(ROOT / "docs" / "pictures" / "mattes.jpg", np.concatenate(mixed, 1))


def mix(crossing, there, share, matte, layer):
    """Return the picture of the two under a fader."""
    for _ in range(2):                               # a map is there from the picture drawn with it on
        crossing.hold(0.0, share, matte, layer)
        shown = crossing.render(there, Motion().advance(there, 0.0), None).pixels
    return shown.copy()


if __name__ == "__main__":
    main()
