"""Known controllers: each knob and fader of each profile does something that can be seen as soon as it is plugged in, or is a stated switch."""
from functools import lru_cache

import numpy as np
import pytest

from engine.errors import UserError
from engine.motion import Motion
from live.instrument.open import open_instrument
from live.mapping.macros import move_targets
from live.mapping.mapping import Mapping
from live.midi import devices
from live.midi.plays import ROWS, expand_plays
from live.show.events import Change, ControlEvent
from live.show.parameters import MACRO_PARAMETERS, add_parameters
from tests.live.mapping.test_generic import MACROS, SHIPPED

LEAST, SIZE = 4.0, 64               # of 255, mean over the picture, somewhere on its way
SWITCHES = ("solo", "mute", "record", "play", "stop", "rewind", "forward", "rec", "cycle", "track", "marker", "up", "down", "left", "right")
PLAYED = sorted({address for profile in devices.list_profiles().values() for address in profile.plays.values()})


@pytest.fixture(scope="module")
def instrument():
    return open_instrument(SHIPPED, SIZE, "cpu").instrument


@pytest.fixture(scope="module")
def start(instrument):
    return lru_cache(lambda: draw(instrument, add_parameters(instrument.scene())))


def draw(instrument, scene):
    """The picture a second and a half after something was turned; as dark as the blackout makes it."""
    motion = Motion()
    for _ in range(4):
        motion = motion.advance(scene, 0.4)
        picture = instrument.render(scene, motion).pixels
    return picture.astype(float)


@pytest.mark.parametrize("address", [address for address in PLAYED if not address.startswith("/output")])
def test_what_a_knob_plays_is_seen_on_a_played_show(instrument, start, address):
    scene = add_parameters(instrument.scene())
    parameter, change = scene.parameters[address], 0.0
    for position in (1.0, 0.0):
        changes = [Change(address, parameter.plain(position))]
        if address in MACRO_PARAMETERS:
            changes += move_targets(address, position, scene, MACROS)
        change = max(change, np.abs(draw(instrument, scene.set(changes)) - start()).mean())
        if change >= LEAST:
            return
    raise AssertionError(f"{address}: {change:.1f} of 255 over its way")


@pytest.mark.parametrize("name", sorted(devices.list_profiles()))
def test_each_knob_of_a_profile_plays_something_or_is_a_switch(name):
    profile = devices.list_profiles()[name]
    known = add_parameters(open_scene()).parameters
    for called, control in profile.controls.items():
        if control in profile.plays:
            assert profile.plays[control] in known
        else:
            assert control.startswith("note") or called.split(" ")[0] in SWITCHES, called


@lru_cache
def open_scene():
    return open_instrument(SHIPPED, SIZE, "cpu").instrument.scene()


def test_a_fader_of_a_known_controller_plays_and_a_mapping_overrules_it(tmp_path):
    event = lambda value: ControlEvent("cc 1/0 @ nanoKONTROL2 MIDI 1", value)
    scene = add_parameters(open_scene())
    changed = lambda mapping: [change.address for value in (0.0, 0.4, 0.9) for change in mapping.translate([event(value)], scene)]
    assert "/macro/1" in changed(Mapping.load())
    (tmp_path / "mine.yaml").write_text("schema: 1\nprofile: nanokontrol2\nbindings: [{control: fader 1, to: /factors/smile, takeover: jump}]\n")
    mine = changed(Mapping.load([tmp_path / "mine.yaml"]))
    assert "/factors/smile" in mine and "/macro/1" not in mine


def test_what_a_row_plays_is_checked():
    assert expand_plays(["macros", "/truncation"], 9, "x")[-2:] == ("/macro/8", "/truncation") and all(ROWS.values())
    with pytest.raises(UserError, match="x: expected an address, or one of macros"):
        expand_plays(["macro"], 8, "x")
    with pytest.raises(UserError, match="1 addresses for 8 controls"):
        expand_plays(["master"], 8, "x")
