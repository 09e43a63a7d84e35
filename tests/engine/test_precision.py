"""Half precision on a processor: near the same pictures, whatever is done to the network; and when it is chosen."""
import copy
from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from engine import checkpoints
from engine.bending import Bend
from engine.bends import TRANSFORMS
from engine.errors import UserError
from engine.fast import Synthesis
from engine.fast.forms import candidates
from engine.fast.precision import choose_precision, harm
from engine.fast.splices import Blend
from engine.instrument import Instrument
from engine.motion import Motion
from tests.engine.checkpoint_files import TINY, network

BUILT_IN = "presets/masks/generator.safetensors"
SHAPE = replace(TINY, resolution=128, channels={4: 16, 8: 16, 16: 16, 32: 12, 64: 8, 128: 4})


@pytest.fixture(scope="module")
def masks():
    return checkpoints.load(BUILT_IN)


@pytest.fixture(scope="module")
def wide():
    """A network that has layers in half precision, with random weights."""
    return network(SHAPE)


def ws_of(generator, seed=0):
    return generator.map(torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(seed)))


def apart(generator, ws, **asked):
    """By how many levels of 255 the two precisions differ: on average, and for all but a thousandth."""
    a, b = (Synthesis(generator, half=half)(ws, **asked).clamp(-1, 1) for half in (False, True))
    assert b.dtype == torch.float32 and a.shape == b.shape
    levels = (a - b).abs().flatten().double() * 127.5
    return float(levels.mean()), float(levels.quantile(0.999))


@pytest.mark.parametrize("asked", [{}, {"noise": "none"}, {"noise": "random", "noise_seed": 3}, {"noise_strength": 3.0}, {"size": 128}, {"levels": (1.0, 0.25)}],
                         ids=str)
def test_pictures_are_the_same_to_the_eye(masks, asked):
    asked = {"size": 256} | asked
    mean, worst = apart(masks, ws_of(masks), **asked)
    assert 0 < mean < 1 and worst < 8


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_every_bend_is_given_single_precision(masks, transform):
    """And gives the same to the eye; a threshold may fall on the other side for a few numbers."""
    seen = []
    wanted = TRANSFORMS[transform]

    def watched(x, **settings):
        seen.append(x.dtype)
        return wanted.function(x, **settings)

    bend = Bend("a", "b64.conv1", tuple(range(0, 64, 2)), transform, {})
    mean, _ = apart(masks, ws_of(masks), size=128, bends=(bend,))
    assert mean < 4
    TRANSFORMS[transform] = replace(wanted, function=watched)
    try:
        Synthesis(masks, half=True)(ws_of(masks), size=64, bends=(bend,))
    finally:
        TRANSFORMS[transform] = wanted
    assert seen == [torch.float32]


def test_each_form_of_each_layer(wide):
    usual = Synthesis(wide)(ws_of(wide))
    for name in wide.layers:
        for form in candidates(wide.layer(name)):
            picture = Synthesis(wide, {name: form}, half=True)(ws_of(wide))
            assert (picture - usual).abs().mean() < 0.05 * usual.std(), (name, form)


def test_what_is_put_in_the_place_of_maps(wide):
    maps = torch.randn(1, 8, 64, 64)
    for mix in (0.5, 1.0):
        mean, _ = apart(wide, ws_of(wide), splice={"b64.conv1": Blend(maps, mix)})
        assert mean < 4


def test_weights_that_are_written_to_are_seen(wide):
    generator = copy.deepcopy(wide)
    half, ws = Synthesis(generator, half=True), ws_of(generator)
    before = half(ws)
    generator.layer("b128.conv0").weight.mul_(torch.linspace(0.2, 2, 8).view(1, -1, 1, 1))
    after = half(ws)
    assert not torch.equal(before, after)
    assert torch.equal(after, Synthesis(generator, half=True)(ws))


