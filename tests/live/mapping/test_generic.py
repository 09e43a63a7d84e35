"""The generic mapping: with any controller plugged in, every knob does something that can be seen, in the state a show begins in."""
from pathlib import Path

import numpy as np
import pytest

from engine import checkpoints
from engine.instrument import Instrument
from engine.motion import Motion
from live.instrument import folder
from live.mapping.files import FOLDER, read
from live.mapping.macros import move_targets
from live.show.events import Change
from live.show.parameters import MACRO_PARAMETERS, add_parameters

SHIPPED = Path(__file__).parents[3] / "presets" / "masks"
FOUND = read(FOLDER / "generic_midi.yaml")
MACROS = {macro.macro: macro for macro in folder.find(SHIPPED).macros}
KNOBS = [binding for binding in FOUND.bindings if binding.control.startswith("cc ")]
LEAST = 4.0                         # of 255, mean over the picture, somewhere on its way


@pytest.fixture(scope="module")
def instrument():
    made = Instrument(checkpoints.load(SHIPPED / "generator.safetensors"), 128)
    made.know_world()
    return made


def picture(instrument, scene):
    """The picture a second and a half after the knob was turned."""
    motion = Motion()
    for _ in range(3):
        motion = motion.advance(scene, 0.5)
    return instrument.render(scene, motion).pixels.astype(int)


def turned(scene, binding, position):
    """The scene with a knob at 0..1 of its way, and what it moves with it."""
    low, high = binding.range or (0.0, 1.0)
    value = scene.parameters[binding.to].plain(low + (high - low) * position)
    changes = [Change(binding.to, value)]
    if binding.to in MACRO_PARAMETERS:
        changes += move_targets(binding.to, value, scene, MACROS)
    return scene.set(changes)


@pytest.mark.parametrize("binding", KNOBS, ids=lambda b: f"{b.control} {b.to}")
def test_a_knob_shows(instrument, binding):
    scene = add_parameters(instrument.scene())
    start = picture(instrument, scene)
    seen = [picture(instrument, turned(scene, binding, position)) for position in (0.0, 0.5, 1.0)]
    assert max(np.abs(there - start).mean() for there in seen) >= LEAST


def test_all_eight_macros_are_filled_and_begin_where_the_walk_is(instrument):
    scene = add_parameters(instrument.scene())
    assert sorted(MACROS) == list(range(1, 9)) and all(macro.name and macro.to for macro in MACROS.values())
    for address in MACRO_PARAMETERS:
        assert all(change.value == scene[change.address] for change in move_targets(address, 0.0, scene, MACROS))


@pytest.mark.parametrize("kind", ("loop", "circle", "wander"))
def test_speed_drives_every_walk_that_moves(instrument, kind):
    scene = instrument.scene().set([Change("/walk/kind", kind)])

    def place(speed, seconds=1.0):
        motion = Motion()
        for _ in range(10):
            motion = motion.advance(scene.set([Change("/walk/speed", speed)]), seconds / 10)
        return motion

    assert place(0.0).walk == 0.0
    assert place(0.5).walk == pytest.approx(place(0.25, 2.0).walk) and place(0.5).walk > 0
    back = place(-0.25)
    assert back.walk < 0 or back.walk == pytest.approx(6 - place(0.25).walk)      # a closed one comes round from its end
