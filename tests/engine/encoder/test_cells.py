"""Cells: what is brought back is made of the network's own cells; against a slow reference; in the file; while a show plays."""
import math

import numpy as np
import pytest
import torch

from engine import encoder as encoders
from engine.encoder import Encoder
from engine.encoder.cells import ABOUT, COUNT, MOST_GAIN, NEAREST, REACH, SHARP, Cells, make_maps
from engine.errors import UserError
from engine.instrument import Instrument
from engine.motion import Motion
from tests.engine.test_encoder_live import LAYER, STILL, shade


def maps(count=3, channels=5, size=(6, 7), seed=0):
    return torch.randn(count, channels, *size, generator=torch.Generator().manual_seed(seed))


def bring_back_slowly(own, given, together):
    """The definition, place by place: given [O, h, w] as cells of own [K, O, h, w]."""
    count, _, height, width = own.shape
    unit = own.std((0, 2, 3))[:, None, None]
    near = lambda i, j: [(a, b) for a in range(i - ABOUT, i + ABOUT + 1) for b in range(j - ABOUT, j + ABOUT + 1) if 0 <= a < height and 0 <= b < width]
    steps = [(a, b) for a in range(-REACH, REACH + 1) for b in range(-REACH, REACH + 1)]
    apart = {}
    for k in range(count):
        for down, right in steps:
            moved = {(i, j): float(((given[:, i, j] - own[k, :, i + down, j + right]) / unit[:, 0, 0]).square().sum())
                     for i in range(height) for j in range(width) if 0 <= i + down < height and 0 <= j + right < width}
            apart[k, down, right] = {at: sum(found) / len(found) for at in moved if (found := [moved[place] for place in near(*at) if place in moved])}
    whole = min(apart, key=lambda key: sum(apart[key].values()) / len(apart[key]))
    apart[whole] = {at: value * (1 - together) for at, value in apart[whole].items()}
    back = torch.zeros_like(given)
    for i in range(height):
        for j in range(width):
            best = sorted(min((apart[k, *step][i, j], k, step) for k in range(count)) for step in steps if (i, j) in apart[0, *step])[:NEAREST]
            mean = sum(distance for distance, _, _ in best) / len(best)
            shares = [math.exp(-SHARP * distance / mean) for distance, _, _ in best]
            back[:, i, j] = sum(share / sum(shares) * own[k, :, i + step[0], j + step[1]] for share, (_, k, step) in zip(shares, best))
    return back


@pytest.mark.parametrize("together", (0.0, 0.4))
def test_it_is_what_the_definition_says(together):
    own, given = maps(), maps(2, seed=1)
    back = Cells(own).bring_back(given, together)
    for one, expected in zip(back, (bring_back_slowly(own, features, together) for features in given)):
        assert torch.allclose(one, expected, atol=1e-3)


def test_what_the_network_made_itself_comes_back_as_it_was():
    own = maps(4, size=(8, 8))
    assert torch.allclose(Cells(own).bring_back(own[2:3], 0.4), own[2:3], atol=1e-3)
    moved = own[2:3].roll(2, 3)
    assert torch.allclose(Cells(own).bring_back(moved)[..., 3:-1], moved[..., 3:-1], atol=0.02)


def test_what_is_far_from_all_of_it_comes_back_among_it():
    own = maps(4, size=(8, 8))
    back = Cells(own).bring_back(own[:1] * 40 + 9)
    assert back.abs().max() <= own.abs().max() + 1e-4


def test_a_map_of_one_place_and_of_few(generator):
    for size in ((1, 1), (2, 3)):
        own = maps(2, size=size)
        assert torch.allclose(Cells(own).bring_back(own[1:]), own[1:], atol=0.05)


def test_maps_are_the_layers_own_and_not_too_many(generator):
    made = make_maps(generator, "b16.conv1")
    assert made.shape == (COUNT, generator.channels("b16.conv1"), 16, 16)
    assert torch.equal(made, make_maps(generator, "b16.conv1"))


