"""Draw docs/pictures/parts.mp4, 20 s: the eyes grow with an LFO, the mouth follows a factor, the crown repeats in a ring, a face before a camera takes over.

    python docs/pictures/parts_clip.py [SECONDS]

The person is drawn by the world's own people; shown beside the mask while it leads.
"""
import math
import pathlib
import sys
from fractions import Fraction

import numpy as np
import torch

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.modulation import Modulator
from engine.motion import Motion
from engine.world import MASKS
from engine.world.latent import Z_DIM
from engine.world.masks.people import Pose, people
from live.instrument.open import open_instrument
from live.outputs.recorder import Coding, VideoFile

SIZE, FPS, SEED = 256, 15, 12
PART = 5.0                          # seconds of each of the four


def scene_of(opened):
    """Return the scene to begin with: all that is played is in it, at nothing."""
    instrument = opened.instrument
    eyes = instrument.new_bend({"name": "eyes", "where": "part:eyes", "transform": "grow"}).with_values({"amount": 0.0}, 1.0)
    crown = instrument.new_bend({"name": "crown", "where": "part:crown", "transform": "repeat"}).with_values({"count": 7, "size": 0.0, "spread": 0.62}, 1.0)
    scene = opened.scene.with_bends([eyes, crown]).with_modulators([Modulator("lfo", "/bends/eyes/amount")])
    return scene.set_values({"/walk/kind": "wander", "/walk/speed": 0.1, "/walk/seed": SEED, "/truncation": 0.9, "/source/into": "factors", "/source/rate": FPS,
                             "/modulators/lfo/shape": "sine", "/modulators/lfo/rate": 0.8, "/modulators/lfo/polarity": "up", "/modulators/lfo/depth": 0.0})


def played(t: float) -> dict:
    """Return what is turned t seconds in."""
    def during(part):
        return min(max(min(t - part * PART, (part + 1) * PART - t) / 0.5, 0.0), 1.0)

    return {"/modulators/lfo/depth": 0.28 * during(0), "/factors/mouth-open": during(1) * math.sin(2 * math.pi * 1.2 * t), "/factors/smile": 0.6 * during(1),
            "/bends/crown/size": 0.5 * during(2), "/bends/crown/angle": 40 * (t - 2 * PART), "/source/mix": 1.0 if t >= 3 * PART else 0.0}


def person(u, t: float, source):
    """Return who stands before the camera at t, uint8 [SIZE, SIZE, 3]."""
    u = u.clone()
    for name, value in {"mouth_open": 0.5 + 0.48 * math.sin(5 * t), "gaze_x": 0.5 + 0.45 * math.sin(2.1 * t), "eye_open": 0.75}.items():
        u[0, MASKS.names.index(name)] = value
    pose = Pose(*(torch.tensor([v]) for v in (0.25 * math.sin(1.3 * t), 0.06 * math.sin(2 * t), 0.95, 0.2 * math.sin(1.7 * t))))
    shown = people(u, pose, SIZE, source.manual_seed(5))
    return ((shown[0].permute(1, 2, 0) + 1) * 127.5).byte().numpy()


def main(seconds: float = 4 * PART):
    opened = open_instrument(ROOT / "presets" / "masks", SIZE, "cpu")
    source = torch.Generator().manual_seed(SEED)
    u = MASKS.uniform(torch.randn(1, Z_DIM, generator=source))
    scene, motion, video = scene_of(opened), Motion(), None
    for n in range(round(seconds * FPS)):
        t = n / FPS
        seen = person(u, t, torch.Generator()) if t >= 3 * PART - 0.2 else None
        scene = scene.set_values(played(t))
        motion = motion.advance(scene, 1 / FPS)
        pixels = opened.instrument.render(scene, motion, seen).pixels
        beside = np.zeros_like(pixels) if seen is None else seen
        frame = np.concatenate([pixels, beside], 1)
        if video is None:
            video = VideoFile(ROOT / "docs" / "pictures" / "parts.mp4", *frame.shape[:2], Coding(crf=23, container=".mp4"), FPS, Fraction(1, FPS))
        video.write(frame, n)
    video.close()


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
