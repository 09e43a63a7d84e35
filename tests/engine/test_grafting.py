"""Maps of one network in another: as they are between relatives, turned to the other's statistics between strangers, refused where shapes differ."""
import numpy as np
import pytest
import torch

from engine.errors import UserError
from engine.generator import quantize
from engine.grafting import Grafting, make_turn, measure_maps, turn_maps
from engine.instrument import Instrument
from engine.motion import Motion
from tests.conftest import tiny
from tests.engine.test_mixing import stranger, tuned

LAYER = "b8.conv1"


def moment(instrument, seed):
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/walk/seed": seed, "/truncation": 1.0})
    return scene, Motion().advance(scene, 0.0)


def draw(taker, giver, mix=1.0, turn=None):
    """The picture as the plain network draws it with the other's maps."""
    theirs, ours = giver.latents.ws(*moment(giver, 7)), taker.latents.ws(*moment(taker, 5))
    maps = giver.generator.features(theirs, [LAYER])[LAYER]
    maps = maps if turn is None else turn(maps)
    return quantize(taker.generator.synthesize(ours, splice={LAYER: maps})).numpy()


def test_relatives_go_on_from_each_others_maps():
    taker, giver = Instrument(tiny()), Instrument(tuned())
    plain = taker.render(*moment(taker, 5)).pixels.copy()
    graft = Grafting(giver, taker, LAYER)
    assert graft.kin and graft.ready
    graft.play(1.0, *moment(giver, 7))
    shown = taker.render(*moment(taker, 5)).pixels.copy()
    assert np.abs(shown.astype(int) - draw(taker, giver)).max() <= 1 and not np.array_equal(shown, plain)
    graft.play(0.5, *moment(giver, 7))
    half = taker.render(*moment(taker, 5)).pixels.copy()
    assert not np.array_equal(half, plain) and not np.array_equal(half, shown)
    graft.end()
    assert np.array_equal(taker.render(*moment(taker, 5)).pixels, plain)


def test_a_moment_that_stays_is_computed_once():
    taker, giver = Instrument(tiny()), Instrument(tuned())
    graft = Grafting(giver, taker, LAYER)
    for seed, drawings in ((7, 1), (7, 1), (8, 2)):
        graft.play(1.0, *moment(giver, seed))
        taker.render(*moment(taker, 5))
        assert taker.drawings == drawings


def test_another_layer_is_another_picture():
    taker, giver, shown = Instrument(tiny()), Instrument(tuned()), []
    for layer in ("b4.conv1", "b8.conv1", "b16.conv1"):
        graft = Grafting(giver, taker, layer)
        graft.play(1.0, *moment(giver, 7))
        shown.append(taker.render(*moment(taker, 5)).pixels.copy())
        graft.end()
    assert len({picture.tobytes() for picture in shown}) == 3


def test_strangers_maps_come_with_the_statistics_of_ours():
    taker, giver = Instrument(tiny()), Instrument(stranger())
    graft = Grafting(giver, taker, LAYER)
    assert not graft.kin and not graft.ready
    graft.measure()
    assert graft.ready
    graft.play(1.0, *moment(giver, 7))
    shown = taker.render(*moment(taker, 5)).pixels
    assert np.abs(shown.astype(int) - draw(taker, giver, turn=lambda maps: turn_maps(maps, *graft.turn))).max() <= 1


def test_what_is_turned_has_the_mean_and_the_covariance_that_were_asked_for():
    source = np.random.RandomState(4)
    ways = [source.randn(5, 5) * 0.6 + np.eye(5) for _ in range(2)]
    theirs, ours = ((source.randn(5), way @ way.T) for way in ways)
    matrix, offset = make_turn(*[(torch.tensor(mean), torch.tensor(spread)) for mean, spread in (theirs, ours)])
    rows = source.multivariate_normal(*theirs, size=60_000)
    maps = torch.tensor(rows.T.reshape(1, 5, 200, 300), dtype=torch.float64)
    turned = turn_maps(maps, matrix, offset)[0].flatten(1).numpy()
    assert np.abs(turned.mean(1) - ours[0]).max() < 0.05 and np.abs(np.cov(turned) - ours[1]).max() < 0.08 * np.abs(ours[1]).max()
    mean, spread = measure_maps(tiny(), LAYER)
    assert mean.shape == (8,) and spread.dtype == torch.float64 and torch.linalg.eigvalsh(spread).min() > -1e-9


@pytest.mark.parametrize("other, told", [
    (lambda: tiny(resolution=16, channels={4: 8, 8: 6, 16: 8}), "6 maps of 8 x 8 there, 8 maps of 8 x 8 here; they fit at 4, 16 px"),
    (lambda: tiny(resolution=16, channels={4: 4, 8: 4, 16: 4}), "they fit at no size")])
def test_shapes_that_do_not_fit_are_one_line(other, told):
    with pytest.raises(UserError, match=told):
        Grafting(Instrument(other()), Instrument(tiny()), LAYER)


def test_a_layer_that_one_does_not_have():
    small = tiny(resolution=8, channels={4: 8, 8: 8})
    with pytest.raises(UserError, match="b32.conv1: no such layer there, 4 maps of 32 x 32 here; they fit at 4, 8 px"):
        Grafting(Instrument(small), Instrument(tiny()), "b32.conv1")


def test_tops_may_differ():
    """A network that grew further is still a relative below."""
    small = tiny(resolution=16, channels={4: 8, 8: 8, 16: 8})
    state = tiny().state_dict()
    small.load_state_dict({name: state[name] for name in small.state_dict()})
    assert Grafting(Instrument(small), Instrument(tiny()), LAYER).kin
