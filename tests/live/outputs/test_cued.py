"""The cued look as the picture of an output: drawn by the studio, only while it is shown."""
import threading

import numpy as np

from engine.checkpoints import native
from engine.instrument import Instrument
from engine.motion import Motion
from live.outputs.cued import CuedLook
from live.presets.library import Library
from live.presets.preset import make_preset
from tests.conftest import tiny

PATIENCE = 180.0


def until(ready):
    waiting, left = threading.Event(), PATIENCE
    while not ready() and left > 0:
        waiting.wait(0.05)
        left -= 0.05
    assert ready()


def test_a_cued_preset_is_drawn_and_nothing_where_none_is(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    generator = tiny()
    native.save(folder / "generator.safetensors", generator)
    (folder / "instrument.yaml").write_text("schema: 1\nname: tiny\ngenerator: generator.safetensors\n")
    instrument = Instrument(generator)
    library = Library(folder / "scenes", instrument.scene(), "tiny", native.generator_hash(generator))
    scene = instrument.scene().set_values({"/walk/seed": 9, "/walk/kind": "hold"})
    library.store("dream", make_preset(scene, Motion().advance(scene, 0.0)))
    library.close()
    cued = CuedLook(str(folder))
    try:
        assert cued.take_picture(None) is None and cued.worker._process is None
        until(lambda: cued.take_picture("dream") is not None)
        found, wanted = cued.take_picture("dream"), instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy()
        other = scene.set_values({"/walk/seed": 10})
        other = instrument.render(other, Motion().advance(other, 0.0)).pixels
        assert found.shape == (32, 32, 3)
        grey = lambda pixels: pixels.astype(int).mean(2)                    # a JPEG: most of its colours are left out
        assert np.abs(grey(found) - grey(wanted)).mean() < 0.5 * np.abs(grey(found) - grey(other)).mean()
        assert cued.take_picture(None) is None and cued.take_picture("nowhere") is None
    finally:
        cued.close()