def test_a_file_keeps_them_and_older_files_have_none(tmp_path, generator):
    made = Encoder.fresh(generator, LAYER)
    assert encoders.load(encoders.save(tmp_path / "old.safetensors", made)).cells is None
    before = encoders.load(tmp_path / "old.safetensors").state_dict()
    made.cells = make_maps(generator, LAYER)
    again = encoders.load(encoders.save(tmp_path / "new.safetensors", made, "float32"), generator)
    assert torch.equal(again.cells, made.cells) and list(again.state_dict()) == list(before)
    made.cells = made.cells[:, :-1]
    with pytest.raises(UserError, match="cells: expected .K, .*; the file is damaged"):
        encoders.load(encoders.save(tmp_path / "new.safetensors", made))


def play(instrument, values, pictures):
    scene, motion, shown = instrument.scene().set_values(STILL | {"/source/rate": 30.0} | values), Motion(), []
    for picture in pictures:
        motion = motion.advance(scene, 1 / 30)
        shown.append(instrument.render(scene, motion, picture).pixels.copy().astype(int))
    return shown


def test_the_fader_changes_a_still_picture_and_0_leaves_it(generator):
    made = Encoder.fresh(generator, LAYER)
    plain = play(Instrument(generator, encoder=made), {"/source/cells": 1.0}, [shade(90)] * 2)[-1]
    made.cells = make_maps(generator, LAYER)
    shown = {amount: play(Instrument(generator, encoder=made), {"/source/cells": amount}, [shade(90)] * 2)[-1] for amount in (0.0, 0.5, 1.0)}
    assert np.array_equal(shown[0.0], plain)
    assert all(abs(shown[a] - shown[b]).mean() > 0.5 for a, b in ((0.0, 0.5), (0.5, 1.0)))


def test_maps_get_the_mean_and_spread_that_they_have_in_the_networks_own_pictures(generator):
    own = make_maps(generator, LAYER)
    given = own[:1] * 0.3 + 0.7 * torch.rand(own[:1].shape, generator=torch.Generator().manual_seed(2))
    maps, wide = given[0].double().numpy(), own.double().numpy()
    spread = wide.std((2, 3), ddof=1).mean(0)[:, None, None]
    gain = np.minimum(spread / maps.std((1, 2), ddof=1)[:, None, None], MOST_GAIN)
    wanted = (maps - maps.mean((1, 2), keepdims=True)) * gain + wide.mean((2, 3)).mean(0)[:, None, None]
    cells = Cells(own)
    assert np.allclose(cells.match(given, 1.0)[0], wanted, atol=1e-4)
    assert np.allclose(cells.match(given, 0.25)[0], 0.75 * maps + 0.25 * wanted, atol=1e-4)
    assert cells.match(torch.zeros_like(given), 1.0).isfinite().all()


def test_vivid_changes_a_still_picture_and_needs_cells(generator):
    made = Encoder.fresh(generator, LAYER)
    values = {"/source/cells": 0.5, "/source/vivid": 1.0}
    plain, without = (play(Instrument(generator, encoder=made), given, [shade(90)] * 2)[-1] for given in ({}, values))
    assert np.array_equal(plain, without)
    made.cells = make_maps(generator, LAYER)
    pale, vivid = (play(Instrument(generator, encoder=made), given, [shade(90)] * 2)[-1] for given in (values | {"/source/vivid": 0.0}, values))
    assert abs(pale - vivid).mean() > 0.5


@pytest.mark.parametrize("vivid", (0.0, 1.0))
def test_noise_of_a_still_camera_changes_no_more_of_the_picture_than_without(generator, vivid):
    """What was brought back holds on to its cells."""
    made, random = Encoder.fresh(generator, LAYER), np.random.default_rng(3)
    made.cells = make_maps(generator, LAYER)
    grey = random.integers(60, 190, (32, 32, 3))
    noisy = [(grey + random.normal(0, 6, grey.shape)).clip(0, 255).astype(np.uint8) for _ in range(12)]
    other = random.integers(0, 255, (32, 32, 3)).astype(np.uint8)
    still = play(Instrument(generator, encoder=made), {"/source/cells": 0.5, "/source/vivid": vivid}, noisy)
    to_another = play(Instrument(generator, encoder=made), {"/source/cells": 0.5, "/source/vivid": vivid}, [noisy[0], other])
    jitter = np.mean([abs(a - b).mean() for a, b in zip(still[3:], still[4:])])
    assert jitter < 0.3 * abs(to_another[0] - to_another[1]).mean()
