"""Framing: pixels are where arithmetic puts them. SURFACE.md O.7 (8) and (9)."""
import math

import numpy as np
import pytest

from engine.errors import UserError
from live.outputs.framing import CORNERS, FILLS, PARAMETERS, Framer, Framing, apply_colour, make_colour_matrix, make_picture_matrix
from live.outputs.pinning import STILL

DISPLAYS = {"16:9": (320, 180), "21:9": (420, 180), "9:16": (180, 320), "1:1": (200, 200)}
SIZE = 128


def card():
    """A picture that says where each of its pixels is: red across, green down, blue a coarse chequer."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.stack([columns * 2, rows * 2, (rows // 16 + columns // 16) % 2 * 255], axis=-1).astype(np.uint8)


def reference(framing, display, x, y):
    """Where a display pixel looks into the picture, in picture pixels, by hand in float64; None: beside the picture."""
    across, down = x + 0.5, y + 0.5
    if tuple(framing.pin) != CORNERS:
        across, down = unpinned(framing.pin, display, across, down)
        if not (0 <= across <= display[0] and 0 <= down <= display[1]):
            return None
    scale = {"stretch": (display[0] / SIZE, display[1] / SIZE), "fill": (max(display) / SIZE,) * 2}.get(framing.fill, (min(display) / SIZE,) * 2)
    across = (across - display[0] * (0.5 + framing.x)) / (scale[0] * framing.zoom)
    down = (down - display[1] * (0.5 + framing.y)) / (scale[1] * framing.zoom)
    angle = -math.radians(int(framing.rotate))           # the picture turns clockwise as seen, so the look turns back
    across, down = across * math.cos(angle) - down * math.sin(angle), across * math.sin(angle) + down * math.cos(angle)
    across = -across if framing.flip in ("horizontal", "both") else across
    down = -down if framing.flip in ("vertical", "both") else down
    across, down = across + SIZE / 2, down + SIZE / 2
    if framing.fill == "tile":
        return across % SIZE, down % SIZE
    if framing.fill == "mirror":
        return SIZE - abs(across % (2 * SIZE) - SIZE), SIZE - abs(down % (2 * SIZE) - SIZE)
    return (across, down) if 0 <= across <= SIZE and 0 <= down <= SIZE else None


def unpinned(pin, display, x, y):
    """The inverse of a corner pin at a point, by Newton's method on the bilinear-free projective equations."""
    corners = np.array(pin, np.float64).reshape(4, 2) * display
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)
    rows = []
    for (u, v), (a, b) in zip(corners, square):          # from display back to the unit square
        rows.append([u, v, 1, 0, 0, 0, -a * u, -a * v, -a])
        rows.append([0, 0, 0, u, v, 1, -b * u, -b * v, -b])
    matrix = np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3)
    a, b, c = matrix @ (x, y, 1.0)
    return a / c * display[0], b / c * display[1]


def agrees(framing, display, at, picture, drawn, reach=1.6):
    """Whether a display pixel shows the picture's pixel that the reference names, to within about a pixel."""
    x, y = at
    found, place = drawn[y, x].astype(float), reference(framing, display, x, y)
    if place is None:
        return framing.fill == "blur" or found.max() <= 3 or edge(framing, display, x, y)
    scale = min(display) / SIZE * framing.zoom
    if framing.fill in ("mirror", "tile") and min(place[0], place[1], SIZE - place[0], SIZE - place[1]) < 3:
        return True                                      # a seam: two pixels of the picture meet
    tolerance = 2 * reach * max(1.0, 1 / scale) + 1
    return abs(found[0] - 2 * (place[0] - 0.5)) <= tolerance and abs(found[1] - 2 * (place[1] - 0.5)) <= tolerance or edge(framing, display, x, y)


def edge(framing, display, x, y):
    """Whether the picture's edge is within a pixel of a display pixel, where the two may share it."""
    near = [reference(framing, display, x + dx, y + dy) is None for dx in (-1.5, 0, 1.5) for dy in (-1.5, 0, 1.5)]
    return any(near) and not all(near)


