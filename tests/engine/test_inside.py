from fractions import Fraction

import numpy as np
import pytest
import torch

from engine.clustering.clusters import Clusters
from engine.errors import UserError
from engine.fast.graph_renderer import GraphRenderer
from engine.inside import Inside, false_colours, pictures_inside
from engine.instrument import Instrument
from engine.motion import Motion
from tests.conftest import tiny

CLUSTERS = Clusters({"b16.conv1": {"eyes": (0, 3, 5), "1": (1, 2)}})


def moment(instrument, seed=5, **values):
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/walk/seed": seed} | values)
    return scene, Motion().advance(scene, 0.0)


def test_every_layer_and_cluster_has_its_pictures(generator):
    named = pictures_inside(generator, CLUSTERS)
    assert len(named) == 3 * (len(generator.layers) + 2)
    assert named["cluster b16.conv1 eyes tiles"] == Inside("b16.conv1", (0, 3, 5), True) and named["layer b4.conv1"] == Inside("b4.conv1")


@pytest.mark.parametrize("frame", [None, Fraction(16, 9), Fraction(9, 16)], ids=str)
def test_what_is_seen_is_what_the_last_picture_was_made_of(frame):
    """Whatever was computed anew, and whatever was kept from before."""
    instrument = Instrument(tiny(), clusters=CLUSTERS, frame=frame)
    names = [name for name in instrument.inside if "b16" in name]
    instrument.watch(names)
    for seed, values in ((5, {}), (9, {"/truncation": 0.5}), (5, {}), (5, {"/style/fine/mix": 1.0}), (5, {}), (9, {"/truncation": 0.5})):
        instrument.render(*moment(instrument, seed, **values))
        fresh = Instrument(tiny(), clusters=CLUSTERS, frame=frame)
        fresh.watch(names)
        fresh.render(*moment(fresh, seed, **values))
        for name in names:
            seen = instrument.look_inside(name)
            assert seen.dtype == np.uint8 and seen.shape == instrument.pixels + (3,) and seen.std() > 5
            assert np.abs(seen.astype(int) - fresh.look_inside(name)).max() <= 1, (name, seed)


def test_nothing_is_kept_or_computed_for_what_nobody_watches(generator):
    instrument = Instrument(generator)
    instrument.render(*moment(instrument))
    assert instrument.drawing.synthesis.seen == {} and instrument.look_inside("layer b8.conv1") is None
    before = instrument.drawings
    instrument.watch(["layer b8.conv1"])
    instrument.render(*moment(instrument))                                  # the same moment: it is drawn once more, to be seen
    assert instrument.drawings == before + 1 and instrument.look_inside("layer b8.conv1") is not None
    instrument.watch([])
    instrument.render(*moment(instrument))
    assert instrument.drawing.synthesis.seen == {} and instrument.look_inside("layer b8.conv1") is None


def test_looking_does_not_change_the_picture(generator):
    plain, looking = Instrument(generator), Instrument(tiny())
    looking.watch(looking.inside)
    for seed in (5, 6, 5):
        assert (plain.render(*moment(plain, seed)).pixels == looking.render(*moment(looking, seed)).pixels).all()


def test_a_layer_that_a_smaller_drawing_leaves_out_has_no_picture(generator):
    instrument = Instrument(generator)
    instrument.watch(["layer b32.conv1"])
    instrument.render(*moment(instrument, **{"/quality/size": 8.0}))
    assert instrument.look_inside("layer b32.conv1") is None


def test_captured_programs_see_the_same(generator):
    renderer = GraphRenderer(generator)
    ws = generator.map(torch.randn(1, 16, generator=torch.Generator().manual_seed(4)))
    plain = renderer.frame(ws).clone()
    renderer.watch(["b16.conv1"])
    for _ in range(3):
        assert torch.equal(renderer.frame(ws), plain)
    assert (renderer.seen["b16.conv1"] - generator.activations(ws, ["b16.conv1"])["b16.conv1"]).abs().max() < 2e-5


def test_a_key_is_the_share_of_places_that_are_weaker():
    maps = torch.randn(1, 8, 16, 16, generator=torch.Generator().manual_seed(2))
    key = false_colours(maps, Inside("b16.conv1", key=True), (16, 16))
    each = maps[0].double().flatten(1)
    above = ((each - each.mean(1, keepdim=True)) / each.std(1, keepdim=True, correction=0)).clamp_min(0)
    energy = (above ** 2).sum(0)
    share = torch.stack([(energy < one).double().mean() for one in energy]).reshape(16, 16) * 256 / 255
    assert (key[:, :, 0].double() / 255 - share).abs().max() < 0.02 and torch.equal(key[..., 0], key[..., 2])
    assert key.min() == 0 and key.max() == 255
    flat = false_colours(torch.zeros(1, 8, 4, 4), Inside("b4.conv1", key=True), (8, 8))
    assert flat.unique().numel() == 1                                       # nowhere is stronger: no edge is made up


@pytest.mark.parametrize("channels, count", [(None, 8), ((1,), 1), ((0, 3, 5), 3), (tuple(range(7)), 7)])
@pytest.mark.parametrize("size", [(32, 32), (32, 57), (57, 32), (1, 1), (8, 200)])
def test_any_number_of_maps_fills_any_shape(channels, count, size):
    maps = torch.randn(1, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    for tiled in (False, True):
        if tiled and min(size) < count:
            continue
        picture = false_colours(maps, Inside("b16.conv1", channels, tiled), size)
        assert picture.shape == (*size, 3) and picture.dtype == torch.uint8


def test_flat_huge_and_broken_maps():
    inside = Inside("b16.conv1")
    flat = false_colours(torch.zeros(1, 8, 4, 4), inside, (16, 16))
    assert flat.unique().numel() <= 3
    assert false_colours(torch.randn(1, 8, 4, 4) * 1e15, inside, (16, 16)).float().std() > 1
    with pytest.raises(UserError, match="finite"):
        false_colours(torch.full((1, 8, 4, 4), float("nan")), inside, (16, 16))
