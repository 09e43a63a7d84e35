import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.errors import UserError
from engine.generator import quantize
from engine.instrument import RING, Instrument
from engine.latents import Latents, own_walk, z_of
from engine.motion import Motion
from engine.walks import Mixed, Vector
from live.show.events import Change
from tests.conftest import tiny


def moment(instrument, *changes, at=0.4):
    scene = instrument.scene().set([Change(a, v) for a, v in changes])
    return scene, Motion(walk=at, frame=3).advance(scene, 0.0)


def picture(instrument, *changes, at=0.4):
    return instrument.render(*moment(instrument, *changes, at=at)).pixels.copy()


def test_a_frame_is_the_networks_own_picture(instrument):
    scene, motion = moment(instrument, ("/walk/kind", "hold"), ("/walk/seed", 5), ("/truncation", 0.7))
    frame = instrument.render(scene, motion)
    z = torch.from_numpy(np.random.RandomState(5).randn(1, 16)).float()
    g = instrument.generator
    expected = g.synthesize(g.map(z, psi=0.7))[0].permute(1, 2, 0)
    codes = torch.floor((expected * 127.5 + 128).clamp(0, 255)).to(torch.uint8).numpy()
    assert frame.pixels.dtype == np.uint8 and frame.pixels.shape == (32, 32, 3)
    assert np.abs(frame.pixels.astype(int) - codes).max() <= 1          # a sum in another order may round elsewhere
    assert (frame.pixels == codes).mean() > 0.99


def test_the_same_moment_gives_the_same_picture_on_another_instrument():
    changes = (("/walk/kind", "wander"), ("/noise/mode", "random"), ("/style/fine/mix", 0.5))
    assert (picture(Instrument(tiny()), *changes) == picture(Instrument(tiny()), *changes)).all()


PLAYED = {
    "/truncation": 0.1, "/truncation/cutoff": 2, "/walk/seed": 9, "/walk/kind": "circle", "/walk/count": 2,
    "/walk/stops": (3, 4, 5), "/noise/mode": "none", "/noise/strength": 8.0, "/output/blackout": 0.5,
    "/style/coarse/mix": 1.0, "/style/middle/mix": 1.0,
}


@pytest.mark.parametrize("address", PLAYED)
def test_every_knob_does_something_at_once(instrument, address):
    assert (picture(instrument) != picture(instrument, (address, PLAYED[address]))).any()


def test_nothing_moved_means_the_same_frame_again(instrument):
    scene, motion = moment(instrument)
    first, second = instrument.render(scene, motion), instrument.render(scene, replace(motion, frame=99))
    assert second.pixels is first.pixels and second.number == first.number + 1


def test_random_noise_moves_every_frame(instrument):
    scene, motion = moment(instrument, ("/noise/mode", "random"))
    first = instrument.render(scene, motion).pixels.copy()
    assert (first != instrument.render(scene, replace(motion, frame=99)).pixels).any()
    assert (first == instrument.render(scene, motion).pixels).all()


def test_a_frame_stays_valid_until_three_frames_later(instrument):
    scene, motion = moment(instrument)
    shown = []
    for turn, walk in enumerate((0.1, 0.2, 0.2, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.7, 0.8)):
        frame = instrument.render(scene, Motion(walk=walk).advance(scene, 0.0))
        shown.append((frame.pixels, frame.pixels.copy()))
        for pixels, copy in shown[-(RING - 1):]:
            assert (pixels == copy).all(), turn


def test_freeze_holds_whatever_is_turned(instrument):
    before = picture(instrument)
    assert (before == picture(instrument, ("/output/freeze", 1), ("/truncation", 0.0))).all()


def test_blackout_is_black_and_half_of_it_half_as_bright(instrument):
    whole = picture(instrument)
    assert not picture(instrument, ("/output/blackout", 1.0)).any()
    half = picture(instrument, ("/output/blackout", 0.5))
    assert np.abs(half.astype(float) - whole / 2.0)[(whole > 0) & (whole < 255)].max() <= 1.5


def test_truncation_zero_is_the_average_picture_whatever_the_seed(instrument):
    zero = [picture(instrument, ("/walk/kind", "hold"), ("/walk/seed", s), ("/truncation", 0.0)) for s in (1, 2)]
    assert (zero[0] == zero[1]).all()