def places(display):
    width, height = display
    return [(x, y) for x in (0, 1, width // 4, width // 2, width * 3 // 4, width - 1) for y in (0, height // 3, height // 2, height - 1)]


@pytest.mark.parametrize("shape", DISPLAYS)
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("settings", [{}, {"zoom": 1.5}, {"zoom": 0.5, "x": 0.1}, {"rotate": "90"}, {"rotate": "270", "flip": "horizontal"},
                                      {"rotate": "180"}, {"flip": "both", "y": -0.2}, {"zoom": 5.0, "x": 0.3}], ids=str)
def test_every_fill_puts_pixels_where_they_belong(shape, fill, settings):
    display, picture, framing = DISPLAYS[shape], card(), Framing(fill=fill, **settings)
    drawn = Framer(display).draw(picture, framing)
    wrong = [at for at in places(display) if not agrees(framing, display, at, picture, drawn)]
    assert not wrong, [(at, drawn[at[1], at[0]], reference(framing, display, *at)) for at in wrong]


@pytest.mark.parametrize("more", [{}, {"zoom": 2.0, "x": 0.1, "rotate": "90"}, {"zoom": 0.5, "flip": "both"}], ids=str)
@pytest.mark.parametrize("frame", [0, -1], ids=["moving", "resting"])
@pytest.mark.parametrize("fill", FILLS)
def test_a_corner_pin_puts_the_corners_where_they_are_pinned(fill, frame, more):
    display, pin = (320, 180), (0.1, 0.05, 0.95, 0.2, 0.9, 0.9, 0.0, 1.0)
    framing, picture, framer = Framing(fill=fill, pin=pin, **more), card(), Framer(display)
    drawn = [framer.draw(picture, framing).copy() for _ in range(STILL + 2)][frame]
    wrong = [at for at in places(display) if not agrees(framing, display, at, picture, drawn, reach=3)]
    assert not wrong, [(at, drawn[at[1], at[0]], reference(framing, display, *at)) for at in wrong]


def test_a_pin_that_rests_shows_what_a_moving_one_shows_and_keeps_nothing_of_the_one_before():
    picture, framer = np.full((SIZE, SIZE, 3), 200, np.uint8), Framer((320, 180), np.full((180, 320), 128, np.uint8))
    for pin in ((0.3, 0.3, 0.9, 0.2, 0.8, 0.9, 0.2, 0.8), (0.0, 0.0, 0.5, 0.1, 0.5, 0.5, 0.1, 0.6), (2.0, 0.0, 1.5, 0.0, 1.5, 1.0, 2.0, 1.0), CORNERS):
        frames = [framer.draw(picture, Framing(fill="stretch", pin=pin)).copy() for _ in range(STILL + 3)]
        assert (np.abs(frames[0].astype(int) - frames[-1]) > 8).any(-1).mean() < 0.01
        assert frames[-1].max() <= 101 and (frames[-1] == frames[-2]).all()
        assert (frames[-1].max() > 90) == (pin[0] < 1.0)             # one of them lies beside the display


def test_pinned_corners_of_a_stretched_picture_to_a_pixel():
    display, pin = (320, 180), (0.1, 0.05, 0.95, 0.2, 0.9, 0.9, 0.0, 1.0)
    matrix = make_picture_matrix(Framing(fill="stretch", pin=pin), (SIZE, SIZE), display)
    for (x, y), corner in zip(np.array(pin).reshape(4, 2) * display, [(0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)]):
        a, b, c = matrix @ (x, y, 1.0)
        assert (a / c, b / c) == pytest.approx(corner, abs=1e-6)


def test_nothing_turned_is_the_picture_itself():
    picture = np.random.default_rng(3).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    assert (Framer((SIZE, SIZE)).draw(picture, Framing()) == picture).all()
    assert apply_colour(picture, Framing()) is picture
    for turned in (Framing(pin=CORNERS), Framing(fill="stretch"), Framing(fill="blur"), Framing(fill="tile"), Framing(fill="mirror")):
        assert (Framer((SIZE, SIZE)).draw(picture, turned) == picture).all()


def test_the_next_frame_keeps_nothing_of_the_one_before():
    framer = Framer((320, 180))
    framer.draw(np.full((SIZE, SIZE, 3), 255, np.uint8), Framing(fill="fill"))
    drawn = framer.draw(np.full((SIZE, SIZE, 3), 255, np.uint8), Framing())
    assert drawn[:, 0].max() == 0 and drawn[90, 160].min() == 255


def test_blur_draws_a_soft_dark_surround():
    rows = np.repeat(np.linspace(40, 200, SIZE).astype(np.uint8)[:, None], SIZE, 1)
    drawn = Framer((320, 180)).draw(np.stack([rows] * 3, axis=-1), Framing(fill="blur"))
    assert 10 < drawn[90, 5].mean() < 100 and abs(drawn[90, 160].mean() - 120) < 4
    assert Framer((320, 180)).draw(np.zeros((SIZE, SIZE, 3), np.uint8), Framing(fill="blur")).max() == 0


@pytest.mark.parametrize("settings", [{"brightness": 0.2}, {"contrast": 1.7}, {"saturation": 0.0}, {"saturation": 2.0}, {"red": 0.5, "blue": 1.5},
                                      {"temperature": 0.5}, {"hue": 120.0, "saturation": 0.8}, {"blackout": 0.5}, {"gamma": 2.2}, {"gamma": 0.5, "blackout": 0.25}], ids=str)
def test_colour_is_the_matrix_on_the_float_picture(settings):
    framing = Framing(**settings)
    picture = np.random.default_rng(5).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    matrix = make_colour_matrix(framing)
    expected = np.clip(picture / 255.0 @ matrix[:, :3].T + matrix[:, 3], 0, 1)
    if framing.gamma != 1.0:
        expected = (np.rint(expected * 255) / 255) ** (1 / framing.gamma)
        expected *= 1 - framing.blackout
    else:
        expected = np.clip((picture / 255.0 @ matrix[:, :3].T + matrix[:, 3]) * (1 - framing.blackout), 0, 1)
    assert np.abs(apply_colour(picture, framing).astype(float) - expected * 255).max() <= 1.0


def test_hue_keeps_grey_and_lightness_and_comes_round():
    grey = np.full((4, 4, 3), 100, np.uint8)
    assert np.abs(apply_colour(grey, Framing(hue=77.0)).astype(int) - 100).max() <= 1
    assert np.allclose(make_colour_matrix(Framing(hue=180.0)), make_colour_matrix(Framing(hue=-180.0)), atol=1e-9)


def test_an_edge_mask_darkens_where_it_is_dark():
    mask = np.full((180, 320), 255, np.uint8)
    mask[:, :10], mask[:, 10:20] = 0, 128
    drawn = Framer((320, 180), mask).draw(np.full((SIZE, SIZE, 3), 200, np.uint8), Framing(fill="stretch"))
    assert drawn[:, :10].max() == 0 and abs(int(drawn[50, 15, 0]) - 100) <= 1 and drawn[50, 100, 0] == 200


def test_full_blackout_is_black_with_every_fill():
    for fill in FILLS:
        assert Framer((320, 180)).draw(card(), Framing(fill=fill, blackout=1.0)).max() == 0


@pytest.mark.parametrize("name, value", [("fill", "zoomed"), ("gamma", "bright"), ("zoom", float("nan")), ("pin", (0,) * 9), ("colour", 1)])
def test_settings_that_make_no_sense_are_refused(name, value):
    with pytest.raises(UserError):
        Framing().turn(name, value)


def test_corners_that_enclose_nothing_are_refused():
    with pytest.raises(UserError, match="pin"):
        Framer((320, 180)).draw(card(), Framing(pin=(0.0, 0.0) * 4))


def test_every_setting_is_a_field_with_the_parameters_default():
    for name, parameter in PARAMETERS.items():
        assert getattr(Framing(), name) == parameter.default
        assert Framing().turn(name, parameter.default) == Framing()
