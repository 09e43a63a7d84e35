"""The echo: what was shown before stays in the picture, grows, turns and fades, the same at any rate of frames; off it costs nothing."""
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.echo import PARAMETERS, Echo
from engine.motion import Motion
from live.instrument.open import open_instrument
from live.show.events import Change

DEFAULTS = {address: parameter.default for address, parameter in PARAMETERS.items()}


def turned(**values):
    return DEFAULTS | {"/echo/amount": 1.0, "/echo/zoom": 1.0} | {f"/echo/{name}": value for name, value in values.items()}


def dot(x=8, y=16, size=32, level=240):
    picture = torch.zeros(size, size, 3, dtype=torch.uint8)
    picture[y - 2:y + 2, x - 2:x + 2] = level
    return picture


def last(scene, pictures, dt=1 / 30):
    echo, shown = Echo(), None
    for n, picture in enumerate(pictures):
        shown = picture.clone()
        echo.play(scene, n * dt, shown)
    return shown


def test_off_it_leaves_the_pixels_alone_and_remembers_nothing():
    echo = Echo()
    shown = dot()
    echo.play(DEFAULTS, 0.0, shown)
    assert torch.equal(shown, dot())
    dark = torch.zeros_like(shown)
    echo.play(turned(), 0.1, dark)
    assert dark.max() == 0


@pytest.mark.parametrize("way", ("light", "over"))
def test_what_was_shown_stays_and_fades_to_a_tenth(way):
    dark = torch.zeros(32, 32, 3, dtype=torch.uint8)
    for fps in (15, 60):                                            # the same after a second at either rate
        shown = last(turned(decay=1.0, way=way), [dot()] + [dark] * fps, 1 / fps)
        assert abs(int(shown[16, 8, 0]) - 24) <= 2, fps
    assert last(turned(decay=0.05, way=way), [dot()] + [dark] * 30).max() == 0


def test_half_of_it_is_half_seen():
    whole, half = (last(turned(amount=amount), [dot(8), dot(24)]).int() for amount in (1.0, 0.5))
    assert abs(half[16, 8, 0] * 2 - whole[16, 8, 0]) <= 4 and whole[16, 24, 0] == half[16, 24, 0] == 240


def middle(picture):
    light = picture[..., 0].double()
    at = torch.arange(len(light)) - (len(light) - 1) / 2
    return float((light.sum(0) * at).sum() / light.sum()), float((light.sum(1) * at).sum() / light.sum())


def test_it_grows_and_turns_by_the_second():
    dark = torch.zeros(64, 64, 3, dtype=torch.uint8)
    grown = last(turned(zoom=2.0, decay=60.0), [dot(24, 32, 64)] + [dark] * 30)
    assert middle(grown)[0] == pytest.approx(-16, abs=1.0) and middle(grown)[1] == pytest.approx(0, abs=0.7)
    turn = last(turned(turn=90.0, decay=60.0), [dot(48, 32, 64)] + [dark] * 30)    # counter-clockwise: from the right to the top
    assert middle(turn)[0] == pytest.approx(0, abs=1.0) and middle(turn)[1] == pytest.approx(-16, abs=1.0)


def test_other_shapes_and_large_pictures():
    for shape in ((40, 90, 3), (600, 500, 3), (1, 1, 3)):
        bright = torch.full(shape, 200, dtype=torch.uint8)
        shown = last(turned(decay=60.0), [bright, torch.zeros_like(bright)])
        assert shown.shape == shape and shown.float().mean() > 150


@pytest.fixture(scope="module")
def opened():
    return open_instrument(Path(__file__).parents[2] / "presets" / "masks", 64, "cpu")


def frames(opened, *changes, count=6):
    scene = opened.scene.set([Change("/walk/kind", "wander"), Change("/walk/speed", 2.0), *changes])
    motion, shown = Motion(), []
    opened.instrument._echo.forget()
    for _ in range(count):
        motion = motion.advance(scene, 1 / 10)
        shown.append(opened.instrument.render(scene, motion).pixels.astype(np.int16))
    return shown


def test_in_a_show_it_is_seen_and_the_same_again(opened):
    plain, echoed, again = frames(opened), frames(opened, Change("/echo/amount", 1.0)), frames(opened, Change("/echo/amount", 1.0))
    assert np.array_equal(plain[0], echoed[0])                      # nothing was shown before the first
    assert np.abs(echoed[-1] - plain[-1]).mean() > 5
    assert all(np.array_equal(a, b) for a, b in zip(echoed, again))


def test_it_goes_on_fading_where_the_picture_stands_still(opened):
    scene = opened.scene.set([Change("/walk/kind", "hold"), Change("/echo/amount", 1.0), Change("/echo/decay", 0.6)])
    other = scene.set([Change("/walk/seed", 77)])
    motion = Motion().advance(scene, 0.0)
    opened.instrument.render(other, Motion().advance(other, 0.0))
    shown = []
    for _ in range(25):
        motion = motion.advance(scene, 1 / 10)
        shown.append(opened.instrument.render(scene, motion).pixels.astype(np.int16))
    still = opened.instrument.render(scene.set([Change("/echo/amount", 0.0)]), motion).pixels.astype(np.int16)
    assert np.abs(shown[0] - still).mean() > 2 * np.abs(shown[-1] - still).mean()
    assert np.abs(shown[-1] - shown[-2]).max() <= 1                 # at rest: it lies beside itself, as it grows