def test_style_mixing_at_full_mix_takes_the_other_seeds_w(instrument):
    scene, motion = moment(instrument, ("/walk/kind", "hold"), ("/walk/seed", 1), ("/truncation", 1.0),
                           ("/style/coarse/mix", 1.0), ("/style/coarse/seed", 2))
    known = Latents(instrument.generator)
    ws = known.ws(scene, motion)
    assert torch.allclose(ws[0, :4], known.w(2).expand(4, -1)) and torch.allclose(ws[0, 4:], known.w(1).expand(4, -1))


def test_a_groups_own_walk_starts_at_its_seed_and_moves(instrument):
    assert own_walk(5, 0.0) == ((5, 1.0),)
    scene, motion = moment(instrument, ("/style/fine/speed", 2.0), ("/style/fine/mix", 1.0))
    assert motion.advance(scene, 0.25).styles[2] == pytest.approx(motion.styles[2] + 0.5)


def test_points(instrument):
    known = Latents(instrument.generator)
    assert torch.equal(known.w(3), known.w(3))
    assert (z_of(85, 4) == np.random.RandomState(85).randn(4)).all()
    mixed = known.w(Mixed(((3, 1.0), (4, 0.0))))
    assert torch.allclose(mixed, known.w(3), atol=1e-6)
    given = known.w(Vector(tuple(z_of(3, 16))))
    assert torch.allclose(given, known.w(3), atol=1e-6)
    assert torch.isfinite(known.w(Vector((0.0,)))).all() and known.w(Vector(tuple([1.0] * 512))).shape == (16,)


def test_seeds_are_remembered_but_not_without_end(instrument):
    from engine import latents

    known = Latents(instrument.generator)
    for seed in range(latents.REMEMBERED + 50):
        known.w(seed)
    assert len(known._known) == latents.REMEMBERED


def test_a_conditional_network_has_a_class_knob():
    instrument = Instrument(tiny(c_dim=3))
    assert instrument.scene().parameters["/class"].high == 2
    assert (picture(instrument, ("/class", 0)) != picture(instrument, ("/class", 2))).any()


def test_a_label_is_given_number_by_number():
    instrument = Instrument(tiny(c_dim=3))
    at = lambda *label: picture(instrument, ("/class", 1), ("/class/label", label))
    assert (at() == at(0.0, 1.0, 0.0)).all() and (at(1.0) == at(1.0, 0.0, 0.0)).all()
    assert (at(0.5, 0.0, 0.5) != at(1.0)).any() and (at(0.5, 0.0, 0.5) != at()).any()
    with pytest.raises(UserError, match="at most 3"):
        at(1.0, 0.0, 0.0, 0.0)


def test_a_label_of_one_number():
    instrument = Instrument(tiny(c_dim=1))
    assert "/class" not in instrument.scene().parameters
    assert (picture(instrument) == picture(instrument, ("/class/label", (1.0,)))).all()
    assert (picture(instrument) != picture(instrument, ("/class/label", (-2.0,)))).any()


def test_smaller_sizes_and_refusals(generator):
    assert Instrument(generator, 16).render(*moment(Instrument(generator, 16))).pixels.shape == (16, 16, 3)
    with pytest.raises(UserError, match="4, 8, 16, 32"):
        Instrument(generator, 48)


@pytest.mark.parametrize("x, code", [(-1.1, 0), (-1.0, 0), (0.0, 128), (1 / 255, 128), (1.0, 255), (1.1, 255), (math.nan, 0),
                                     (math.inf, 255), (-math.inf, 0)])
def test_quantize(x, code):
    assert quantize(torch.full((1, 3, 1, 1), x)).tolist() == [[[code] * 3]]


def test_a_class_fades_into_another():
    import torch

    from engine.motion import Motion

    instrument = Instrument(tiny(c_dim=3))
    ws = lambda **values: instrument.latents.ws(scene := instrument.scene().set_values({"/walk/kind": "hold", **{f"/class{k}": v for k, v in values.items()}}),
                                                Motion().advance(scene, 0.0))
    faded = {"": 0.0, "/next": 2.0}
    assert torch.equal(ws(**faded, **{"/mix": 0.0}), ws(**{"": 0.0})) and torch.equal(ws(**faded, **{"/mix": 1.0}), ws(**{"": 2.0}))
    assert torch.allclose(ws(**faded, **{"/mix": 0.25}), ws(**{"/label": (0.75, 0.0, 0.25)}))
    assert not torch.allclose(ws(**faded, **{"/mix": 0.25}), ws(**{"": 0.0}))
