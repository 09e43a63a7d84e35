"""The encoder while it is played: when it runs, what it is shown, how it gets into the picture and out of it."""
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.bending import Bend
from engine.encoder import Encoder
from engine.encoder_live import LiveEncoder, prepare, window
from engine.errors import UserError
from engine.fast import Blend, Synthesis, levels
from engine.fast.graph_renderer import GraphRenderer
from engine.fast.graphs import Programs
from engine.fast.plumbing import Twin
from engine.generator import SLOPE
from engine.instrument import Instrument
from engine.motion import Motion
from engine.rewriting.edit import Edit
from tests.conftest import tiny
from tests.engine.test_generator import ws_of

LAYER = "b16.conv1"
STILL = {"/walk/kind": "hold", "/source/mix": 1.0}


class Known(torch.nn.Module):
    """An encoder that answers with features it was given, a row for each shade of red."""
    layer, size = LAYER, (32, 32)

    def __init__(self, *answers):
        super().__init__()
        self.answers, self.shown = answers, []

    def forward(self, pictures):
        self.shown.append(pictures)
        return self.answers[round((float(pictures[0, 0].mean()) + 1) * 127.5) % len(self.answers)]


def features(generator, seed=1):
    return generator.features(ws_of(generator, 1, seed), [LAYER])[LAYER]


def shade(red, size=(20, 30)):
    picture = np.zeros((*size, 3), np.uint8)
    picture[..., 0] = red
    return picture


@pytest.fixture
def play(generator):
    """play(pictures, values) -> [Frame pixels]; .instrument, .motion, .scene stay between calls."""
    instrument = Instrument(generator, encoder=Known(features(generator, 1), features(generator, 2)))

    class Play:
        def __init__(self):
            self.instrument, self.motion, self.scene = instrument, Motion(), instrument.scene().set_values(STILL)

        def __call__(self, pictures, values={}, dt=1 / 30):
            self.scene, shown = self.scene.set_values(values), []
            for picture in pictures:
                self.motion = self.motion.advance(self.scene, dt)
                shown.append(self.instrument.render(self.scene, self.motion, picture).pixels.copy())
            return shown
    return Play()


def test_at_mix_0_the_encoder_does_not_run_and_the_picture_is_the_networks_own(play, generator):
    shown = play([shade(0)] * 3, {"/source/mix": 0.0})
    plain = Instrument(generator)
    scene = plain.scene().set_values({"/walk/kind": "hold"})
    assert (shown[-1] == plain.render(scene, Motion().advance(scene, 0)).pixels).all()
    assert play.instrument.live_encoder.encoded == 0 and play.instrument.drawings == 1


def test_true_features_give_the_normal_picture(generator):
    """Splice identity (SPEC.md E.D 4): bit for bit in the generator; on the fast path to the last level of 255."""
    ws = ws_of(generator)
    true = features(generator, 0)
    ws_zero = ws_of(generator, 1, 0)
    assert torch.equal(generator.synthesize(ws_zero, splice={LAYER: true}), generator.synthesize(ws_zero))
    fast = Synthesis(generator)
    whole, own = fast(ws_zero, splice={LAYER: true}).clone(), Synthesis(generator)(ws_zero)
    assert (whole - own).abs().max() < 2e-5 and ws.shape == ws_zero.shape


def test_through_the_instrument_as_well(generator):
    instrument = Instrument(generator)
    scene = instrument.scene().set_values({**STILL, **{f"/source/style/{g}": 1.0 for g in ("coarse", "middle", "fine")}})
    motion = Motion().advance(scene, 0)
    true = generator.features(instrument.latents.ws(scene, motion), [LAYER])[LAYER]
    own = instrument.render(scene.set_values({"/source/mix": 0.0}), motion).pixels.copy()
    seeing = Instrument(generator, encoder=Known(true))
    spliced = seeing.render(scene, motion, shade(0)).pixels
    assert seeing.live_encoder.encoded == 1
    assert np.abs(spliced.astype(int) - own).max() <= 1 and (spliced == own).mean() > 0.999


