"""Draw docs/pictures/repertoire.webp: ten seconds of looks of bloom, gate and beasts, a picture that moves for the README.

    python docs/pictures/repertoire.py
"""
import math
import pathlib
import sys

import torch
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.motion import Motion
from live.instrument import open as opening
from live.presets.preset import apply_preset

PIECES = (("bloom", "unfold"), ("gate", "knock"), ("beasts", "changeling"), ("bloom", "rose-window"), ("gate", "alphabet"), ("beasts", "roar"),
          ("gate", "watchman"), ("bloom", "carnivore"))
SIDE, DRAWN, FPS, SECONDS, BEFORE = 320, 512, 15, 1.25, 4.0             # px shown and drawn; seconds of each piece, and played before it
BEAT = 0.5                                                              # seconds


def hear(scene, time):
    """Return the scene with the sound of a kick on each beat, `time` seconds in."""
    since = time % BEAT
    loud = math.exp(-since / 0.12)
    bands = {f"/audio/{name}": loud for name in ("low", "mid", "high", "level")}
    return scene.set_values(bands | {f"/audio/{name}": float(since < 1 / FPS) for name in ("kick", "snare", "hat")})


def draw_piece(opened, name):
    """Return the frames of a look, a list of PIL images."""
    scene, motion = apply_preset(opened.open_library().read(name), opened.scene, Motion())
    motion, pictures = motion.advance(scene, 0.0), []
    for step in range(round((BEFORE + SECONDS) * FPS)):
        scene = hear(scene, step / FPS)
        motion = motion.advance(scene, 1 / FPS)
        if step >= round(BEFORE * FPS):
            pixels = opened.instrument.render(scene, motion).pixels
            pictures.append(Image.fromarray(pixels.copy()).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    return pictures


if __name__ == "__main__":
    with torch.no_grad():
        opened = {where: opening.open_instrument(ROOT / "presets" / where, DRAWN) for where in dict(PIECES)}
        pictures = [picture for where, name in PIECES for picture in draw_piece(opened[where], name)]
    target = pathlib.Path(__file__).parent / "repertoire.webp"
    pictures[0].save(target, save_all=True, append_images=pictures[1:], duration=round(1000 / FPS), loop=0, quality=62, method=4)
