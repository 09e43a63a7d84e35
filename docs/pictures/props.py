"""Draw what the edits of the built-in instruments lay on, as pictures with transparency beside the edits.

    python docs/pictures/props.py [NAME ...]
"""
import pathlib
import sys

import numpy as np
from PIL import Image

PRESETS = pathlib.Path(__file__).parents[2] / "presets"
FINE = 3                            # pixels drawn for each that is kept, each way
TONGUES = (                         # middle, height, width, how far its tip leans inwards
    (0.0, 1.75, 0.34, 0.0), (-0.48, 1.35, 0.3, 0.12), (0.48, 1.35, 0.3, -0.12), (-0.88, 0.95, 0.26, 0.25), (0.88, 0.95, 0.26, -0.25),
)
NIGHT = (0.05, 0.02, 0.08)


def grid(width, height):
    """Return x [W] in -aspect..aspect and y [H, 1] in -1..1, top to bottom, of FINE times as many pixels."""
    y, x = np.mgrid[:height * FINE, :width * FINE] + 0.5
    return (x / (width * FINE) * 2 - 1) * width / height, y / (height * FINE) * 2 - 1


def save(name, colour, cover, instrument="masks"):
    """Write a picture [H, W, 3] of 0..1 with its opacity [H, W], made smaller by FINE, beside an instrument's edits."""
    both = np.concatenate([colour * cover[..., None], cover[..., None]], 2)
    height, width = (side // FINE for side in cover.shape)
    both = both.reshape(height, FINE, width, FINE, 4).mean((1, 3))
    both[..., :3] /= np.maximum(both[..., 3:], 1e-3)
    Image.fromarray((both * 255 + 0.5).clip(0, 255).astype(np.uint8), "RGBA").save(PRESETS / instrument / "edits" / f"{name}.png")


def mix(first, second, share):
    return np.asarray(first) + (np.asarray(second) - np.asarray(first)) * np.clip(share, 0, 1)[..., None]


def draw_flame():
    """Five tongues of fire, red without, gold within."""
    x, y = grid(380, 300)
    heat = np.full(x.shape, -9.0)
    for middle, height, width, lean in TONGUES:
        up = (0.95 - y) / height                                              # 0 at its foot, 1 at its tip
        waist = width * np.sin(np.pi * np.clip(up, 0, 1) ** 0.55) * (1 - 0.25 * np.clip(up, 0, 1))
        way = x - middle - lean * up ** 2 - 0.06 * np.sin(5 * up + 7 * middle)
        heat = np.maximum(heat, np.where((up > 0) & (up < 1), 1 - np.abs(way) / np.maximum(waist, 1e-3), -9))
    colour = mix(mix((0.85, 0.06, 0.02), (1.0, 0.5, 0.0), heat / 0.45), (1.0, 0.95, 0.45), (heat - 0.4) / 0.35)
    save("flame", colour, (heat > 0).astype(float))


def draw_moustache():
    """A curled moustache, black with a light along it."""
    x, y = grid(300, 140)
    side = np.abs(x) / 2.0
    spine = -0.1 + 0.65 * np.sin(np.pi * np.clip(side * 1.25, 0, 1.5)) - 1.3 * np.clip(side - 0.55, 0, 1) ** 1.3
    thick = np.maximum(0.42 * np.sin(np.pi * np.clip(side * 0.92 + 0.14, 0, 1)), 1e-3)
    way = (y - spine) / thick
    shine = np.exp(-(way + 0.35) ** 2 / 0.05) * np.sin(np.pi * np.clip(side, 0, 1))
    save("moustache", mix(NIGHT, (0.55, 0.42, 0.7), shine * 0.8), ((np.abs(way) < 1) & (side < 0.93)).astype(float))


def draw_flower():
    """A daisy: nine white petals with dark edges, a dark heart with a light in it."""
    x, y = grid(300, 300)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    lobe = np.abs(np.cos(angle * 4.5))                                        # 1 along a petal's middle, 0 between two
    reach = 0.5 + 0.46 * lobe ** 0.5
    petal = np.clip((reach - radius) / 0.08, 0, 1) * np.clip(lobe / 0.25, 0.15, 1)
    colour = mix(NIGHT, (1.0, 0.98, 0.94), petal)
    heart = np.clip((0.3 - radius) / 0.03, 0, 1)
    colour = mix(colour, NIGHT, heart)
    colour = colour + (np.asarray((1.0, 0.9, 0.5)) - colour) * np.exp(-((x + 0.05) ** 2 + (y + 0.06) ** 2) / 0.012)[..., None]
    save("flower", colour, (radius < reach).astype(float))


def draw_mouth():
    """An open mouth: red lips, two rows of teeth, the dark between them."""
    x, y = grid(300, 200)
    t = x / 1.42
    arch = np.clip(1 - t * t, 0, 1)
    bow = 1 - 0.28 * np.exp(-(x / 0.2) ** 2) * (y < 0)                       # the dip in the upper lip
    lips = np.abs(y) - 0.92 * arch * bow
    inside = np.abs(y) - 0.55 * arch ** 1.2
    colour = mix((0.98, 0.30, 0.34), (0.55, 0.0, 0.08), np.abs(y) * 1.3 - 0.35)
    colour = mix(colour, (1.0, 0.86, 0.84), np.exp(-((y - 0.70 * arch) / 0.05) ** 2 - (x / 0.5) ** 2) * 0.9)
    gap = np.abs(x * 3.4 - np.round(x * 3.4))                                 # 0.5 between two teeth
    teeth = (np.abs(y) > 0.20 * arch + 0.12 * np.clip(gap - 0.36, 0, 1) * 4) & (gap < 0.47)
    throat = np.where(teeth[..., None], np.asarray((0.99, 0.97, 0.92)), np.asarray((0.12, 0.0, 0.03)))
    colour = np.where((inside < 0)[..., None], throat, colour)
    save("mouth", colour, (lips < 0).astype(float), "bloom")


def draw_eye():
    """An eye wide open on black, its iris gold: what looks out of a gate."""
    x, y = grid(300, 300)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    white = (np.abs(y) < 0.62 * np.clip(1 - (x / 0.94) ** 2, 0, 1)).astype(float)
    colour = mix((0.02, 0.015, 0.02), (0.98, 0.96, 0.92), white)
    iris = white * np.clip((0.44 - radius) / 0.02, 0, 1)
    gold = mix((0.95, 0.45, 0.02), (1.0, 0.85, 0.25), 0.5 + 0.5 * np.cos(angle * 14)) * (1 - 0.6 * np.clip((radius - 0.3) / 0.14, 0, 1))[..., None]
    colour = mix(colour, gold, iris)
    colour = mix(colour, (0.02, 0.015, 0.02), white * np.clip((0.20 - radius) / 0.02, 0, 1))
    colour = mix(colour, (1.0, 1.0, 1.0), np.clip((0.09 - np.hypot(x - 0.13, y + 0.14)) / 0.02, 0, 1))
    save("eye", colour, (radius < 0.97).astype(float), "gate")


PROPS = {"flame": draw_flame, "moustache": draw_moustache, "flower": draw_flower, "mouth": draw_mouth, "eye": draw_eye}

if __name__ == "__main__":
    for asked in sys.argv[1:] or PROPS:
        PROPS[asked]()