def test_a_still_source_gives_the_same_bits_and_nothing_is_drawn_again(play):
    first = play([shade(0)], {"/source/smoothing": 0.2})
    rest = play([shade(0) for _ in range(8)])                       # equal pictures, not one object
    assert all((a == first[0]).all() for a in rest)
    assert play.instrument.drawings == 1 and play.instrument.live_encoder.encoded == 1


def test_another_look_at_the_same_picture_is_another_frame(play):
    a, = play([shade(0)])
    b, = play([shade(0)], {"/walk/seed": 9})
    assert (a != b).any() and play.instrument.live_encoder.encoded == 1


@pytest.mark.parametrize("rate, expected", [(30.0, 12), (15.0, 6), (10.0, 4), (60.0, 12)])
def test_it_runs_at_its_own_rate(play, rate, expected):
    play([shade(i) for i in range(12)], {"/source/rate": rate})
    assert play.instrument.live_encoder.encoded == expected


def test_it_waits_for_no_turn_when_a_picture_comes_late(play):
    play([shade(0)] * 10, {"/source/rate": 10.0})
    play([shade(1)])
    assert play.instrument.live_encoder.encoded == 2


def test_features_glide_from_one_answer_to_the_next_and_arrive(play, generator):
    play([shade(0)] * 3, {"/source/rate": 10.0})
    sight, (one, two) = play.instrument.live_encoder, (features(generator, 1), features(generator, 2))
    for step in (1 / 3, 2 / 3, 1.0):
        play([shade(1)])
        assert torch.allclose(sight._now, torch.lerp(one, two, step), atol=1e-5)
    assert sight._now is sight._to
    drawn = play.instrument.drawings
    play([shade(1)] * 3)
    assert play.instrument.drawings == drawn


def test_smoothing_takes_its_time(play):
    play([shade(0)], {"/source/smoothing": 0.4, "/source/rate": 30.0})
    shown = play([shade(1)] * 14)
    moved = [bool((a != b).any()) for a, b in zip(shown, shown[1:])]
    assert all(moved[:10]) and not any(moved[12:])


def test_what_is_held_can_be_looked_at_anew(play):
    """Zoom and freeze in one frame: the picture held is seen at the new zoom, and follows it afterwards; newer ones are not."""
    half = shade(1, (32, 32))
    half[:16, :, 1] = 255
    play([half] * 4)
    shown = play.instrument.live_encoder.encoder.shown
    play([shade(2)] * 4, {"/source/freeze": 1.0, "/source/zoom": 2.0, "/source/y": -1.0})
    assert float(shown[-1][0, 1].mean()) == pytest.approx(1.0) and shown[-1][0, 0].mean() < -0.98     # the upper half: all green
    play([shade(2)] * 4, {"/source/y": 1.0})
    assert float(shown[-1][0, 1].mean()) == pytest.approx(-1.0)
    count = len(shown)
    play([shade(n) for n in range(20)])
    assert len(shown) == count


def test_freeze_holds_what_was_seen(play):
    held, = play([shade(0)])
    assert all((f == held).all() for f in play([shade(1)] * 4, {"/source/freeze": 1.0}))
    assert (play([shade(1)] * 4, {"/source/freeze": 0.0})[-1] != held).any()


def test_a_lost_signal_glides_to_the_walk_and_back(play):
    seen = play([shade(0)] * 2, {"/source/fade": 1.0})[-1]
    going = play([shade(0)] * 31, {"/source/signal": 0.0})
    walk = play([None], {"/source/mix": 0.0})[0]
    assert len({f.tobytes() for f in going}) > 20 and (going[-1] == walk).all() and (going[0] == seen).mean() > 0.5
    ran = play.instrument.live_encoder.encoded
    play([shade(0)] * 5, {"/source/mix": 1.0})
    assert play.instrument.live_encoder.encoded == ran                     # while it is gone the encoder costs nothing
    back = play([shade(0)] * 31, {"/source/signal": 1.0})
    assert (back[-1] == seen).all() and (back[0] != seen).any()


def test_no_picture_yet_is_the_walk(play):
    a, = play([None])
    assert (a == play([None], {"/source/mix": 0.0})[0]).all()


@pytest.mark.parametrize("picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32),
                                     np.zeros((0, 4, 3), np.uint8), "picture"])
