"""Whatever one adds or turns is seen: every transform at its default on every part, and the source's fader over all of its way."""
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.bends import TRANSFORMS
from engine.motion import Motion
from engine.rewriting.marks import world_region
from engine.source import INTO
from engine.world import MASKS
from live.instrument.open import open_instrument

SHIPPED = Path(__file__).parents[2] / "presets" / "masks"
SIZE, PSI, LEAST = 64, 0.9, 8.0     # LEAST: of 255, mean inside the part
SEEDS = (101, 102)
PARTS = {"eyes": "left_eye+right_eye+iris+pupil+lids", "mouth": "lips+mouth+teeth", "nose": "nose", "crown": "crown+jewel",
         "head": "head+face_paint+nose+lips+mouth+teeth+lids+left_eye+right_eye+iris+pupil+brows", "halo": "halo+rays", "collar": "collar"}
OTHERS = {"mouth": "crown"}         # where a transform leads from one part to another; from the others, to the mouth


@pytest.fixture(scope="module")
def instrument():
    return open_instrument(SHIPPED, SIZE, "cpu").instrument


@lru_cache
def inside(seed, part):
    """Where a part is, [SIZE, SIZE]."""
    z = torch.from_numpy(np.random.RandomState(seed).randn(64).astype(np.float32))[None]
    return world_region(PARTS[part], z, PSI, SIZE)[0].numpy() > 0.5


def draw(instrument, seed, bends=(), frames=1):
    """The last picture of a walk that stands still, or goes on where there are several."""
    walk = {"/walk/kind": "hold", "/walk/seed": seed} if frames == 1 else {"/walk/kind": "loop", "/walk/seed": seed, "/walk/period": 2.0}
    scene = instrument.scene(tuple(bends)).set_values({**walk, "/truncation": PSI})
    motion = Motion()
    for _ in range(frames):
        motion = motion.advance(scene, 0.1)
        picture = instrument.render(scene, motion).pixels
    return picture.astype(int)


@pytest.fixture(scope="module")
def plain(instrument):
    return lru_cache(lambda seed, frames: draw(instrument, seed, (), frames))


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_a_transform_shows_at_every_part(instrument, plain, name):
    frames = 8 if name == "feedback" else 1                     # it shows what was there before
    for part in PARTS:
        where = f"part:{part},{OTHERS.get(part, 'mouth')}" if name in ("swap", "move_to") else f"part:{part}"
        bend = instrument.new_bend({"name": "b", "where": where, "transform": name}).with_values({}, 1.0)
        change = []
        for seed in SEEDS:
            after = np.abs(draw(instrument, seed, [bend], frames) - plain(seed, frames)).mean(2)
            if name == "feedback":                                          # the part has moved on: an area of its size
                change.append(np.sort(after.flatten())[-inside(seed, part).sum():].mean())
            else:
                change.append(after[inside(seed, part)].mean())
        assert np.mean(change) >= LEAST, part


@pytest.mark.parametrize("into", INTO)
def test_the_source_comes_in_evenly(instrument, into):
    scene, picture = instrument.scene(), np.asarray(stage_person())
    seen = []
    for mix in np.linspace(0, 1, 6):
        there = scene.set_values({"/walk/kind": "hold", "/walk/seed": 5, "/source/mix": float(mix), "/source/into": into, "/source/rate": 60.0})
        motion = Motion()
        for _ in range(4):
            motion = motion.advance(there, 0.5)
            frame = instrument.render(there, motion, picture)
        seen.append(frame.pixels.astype(int))
    steps = [np.abs(after - before).mean() for before, after in zip(seen, seen[1:])]
    assert min(steps) > 1 and max(steps) < 2.5 * min(steps), steps


def stage_person():
    """A drawn person before a camera, uint8 [128, 128, 3]."""
    z = torch.from_numpy(np.random.RandomState(7).randn(1, 64).astype(np.float32))
    return ((MASKS.draw(z, 128)[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).to(torch.uint8).numpy()


def test_the_noise_fader_is_even(instrument):
    scene, motion = instrument.scene(), Motion()
    at = [scene.set_values({"/walk/kind": "hold", "/noise/strength": scene.parameters["/noise/strength"].plain(n / 5)}) for n in range(6)]
    seen = [instrument.render(there, motion.advance(there, 0.1)).pixels.astype(int) for there in at]
    steps = [np.abs(after - before).mean() for before, after in zip(seen, seen[1:])]
    assert max(steps) < 2 * min(steps), steps