def test_nothing_is_computed_twice(wide):
    """And what is gone on from is, to the bit, what a fresh start gives."""
    half, ws = Synthesis(wide, half=True), ws_of(wide)
    half(ws)
    for strength in (0.5, 0.7, 0.9):
        bend = Bend("a", "b128.conv1", None, "scalar_multiply", {"factor": strength})
        assert torch.equal(half(ws, bends=(bend,)), Synthesis(wide, half=True)(ws, bends=(bend,)))
    assert half.resumed > 0


def test_it_is_chosen_where_it_is_faster_and_does_no_harm(masks, wide):
    def clock(ratio):
        """cost(function) of a processor that is so many times faster in half precision."""
        calls = iter((ratio, 1.0))
        return lambda function: function() is None or next(calls)

    assert choose_precision(masks, "auto", 256, clock(2.0)) == "bf16"
    assert choose_precision(masks, "auto", 256, clock(1.1)) == "fp32"
    assert choose_precision(masks, "auto", 256) == "fp32"
    spoilt = copy.deepcopy(wide)
    spoilt.synthesis.b128.torgb.weight.mul_(300)                                   # what is rounded shows
    assert choose_precision(spoilt, "auto", 128, clock(2.0)) == "fp32" and harm(spoilt)[1] > 8
    spoilt.synthesis.b128.torgb.weight.fill_(float("nan"))
    assert choose_precision(spoilt, "auto", 128, clock(2.0)) == "fp32"


def test_what_a_device_or_a_network_has_not(wide):
    with pytest.raises(UserError, match="precision fp16: not on cpu; there: auto, fp32, bf16"):
        choose_precision(wide, "fp16")
    with pytest.raises(UserError, match="expected auto, fp32, bf16, fp16"):
        choose_precision(wide, "int8")
    resnet = network(replace(SHAPE, kind="resnet"))
    with pytest.raises(UserError, match="architecture is resnet; there: fp32"):
        choose_precision(resnet, "bf16")
    assert choose_precision(resnet, "auto", 128, lambda function: 1.0) == "fp32"


def test_an_instrument_in_half_precision(masks):
    whole, half = Instrument(masks, 128), Instrument(masks, 128)
    half.use_precision("bf16")
    assert (whole.precision, half.precision) == ("fp32", "bf16")
    scene = whole.scene()
    a, b = (one.render(scene, Motion().advance(scene, 0.0)).pixels.astype(int) for one in (whole, half))
    assert 0 < abs(a - b).mean() < 1


def test_a_wide_picture(masks):
    whole, half = (Instrument(masks, 128, frame=Fraction(16, 9)) for _ in range(2))
    half.use_precision("bf16")
    for values in ({}, {"/frame/panorama": 0.0}, {"/frame/continue": "mirror"}):
        scene = whole.scene().set_values(values)
        a, b = (one.render(scene, Motion().advance(scene, 0.0)).pixels.astype(int) for one in (whole, half))
        assert a.shape[1] > a.shape[0] and 0 < abs(a - b).mean() < 1


def test_what_was_measured_of_a_checkpoint_is_found_at_the_next_start(tmp_path, monkeypatch):
    from engine.fast import precision
    from tests.conftest import tiny

    measured = []
    monkeypatch.setattr(precision, "harm", lambda generator, size: measured.append(size) or (0.5, 3.0))
    folder = tmp_path / "kept"
    assert precision.is_harmless(tiny(), 32, folder) and precision.is_harmless(tiny(), 32, folder) and len(measured) == 1
    other = tiny()
    other.layer("b16.conv1").weight.add_(1.0)
    assert precision.is_harmless(other, 32, folder) and len(measured) == 2
    assert precision.is_harmless(other, 16, folder) and len(measured) == 3
    for there in (None, object(), None):                                                # passes in C round less than torch's operations
        monkeypatch.setattr(precision, "find_passes", lambda there=there: there)
        precision.is_harmless(other, 16, folder)
    assert len(measured) == 4
    for path in folder.iterdir():
        path.write_text('["damaged')
    assert precision.is_harmless(other, 16, folder) and precision.is_harmless(other, 16, folder) and len(measured) == 5
    (tmp_path / "file").write_text("")
    assert precision.is_harmless(other, 16, tmp_path / "file") and len(measured) == 6