def test_what_is_no_picture_is_a_user_error(play, picture):
    with pytest.raises(UserError, match="uint8"):
        play([picture])


def test_features_that_are_not_finite_never_reach_the_picture(play, caplog):
    seen = play([shade(0)] * 2)[-1]
    play.instrument.live_encoder.encoder.answers = (torch.full_like(features(play.instrument.generator), float("nan")),) * 2
    assert (play([shade(1)] * 3)[-1] == seen).all()
    assert "not finite" in caplog.text


def test_an_encoder_that_raises_is_left_out_until_the_mix_was_at_0(play, caplog):
    good = play.instrument.live_encoder.encoder.answers
    play.instrument.live_encoder.encoder.answers = ()
    walk = play([None], {"/source/mix": 0.0})[0]
    assert (play([shade(1)] * 3, {"/source/mix": 1.0})[-1] == walk).all()
    assert caplog.text.count("plays on without it") == 1
    play.instrument.live_encoder.encoder.answers = good
    play([None], {"/source/mix": 0.0})
    assert (play([shade(1)], {"/source/mix": 1.0})[-1] != walk).any()


def test_extreme_pictures(play):
    for picture in (shade(255, (1, 1)), shade(0, (1, 4000)), shade(3, (4000, 1)), shade(0, (4320, 7680))):
        for crop in ("fill", "fit", "stretch"):
            play([picture], {"/source/crop": crop, "/source/zoom": 8.0, "/source/rate": 60.0})
    assert play.instrument.live_encoder.encoded == 12


def test_the_walk_turned_layers_below_the_spliced_one_are_not_computed(play):
    play([shade(0), shade(1)], {"/walk/kind": "loop", "/source/style/middle": 0.0, "/source/rate": 60.0})
    play([shade(0), shade(1)])
    synthesis = play.instrument.drawing.synthesis
    below = [s.layer.name for s in synthesis.steps if s.layer.name != "b16.conv0"][:synthesis.resumed + 1]
    assert below[-1] == LAYER


def reference(generator, ws, given, mix, bends=()):
    """The picture with activations blended at LAYER, from the generator's own parts."""
    conv = generator.layer(LAYER)
    own = generator.features(ws, [LAYER])[LAYER]
    act = lambda y: F.leaky_relu((y + conv.noise_const * conv.noise_strength + conv.bias.view(1, -1, 1, 1)), SLOPE)
    blended = torch.lerp(act(own), act(given), mix)
    before = torch.where(blended < 0, blended / SLOPE, blended) - conv.bias.view(1, -1, 1, 1) - conv.noise_const * conv.noise_strength
    return generator.synthesize(ws, splice={LAYER: before}, bends=bends)


BENDS = [Bend("a", LAYER, (0, 3, 5), "scalar_multiply", {"factor": -2.0}, 0.7), Bend("b", "b32.conv0", None, "flip_h", {}, 1.0),
         Bend("c", "b16.conv0", None, "invert", {}, 1.0)]


@pytest.mark.parametrize("bends", [(), BENDS], ids=["plain", "bends"])
@pytest.mark.parametrize("mix", [0.3, 1.0])
@torch.no_grad()
def test_blends_on_both_paths_agree_with_the_definition(generator, mix, bends):
    ws, given = ws_of(generator, 1, 4), features(generator, 2)
    wanted = reference(generator, ws, given, mix, [b for b in bends if b.name != "c"])
    bends = [b for b in bends if b.name != "c" or mix == 1.0]        # one below a whole splice has nothing to act on
    assert (Synthesis(generator)(ws, splice={LAYER: Blend(given, mix)}, bends=bends) - wanted).abs().max() < 1e-4
    program = GraphRenderer(generator, machine=Twin(), programs=Programs(Twin(), start=lambda job: job()))
    factor, offset = levels()
    bytes_ = (wanted * factor + offset).clamp(0, 255)[0].permute(1, 2, 0).byte()
    for _ in range(2):
        pixels = program.frame(ws, splice={LAYER: Blend(given, mix)}, bends=bends)
        assert (pixels.int() - bytes_.int()).abs().max() <= 1


