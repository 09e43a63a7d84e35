"""Networks continued to another shape, against a slow one in float64 that shares no code with them."""
from fractions import Fraction

import numpy as np
import pytest
import torch

from engine.bending import bend_from_dict
from engine.encoder.network import Encoder
from engine.fast import Synthesis
from engine.fast.graph_renderer import GraphRenderer
from engine.frame import PARAMETERS, FrameShape
from engine.generator import quantize
from engine.instrument import Instrument
from engine.motion import Motion
from engine.view import View
from engine.wide import WideGenerator, extend
from tests.conftest import tiny
from tests.engine import reference

WIDE, TALL, LONG = Fraction(16, 9), Fraction(9, 16), Fraction(4)
REACH = 0.33                        # of the square picture's side: what two fine layers and the soft seam at 16 px of a 64 px network see beyond a seam


def settings(**changed):
    return {address: p.default for address, p in PARAMETERS.items()} | {f"/frame/{name.strip('_')}": value for name, value in changed.items()}


def wide(generator, ratio, **changed):
    made = WideGenerator(generator, FrameShape(generator.architecture, ratio))
    made.follow(settings(**changed))
    return made


# -- the slow network


def slow_const(const, cells, way):
    """The constant [C, 4, cells] by counting on one's fingers."""
    own, columns = const.shape[2], []
    for place in range(cells):
        at = place - (cells - own) // 2
        if way == "tile":
            columns.append(at % own)
        elif way == "edge":
            columns.append(min(max(at, 0), own - 1))
        else:
            forward = list(range(own)) + list(range(own - 1, -1, -1))
            columns.append(forward[at % (2 * own)])
    return np.stack([const[:, :, column] for column in columns], 2)


def slow_layer(state, name, x, w, noise, options, seams, goes_round):
    """One layer of a map [C, H, W'] that is continued across; seams in places of x, or None where it sees across all of them."""
    scale, n = 2 if name.endswith("conv0") else 1, x.shape[2]

    def alone(part):
        """The layer with zeros around, without noise, before the activation: what reference.styled() does, apart."""
        weight = reference.modulated(state[f"{name}.weight"], reference.dense(state, f"{name}.affine", w), True)
        return reference.up_convolved(part, weight[:, :, ::-1, ::-1]) if scale == 2 else reference.correlated(reference.padded(part, 1, 1), weight)

    if seams is not None:
        turn = seams[0] if goes_round else 0                                # begin at a seam: then no part goes over the end
        turned = np.roll(x, -turn, 2)
        ends = [seam - turn for seam in seams] + [n] if goes_round else [0, *[s for s in seams if s], n]
        y = np.concatenate([alone(turned[:, :, a:b]) for a, b in zip(ends, ends[1:])], 2)
        y = np.roll(y, turn * scale, 2)
    elif goes_round:
        y = alone(np.concatenate([x[:, :, -3:], x, x[:, :, :3]], 2))[:, :, 3 * scale:-3 * scale]
    else:
        y = alone(x)
    y = y + state[f"{name}.noise_strength"] * noise + state[f"{name}.bias"][:, None, None]
    return reference.activated(y) * options["gain"]


