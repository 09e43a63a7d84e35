"""Draw docs/pictures/sources.jpg: a video of the world, and what the built-in instrument makes of it.

    python docs/pictures/sources.py [VIDEO.mp4]

The video is made by PyAV: a picture on a wall of clutter, before a camera that moves, with something passing in front.
"""
import math
import pathlib
import sys
import tempfile
from fractions import Fraction

import av
import numpy as np
import torch
from torch.nn import functional as F

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.motion import Motion
from engine.walks import spline
from engine.world import draw
from live import sources
from live.files import sheets
from live.instrument import open as opening
from live.sources import flags as seeing

WIDTH, HEIGHT, FRAMES, FPS = 640, 480, 150, 30
SHOWN = (55, 85, 115)
LOOKS = ((1, 0.0), (1, 1.0), (7, 1.0))                            # (seed of the walk, /source/style/middle)


def film(path):
    """Write the video."""
    rng = np.random.default_rng(5)
    wall = np.full((HEIGHT + 160, WIDTH + 260, 3), (70, 80, 90), np.float32)
    for _ in range(60):
        x, y, w, h = rng.integers(0, WIDTH + 260), rng.integers(0, HEIGHT + 160), rng.integers(20, 160), rng.integers(20, 120)
        wall[y:y + h, x:x + w] = rng.integers(20, 230, 3)
    keys = torch.randn(6, 64, generator=torch.Generator().manual_seed(21))
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=FPS, options={"crf": "28"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for i in range(FRAMES):
            picture = _frame(i, wall, keys) + rng.normal(0, 4, (HEIGHT, WIDTH, 3))
            frame = av.VideoFrame.from_ndarray(np.clip(picture, 0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def _frame(i, wall, keys):
    z = sum(keys[point % len(keys)] * weight for point, weight in spline(i / FRAMES * len(keys), lambda n: n))
    side = int(480 * (0.86 + 0.06 * math.sin(i * 0.021)))
    face = F.interpolate(draw((z / z.norm() * 8)[None], 512), (side, side), mode="area")[0].permute(1, 2, 0).numpy() * 127.5 + 127.5
    right, down = int(60 + 50 * math.sin(i * 0.05)), int(60 + 40 * math.sin(i * 0.037))
    picture = wall[down:down + HEIGHT, right:right + WIDTH].copy()
    x, y = 80 + int((480 - side) / 2 + 18 * math.sin(i * 0.06)), int((480 - side) / 2 + 10 * math.sin(i * 0.045))
    picture[y:y + side, x:x + side] = face
    passing = i * 7 % 900 - 120
    picture[300:360, max(0, passing):max(0, passing + 50)] = (200, 60, 40)
    return picture


def shown(opened, picture, seed, middle):
    """What the instrument makes of a picture, with the look of a walk's seed."""
    scene = opened.scene.set_values({"/source/mix": 1.0, "/walk/kind": "hold", "/walk/seed": seed, "/source/style/middle": middle})
    opened.instrument.live_encoder.forget()
    return opened.instrument.render(scene, Motion().advance(scene, 0.0), picture).pixels.copy()


def square(picture, side):
    """The picture between black bars."""
    whole, top = np.zeros((side, side, 3), np.uint8), (side - len(picture)) // 2
    whole[top:top + len(picture)] = picture
    return whole


def main(path=None):
    with tempfile.TemporaryDirectory() as folder:
        path = path or f"{folder}/world.mp4"
        if not pathlib.Path(path).exists():
            film(path)
        opened = opening.open_instrument("presets/masks", 256)
        video = sources.make(f"video={path}", seeing.find_longest_side(opened.instrument))
        cells = []
        for number in SHOWN:
            picture = video.at(number)
            cells += [square(picture, 256), *(shown(opened, picture, *look) for look in LOOKS)]
        sheets.save_sheet(pathlib.Path(__file__).with_suffix(".jpg"), sheets.draw_sheet(cells, 1 + len(LOOKS)))


if __name__ == "__main__":
    main(*sys.argv[1:2])
