"""Draw the pictures of docs/frame.md: the built-in instrument in other shapes, its ways to go on, and a look inside it.

    python docs/pictures/frame.py
"""
import pathlib
import sys

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.motion import Motion
from live.instrument import open as opening
from live.presets.preset import apply_preset

HERE = pathlib.Path(__file__).parent
SIZE, GAP = 512, 8
MASKS = ROOT / "presets" / "masks"


def opened(frame):
    return opening.open_instrument(MASKS, SIZE, "cpu", frame=frame)


def drawn(instrument, seed, **values):
    turned = {f"/frame/{name}": value for name, value in values.items()}
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/walk/seed": seed, "/truncation": 0.8} | turned)
    return instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy()


def preset(found, name, seconds):
    scene, motion = apply_preset(found.open_library().read(name), found.scene, Motion())
    motion = motion.advance(scene, 0.0)
    for _ in range(round(seconds * 10)):
        motion = motion.advance(scene, 0.1)
    return found.instrument.render(scene, motion).pixels.copy()


def high(picture, height):
    """A picture at another height."""
    return np.asarray(Image.fromarray(picture).resize((round(picture.shape[1] * height / picture.shape[0]), height), Image.Resampling.LANCZOS))


def beside(pictures):
    gap = np.zeros((pictures[0].shape[0], GAP, 3), np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], 1)


def below(rows):
    width = min(row.shape[1] for row in rows)
    gap = np.zeros((GAP, width, 3), np.uint8)
    return np.concatenate([part for row in rows for part in (row[:, :width], gap)][:-1])


def main():
    wide, tall, long = opened("16:9"), opened("9:16"), opened("4:1")
    square = opened("")
    row = beside([high(drawn(square.instrument, 77), 360), high(drawn(wide.instrument, 77), 360), high(drawn(tall.instrument, 77), 360)])
    strip = high(drawn(long.instrument, 5), round(row.shape[1] / 4))
    save("frame", below([row, strip]))
    ways = [high(drawn(wide.instrument, 23, **{"continue": way}), 240) for way in ("tile", "mirror", "edge", "noise")]
    loose = [high(drawn(wide.instrument, 5, keep=keep), 240) for keep in (1, 0)]
    save("frame-ways", below([beside(ways[:2]), beside(ways[2:]), beside(loose)]))
    save("frame-preset", preset(wide, "frieze", 5.0))
    save("wide", preset(opened("3:1"), "frieze", 5.0))                       # the README's
    names = ("layer b32.conv1", "layer b64.conv1", "layer b128.conv1", "layer b64.conv1 tiles")
    wide.instrument.watch(names)
    drawn(wide.instrument, 77)
    inside = [high(wide.instrument.look_inside(name), 240) for name in names]
    save("inside", below([beside(inside[:2]), beside(inside[2:])]))


def save(name, picture):
    Image.fromarray(picture).save(HERE / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