def slow_picture(generator, made, ws, way, goes_round, keeps):
    """The continued picture [3, H, W'] of ws [num_ws, W], continued across."""
    state = {name: tensor.double().numpy() for name, tensor in generator.state_dict().items()}
    own, cells = generator.architecture.const_size[1], made.shape.around
    start = (cells - own) // 2
    every = way in ("tile", "mirror")
    seams = [s for s in range(start % own, cells, own) if s or goes_round] if every else [start, start + own]
    x, picture = slow_const(state["synthesis.b4.const"], cells, way), None
    for j, r in enumerate(generator.architecture.resolutions):
        for conv in ("conv0", "conv1") if r > 4 else ("conv1",):
            name, row = f"synthesis.b{r}.{conv}", 2 * j - (conv == "conv0")
            noise = made.generator.layer(f"b{r}.{conv}").noise_const.double().numpy()
            here = [s * x.shape[2] // cells for s in seams]
            layer = lambda seams, name=name, x=x, row=row, noise=noise: slow_layer(state, name, x, ws[row], noise, {"gain": 1.0}, seams, goes_round)
            apart, joined = layer(here) if keeps and r <= 16 else None, layer(None)
            if apart is not None and r == 16:
                at = np.arange(joined.shape[2]) + 0.5
                places = [s * joined.shape[2] / cells for s in seams] + ([joined.shape[2]] if 0 in seams else [])
                t = np.clip(np.abs(at[:, None] - np.array(places)).min(1) / 1.5, 0, 1)
                apart = joined + (apart - joined) * (3 * t ** 2 - 2 * t ** 3)
            x = joined if apart is None else apart
        here = reference.rgb(state, f"synthesis.b{r}.torgb", x, ws[2 * j + 1], None)
        if picture is not None:
            long = np.concatenate([picture[:, :, -2:], picture, picture[:, :, :2]], 2) if goes_round else picture
            large = reference.up_sampled(long)
            here = here + (large[:, :, 4:-4] if goes_round else large)
        picture = here
    return picture


@pytest.mark.parametrize("way", ["tile", "mirror", "edge"])
@pytest.mark.parametrize("goes_round", [0, 1])
@pytest.mark.parametrize("keeps", [0, 1])
@pytest.mark.parametrize("ratio", [WIDE, Fraction(3)], ids=str)
def test_a_continued_picture_is_what_a_slow_network_draws(generator, way, goes_round, keeps, ratio):
    made = wide(generator, ratio, continue_=way, panorama=goes_round, keep=keeps)
    ws = generator.map(torch.randn(1, 16, generator=torch.Generator().manual_seed(4)))
    slow = slow_picture(generator, made, ws[0].double().numpy(), way, bool(goes_round), bool(keeps))
    fast = made.generator.synthesize(ws)[0].numpy()
    assert np.abs(fast - slow).max() < 2e-4 * max(1.0, np.abs(slow).max())


# -- the same picture by every way there is


@pytest.mark.parametrize("kind", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("own", [(4, 4), (4, 6), (3, 4)])
@pytest.mark.parametrize("ratio", [WIDE, TALL, LONG], ids=str)
def test_the_fast_path_and_captured_programs_draw_the_plain_ones_picture(kind, own, ratio):
    generator = tiny(kind=kind, const_size=own)
    made = WideGenerator(generator, FrameShape(generator.architecture, ratio))
    ws = generator.map(torch.randn(1, 16, generator=torch.Generator().manual_seed(4)))
    fast = Synthesis(made.generator)
    for scene in (settings(), settings(panorama=0), settings(keep=0), settings(continue_="noise", seed=4), settings(panorama=0, keep=0)):
        made.follow(scene)
        for noise in ("const", "random"):
            plain = made.generator.synthesize(ws, noise=noise, noise_seed=3)
            assert tuple(plain.shape[2:]) == made.shape.find_drawn(32)
            assert (fast(ws, noise=noise, noise_seed=3) - plain).abs().max() < 2e-5 * max(1.0, plain.abs().max())
        if kind == "skip":
            codes = quantize(made.generator.synthesize(ws)).int()
            assert (GraphRenderer(made.generator).frame(ws).int() - codes).abs().max() <= 1


def test_a_wide_picture_is_a_tall_one_of_a_network_on_its_side():
    generator, turned = tiny(), tiny()
    for name, tensor in turned.state_dict().items():
        if name.endswith(("noise_const", ".const")) or tensor.ndim == 4:
            tensor.copy_(tensor.transpose(-1, -2).clone())
    ws = generator.map(torch.randn(1, 16, generator=torch.Generator().manual_seed(4)))
    across = wide(generator, WIDE).generator.synthesize(ws, noise="none")
    down = wide(turned, TALL).generator.synthesize(ws, noise="none")
    assert (across - down.transpose(2, 3)).abs().max() < 2e-5


# -- the middle


def middle(picture, side):
    height, width = picture.shape[-2:]
    above, before = (height - side) // 2, (width - side) // 2
    return picture[..., above:above + side, before:before + side]


def small():
    return tiny(resolution=64, channels={4: 8, 8: 8, 16: 8, 32: 8, 64: 4})


@pytest.mark.parametrize("way", ["tile", "mirror", "edge", "noise"])
@pytest.mark.parametrize("ratio", [WIDE, TALL, LONG], ids=str)
def test_beyond_the_reach_of_the_seams_the_middle_is_the_square_picture(way, ratio):
    generator = small()
    made = wide(generator, ratio, continue_=way)
    ws = generator.map(torch.randn(2, 16, generator=torch.Generator().manual_seed(4)))
    for size in (32, 64):
        square, long = generator.synthesize(ws, size=size), made.generator.synthesize(ws, size=size)
        off = (middle(long, size) - square).abs().amax((0, 1, 2 if ratio > 1 else 3))      # [size] along the axis
        reach = int(np.ceil(REACH * size))
        assert off[reach:-reach].max() < 1e-5 and off.max() > 0.01


@pytest.mark.parametrize("ratio", [WIDE, TALL], ids=str)
@pytest.mark.parametrize("transform, settings, layer, mix", [
    ("scalar_multiply", {"factor": 3.0}, "b32.conv1", 1.0), ("blur", {"radius": 0.02}, "b64.conv1", 1.0), ("swirl", {"angle": 200.0, "radius": 0.2}, "b64.conv1", 1.0),
    ("wave", {"amount": 0.02, "count": 4.0, "phase": 30.0}, "b64.conv1", 1.0), ("pixelate", {"blocks": 16.0}, "b64.conv1", 0.5), ("rotate", {"angle": 37.0}, "b64.conv1", 1.0),
    ("noise", {"amount": 1.0, "seed": 3}, "b64.conv1", 1.0), ("translate", {"right": 0.05, "down": 0.05}, "b64.conv1", 1.0), ("sharpen", {"radius": 0.02}, "b64.conv1", 1.0),
    ("kaleidoscope", {"segments": 5.0}, "b64.conv1", 1.0), ("mirror", {"angle": 20.0}, "b64.conv1", 1.0), ("tile", {"across": 1.05, "down": 1.05}, "b64.conv1", 1.0)])
def test_a_bend_does_to_the_middle_what_it_does_to_the_square_picture(transform, settings, layer, mix, ratio):
    generator = small()
    bend = bend_from_dict({"name": "a", "layer": layer, "channels": "0,2", "transform": transform, "settings": settings, "mix": mix}, generator)
    square, long = picture(Instrument(generator), (bend,)), picture(Instrument(small(), frame=ratio), (bend,))
    plain = picture(Instrument(small()), ())
    core = slice(26, 38)                                                    # beyond the reach even of what has been moved there
    cut = lambda pixels: middle(torch.from_numpy(pixels).permute(2, 0, 1), 64)[:, core, core].int()
    assert (cut(long) - cut(square)).abs().max() <= 2
    assert (cut(plain) - cut(square)).abs().max() > 4                       # and it does something there


def picture(instrument, bends=(), source=None, seconds=0.0, **values):
    scene = instrument.scene(bends).set_values({"/walk/kind": "hold", "/walk/seed": 5} | {f"/frame/{k.strip('_')}": v for k, v in values.items()})
    motion = Motion().advance(scene, 0.0).advance(scene, seconds)
    return instrument.render(scene, motion, source).pixels.copy()


# -- the constant and the noise


def test_the_constant_lies_in_the_middle_whatever_is_beside_it():
    maps = torch.arange(32.0).view(2, 4, 4)
    for way in ("tile", "mirror", "edge", "noise"):
        long = extend(maps, -1, 10, way, 3)
        assert torch.equal(long[:, :, 3:7], maps) and torch.equal(extend(maps, -1, 4, way, 3), maps)
        assert torch.equal(extend(maps.transpose(1, 2), -2, 10, way, 3), long.transpose(1, 2)) or way == "noise"
    assert extend(maps, -1, 10, "tile")[0, 0].tolist() == [1, 2, 3, 0, 1, 2, 3, 0, 1, 2]
    assert extend(maps, -1, 10, "mirror")[0, 0].tolist() == [2, 1, 0, 0, 1, 2, 3, 3, 2, 1]
    assert extend(maps, -1, 10, "edge")[0, 0].tolist() == [0, 0, 0, 0, 1, 2, 3, 3, 3, 3]


def test_what_turns_the_surroundings_is_seen_at_once_and_comes_back_to_the_bit(generator):
    instrument = Instrument(generator, frame=LONG)
    first = picture(instrument)
    for changed in ({"continue_": "edge"}, {"continue_": "noise"}, {"keep": 0}, {"panorama": 0}, {"seed": 7}):
        assert (picture(instrument, **changed) != first).any(), changed
        assert (picture(instrument) == first).all(), changed
    assert (picture(Instrument(tiny(), frame=LONG), continue_="noise", seed=9) == picture(instrument, continue_="noise", seed=9)).all()


def test_without_a_frame_or_with_the_networks_own_shape_nothing_of_it_is_there(generator):
    plain = picture(Instrument(generator))
    for instrument in (Instrument(tiny(), frame=Fraction(1)), Instrument(tiny())):
        assert instrument.shape is None and (picture(instrument, continue_="noise", keep=0, scroll=1.0, seconds=0.2) == plain).all()
    assert Instrument(tiny(const_size=(4, 6)), frame=Fraction(3, 2)).shape is None


# -- going round


def test_a_panorama_meets_itself_and_comes_back(generator):
    instrument = Instrument(generator, frame=LONG)
    still = picture(instrument)
    assert still.shape == (32, 128, 3)
    quarter = picture(instrument, scroll=1.0, seconds=0.25)                 # 32 px of 128
    assert (quarter == np.roll(still, -32, 1)).all()
    between = picture(instrument, scroll=0.5 / 128 / 0.25, seconds=0.25).astype(int)     # half a pixel
    mean = (still.astype(int) + np.roll(still, -1, 1)) / 2
    assert np.abs(between - mean).max() <= 1
    assert (picture(instrument, scroll=2.0, seconds=0.25) == np.roll(still, -64, 1)).all()
    assert (picture(instrument, scroll=1.0, seconds=0.25, panorama=0) == picture(instrument, panorama=0)).all()


def test_a_panorama_with_a_turned_constant_is_the_turned_panorama(generator):
    """No place on it is the end: a network that is begun elsewhere draws the same round."""
    made = wide(generator, LONG, keep=0)
    ws = generator.map(torch.randn(1, 16, generator=torch.Generator().manual_seed(4)))
    first = made.generator.synthesize(ws, noise="none")
    const = made.generator.block(4).const
    const.copy_(const.roll(3, 2))
    assert (made.generator.synthesize(ws, noise="none") - first.roll(24, 3)).abs().max() < 2e-5


def test_only_what_is_shown_moves_when_a_panorama_scrolls(generator):
    instrument = Instrument(generator, frame=LONG)
    calls = []
    drawn = instrument.drawing.synthesis.draw
    instrument.drawing.synthesis.draw = lambda *where, **inputs: calls.append(1) or drawn(*where, **inputs)
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/frame/scroll": 0.3})
    motion = Motion()
    frames = []
    for _ in range(4):
        motion = motion.advance(scene, 0.1)
        frames.append(instrument.render(scene, motion).pixels.copy())
    assert len(calls) == 1 and all((a != b).any() for a, b in zip(frames, frames[1:]))


@pytest.mark.parametrize("turned", [0.0, 0.13, 0.5, 0.999, 1 / 3])
@pytest.mark.parametrize("ratio", [WIDE, TALL], ids=str)
def test_a_view_is_where_arithmetic_puts_it(ratio, turned):
    shape = FrameShape(tiny().architecture, ratio)
    view = View(shape, 32)
    view.whole.copy_(torch.randint(0, 256, view.whole.shape, generator=torch.Generator().manual_seed(1), dtype=torch.uint8))
    out = torch.zeros(*shape.pixels(32), 3, dtype=torch.uint8)
    view.show(out, turned)
    whole, axis = view.whole.numpy().astype(float), 1 if ratio > 1 else 0
    length, count = whole.shape[axis], out.shape[axis]
    at = (length - count) / 2 + turned * length + np.arange(count)
    low = np.floor(at).astype(int)
    share = np.expand_dims(at - low, (0, 2) if axis else (1, 2))
    expected = np.take(whole, low % length, axis) * (1 - share) + np.take(whole, (low + 1) % length, axis) * share
    assert np.abs(out.numpy() - expected).max() <= 2.51                     # steps of 1 / 128 of 255, and rounding


# -- everything else that plays


def test_a_smaller_drawing_is_shown_at_the_same_size(generator):
    instrument = Instrument(generator, frame=WIDE)
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/quality/size": 8.0})
    frame = instrument.render(scene, Motion().advance(scene, 0.0))
    assert frame.pixels.shape == instrument.pixels + (3,) == (32, 56, 3)


def test_the_source_is_continued_as_the_constant_is():
    instrument_of = lambda ratio: Instrument(small(), frame=ratio, encoder=Encoder.fresh(small(), "b16.conv1", width=16))
    source = np.random.RandomState(3).randint(0, 256, (40, 60, 3), np.uint8)
    seen = {}
    for ratio in (None, WIDE, TALL):
        instrument = instrument_of(ratio)
        scene = instrument.scene().set_values({"/walk/kind": "hold", "/source/mix": 1.0, "/source/signal": 1.0})
        seen[ratio] = instrument.render(scene, Motion().advance(scene, 0.0), source).pixels.copy()
        assert (seen[ratio] != picture(instrument_of(ratio))).any()
    for ratio in (WIDE, TALL):
        cut = lambda pixels: middle(torch.from_numpy(pixels).permute(2, 0, 1), 64)[:, 22:42, 22:42].int()
        assert (cut(seen[ratio]) - cut(seen[None])).abs().max() <= 2


def test_weights_written_to_the_network_are_played_by_what_it_is_continued_to():
    generator, other = tiny(), tiny()
    for tensor in other.state_dict().values():
        tensor.add_(0.05)
    instrument = Instrument(generator, frame=WIDE, checkpoints={"b": other})
    before = picture(instrument)
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/walk/seed": 5, "/weights/b/amount": 1.0})
    mixed = instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy()
    assert (mixed != before).any()
    assert np.abs(mixed.astype(int) - picture(Instrument(other, frame=WIDE)).astype(int)).max() <= 2
    assert (picture(instrument) == before).all()