@torch.no_grad()
def test_turning_the_mix_captures_two_programs_at_most(generator):
    machine = Twin()
    program = GraphRenderer(generator, machine=machine, programs=Programs(machine, start=lambda job: job()))
    for mix in (0.2, 0.5, 0.9, 1.0, 0.4, 1.0):
        program.frame(ws_of(generator), splice={LAYER: Blend(features(generator), mix)})
    assert machine.captures == 2


def test_order_with_bends_and_edits(generator):
    """SPEC.md E.D 12: encoder, then noise, bias, activation, then the bends of that layer, then the (edited) layers above."""
    o, i, kh, kw = generator.weights("b32.conv0").shape
    torch.manual_seed(1)
    edit = Edit("hats", "b32.conv0", torch.randn(1, i), torch.randn(1, o, kh, kw) * 0.3)
    answer = features(generator, 2)
    instrument = Instrument(tiny(), edits=[edit], encoder=Known(answer))
    scene = instrument.scene((BENDS[0],)).set_values({**STILL, "/edits/hats/strength": 1.0, "/source/style/coarse": 1.0})
    shown = instrument.render(scene, Motion().advance(scene, 0), shade(0)).pixels
    ws = instrument.latents.ws(scene, Motion().advance(scene, 0))
    edited = tiny()
    edited.layer("b32.conv0").weight.data += edit.delta(1.0)
    wanted = edited.synthesize(ws, splice={LAYER: answer}, bends=[BENDS[0]])
    difference = np.abs(shown.astype(int) - (wanted[0].permute(1, 2, 0) * 127.5 + 128).clamp(0, 255).byte().numpy())
    assert difference.max() <= 1


def test_a_motion_that_goes_back_begins_anew(play):
    play([shade(0)] * 3, {"/source/rate": 1.0})
    play.motion = Motion()
    play([shade(1)])
    assert play.instrument.live_encoder.encoded == 2


def test_a_fresh_encoder_plays(generator):
    encoder = Encoder.fresh(generator, LAYER)
    live = LiveEncoder(encoder)
    live.warm_up()
    scene = Instrument(generator).scene().set_values(STILL)
    heard = live.encode(scene, Motion().advance(scene, 0.1), shade(90, (100, 60)))
    assert heard[LAYER].features.shape == features(generator).shape and heard[LAYER].mix == 1.0


# -- what it is shown


def test_prepared_fills_mirrors_and_gains():
    picture = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    seen = prepare(picture, (16, 16))
    assert seen.shape == (1, 3, 4, 4)
    assert np.allclose((seen[0].permute(1, 2, 0).numpy() + 1) * 127.5, picture[:, 2:6], atol=1e-3)
    assert torch.equal(prepare(picture, (16, 16), mirror=1.0), seen.flip(3))
    assert torch.equal(prepare(picture, (16, 16), gain=0.0), torch.full_like(seen, -1.0))
    assert prepare(picture, (16, 16), gain=4.0).max() <= 1.0


def test_prepared_fits_with_black_beside():
    seen = prepare(np.full((4, 8, 3), 255, np.uint8), (16, 16), crop="fit")
    assert seen.shape == (1, 3, 8, 8)
    assert (seen[:, :, 2:6] == 1).all() and (seen[:, :, :2] == -1).all() and (seen[:, :, 6:] == -1).all()


@pytest.mark.parametrize("x, y, corner", [(-1, -1, (0, 0)), (1, 1, (50, 75)), (0, 0, (25, 38)), (1, -1, (0, 75))])
def test_zoom_and_where(x, y, corner):
    rows, columns = window((100, 100, 3), (32, 16), "fill", 2.0, x, y)
    assert (rows.start, columns.start) == corner and rows.stop - rows.start == 50 and columns.stop - columns.start == 25


@pytest.mark.parametrize("size", [(16, 16), (32, 8), (8, 32)])
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 3), (333, 17, 3)])
@pytest.mark.parametrize("crop", ["fill", "fit", "stretch"])
def test_every_window_is_inside_and_not_empty(shape, size, crop):
    for zoom in (1.0, 3.3, 8.0):
        for at in (-1.0, 0.2, 1.0):
            for length, span in zip(shape, window(shape, size, crop, zoom, at, at)):
                assert 0 <= span.start < span.stop <= length
