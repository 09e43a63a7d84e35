"""The built-in instrument in other shapes: as it was looked at and found good (goldens/), and its middle against the square picture.

Run this file as a program to draw the goldens anew; look at them before they are kept.
"""
import pathlib
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from engine import checkpoints
from engine.instrument import Instrument
from engine.motion import Motion

GOLDENS = pathlib.Path(__file__).parent / "goldens"
NETWORK = pathlib.Path(__file__).parents[2] / "presets" / "masks" / "generator.safetensors"
SHOWN = {"16x9": (Fraction(16, 9), 77), "9x16": (Fraction(9, 16), 23), "panorama": (Fraction(4), 5)}
SIZE = 128


@pytest.fixture(scope="module")
def masks():
    return checkpoints.load(NETWORK, "cpu")


def drawn(network, seed, size=SIZE, frame=None, **values):
    instrument = Instrument(network, size, frame=frame)
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/walk/seed": seed, "/truncation": 0.8} | values)
    return instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy()


@pytest.mark.parametrize("name", SHOWN)
def test_the_built_in_instrument_in_other_shapes(masks, name):
    ratio, seed = SHOWN[name]
    golden = np.asarray(Image.open(GOLDENS / f"wide_{name}.jpg").convert("RGB")).astype(int)
    found = drawn(masks, seed, frame=ratio).astype(int)
    assert found.shape == golden.shape
    assert np.abs(found - golden).mean() < 3                                # 2 of it is what JPEG loses


@pytest.mark.parametrize("size", [128, 256])
@pytest.mark.parametrize("name", SHOWN)
def test_its_middle_is_the_square_picture(masks, name, size):
    ratio, _ = SHOWN[name]
    for seed, way in ((5, "tile"), (23, "mirror"), (77, "noise")):
        square, found = drawn(masks, seed, size).astype(int), drawn(masks, seed, size, ratio, **{"/frame/continue": way}).astype(int)
        found, square = (found, square) if ratio > 1 else (found.swapaxes(0, 1), square.swapaxes(0, 1))
        start = (found.shape[1] - size) // 2
        off = np.abs(found[:, start:start + size] - square)
        assert off[:, size // 4:-size // 4].max() <= 2, (seed, way)
        assert off.mean() < 8                                               # and beyond, it is the same figure


def main():
    network = checkpoints.load(NETWORK, "cpu")
    GOLDENS.mkdir(exist_ok=True)
    for name, (ratio, seed) in SHOWN.items():
        Image.fromarray(drawn(network, seed, frame=ratio)).save(GOLDENS / f"wide_{name}.jpg", quality=95, subsampling=0)


if __name__ == "__main__":
    main()
