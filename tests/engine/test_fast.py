"""The fast path: the generator's own pictures, whatever is asked of it, and nothing computed twice."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.bending import Bend
from engine.errors import UserError
from engine.fast import Synthesis, levels, to_bytes
from engine.fast.forms import PLAIN, UP, candidates, find_fastest, find_usual
from engine.fast.kernels import channels_last, polyphase, skip_kernel, to_rgb, up_rgb
from engine.fast.layers import Styles
from engine.generator import fir, quantize, upsample
from engine.quality import drawing_size
from tests.engine.test_generator import A64, KINDS, network, ws_of

CLOSE = 2e-5


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def distance(a, b):
    return (a - b).abs().max().item()


@pytest.fixture
def generator():
    return network(A64)


@pytest.fixture
def fast(generator):
    return Synthesis(generator)


BENDS = (Bend("a", "b16.conv0", (0, 3, 5), "scalar_multiply", {"factor": 2.0}), Bend("b", "b32.conv1", None, "flip_h", {}, 0.5),
         Bend("c", "b16.conv0", None, "invert", {}, 1.0))
ASKED = {
    "plain": {}, "smaller": {"size": 16}, "smallest": {"size": 4}, "no noise": {"noise": "none"},
    "noise turned up": {"noise_strength": 3.0}, "noise at 0": {"noise_strength": 0.0},
    "random noise": {"noise": "random", "noise_seed": 5}, "bends": {"bends": BENDS},
    "bends, smaller": {"bends": BENDS, "size": 32},
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("kind", KINDS)
def test_it_agrees_with_the_generator(kind, asked):
    generator = network(KINDS[kind])
    fast = Synthesis(generator)
    for seed in (1, 2):
        ws = ws_of(generator, 1, seed)
        assert distance(fast(ws, **ASKED[asked]), generator.synthesize(ws, **ASKED[asked])) < CLOSE


@pytest.mark.parametrize("form", [*PLAIN, *UP])
def test_every_form_agrees(generator, form):
    forms = {name: form for name in generator.layers if form in candidates(generator.layer(name))}
    fast, ws = Synthesis(generator, forms), ws_of(generator)
    for asked in ({}, {"noise": "none"}, {"noise": "random", "noise_seed": 1}):
        assert distance(fast(ws, **asked), generator.synthesize(ws, **asked)) < CLOSE


def test_a_splice_goes_in_before_noise_and_activation(generator, fast):
    ws = ws_of(generator)
    features = generator.features(ws_of(generator, 1, 9), ["b16.conv1"])
    kept = features["b16.conv1"].clone()
    assert distance(fast(ws, splice=features), generator.synthesize(ws, splice=features)) < CLOSE
    assert torch.equal(features["b16.conv1"], kept)
    features["b16.conv1"].mul_(2)                                   # the same tensor with another content
    assert distance(fast(ws, splice=features), generator.synthesize(ws, splice=features)) < CLOSE
    assert distance(fast(ws), generator.synthesize(ws)) < CLOSE


def pictures_agree(fast, ws, **asked):
    picture = fast(ws, **asked)
    assert distance(picture, fast.generator.synthesize(ws, **asked)) < CLOSE
    assert torch.equal(picture, Synthesis(fast.generator)(ws, **asked))         # to the bit what a fresh start gives
    return fast.resumed


def test_layers_below_the_first_changed_one_are_not_run_again(generator, fast):
    ws, step = ws_of(generator), generator.layers.index("b32.conv1")
    for turn, factor in enumerate((1.0, 1.1, 1.2, 1.3)):
        bend = Bend("a", "b32.conv1", None, "scalar_multiply", {"factor": factor})
        resumed = pictures_agree(fast, ws, bends=[bend])
        assert resumed == (step if turn > 1 else 0), turn            # seen once, kept the second time, used from then on


def test_fine_styles_alone_run_fine_layers_alone(generator, fast):
    ws = ws_of(generator)
    for turn in range(4):
        ws = ws.clone()
        ws[:, -3:] = turn                                           # b32.torgb, b64.conv0, b64.conv1 and b64.torgb
        assert pictures_agree(fast, ws) == (generator.layers.index("b32.conv1") if turn > 1 else 0)
    assert pictures_agree(fast, ws_of(generator, 1, 3)) == 0


@pytest.mark.parametrize("where", ["synthesis.b16.conv1.weight", "synthesis.b16.conv1.bias", "synthesis.b16.conv0.affine.weight",
                                   "synthesis.b32.conv0.noise_strength", "synthesis.b32.conv1.noise_const", "synthesis.b64.torgb.weight",
                                   "synthesis.b8.conv0.weight", "synthesis.b64.conv0.weight", "synthesis.b4.const",
                                   "synthesis.b16.torgb.affine.bias"])
def test_weights_written_in_place_are_seen(generator, fast, where):
    ws = ws_of(generator)
    fast(ws)
    tensor = dict(generator.named_parameters()) | dict(generator.named_buffers())
    before = fast(ws)
    kept = tensor[where].clone()
    tensor[where].add_(torch.randn_like(kept))
    pictures_agree(fast, ws)
    assert distance(fast(ws), before) > 1e-4
    tensor[where].copy_(kept)
    pictures_agree(fast, ws)
    assert torch.equal(fast(ws), before)


def test_the_shortcut_of_a_resnet_written_in_place_is_seen():
    generator = network(KINDS["resnet"])
    fast, ws = Synthesis(generator), ws_of(generator)
    before = fast(ws)
    fast(ws)
    generator.synthesis.b32.skip.weight.mul_(2)
    pictures_agree(fast, ws)
    assert distance(fast(ws), before) > 1e-4


def test_random_noise_beside_a_splice_is_the_generators_own(generator, fast):
    ws = ws_of(generator)
    splice = generator.features(ws_of(generator, 1, 9), ["b16.conv1"])
    pictures_agree(fast, ws, splice=splice, noise="random", noise_seed=4)


def test_a_sequence_of_everything(generator, fast):
    """Whatever came before, a picture is what a fresh start gives."""
    asked = list(ASKED.values())
    order = torch.randperm(60, generator=torch.Generator().manual_seed(4)).tolist()
    for n in order:
        pictures_agree(fast, ws_of(generator, 1, n % 3), **asked[n % len(asked)])


def test_random_noise_is_new_every_time_without_a_seed(generator, fast):
    ws = ws_of(generator)
    assert distance(fast(ws, noise="random"), fast(ws, noise="random")) > 1e-4


def test_levels_are_what_quantize_does(generator, fast):
    ws = ws_of(generator)
    out = torch.zeros(64, 64, 3, dtype=torch.uint8)
    to_bytes(fast(ws, levels=levels()), out)
    codes = quantize(generator.synthesize(ws))
    assert (out.int() - codes.int()).abs().max() <= 1 and (out == codes).float().mean() > 0.999
    to_bytes(fast(ws, levels=levels(0.5)), out)
    half = quantize((generator.synthesize(ws) + 1) / 2 - 1)
    assert (out.int() - half.int()).abs().max() <= 1


def test_not_a_number_becomes_black():
    out = torch.ones(1, 2, 3, dtype=torch.uint8)
    to_bytes(torch.full((1, 3, 1, 2), float("nan")), out)
    assert not out.any()


@pytest.mark.parametrize("size", [(1, 1), (3, 50_000), (300, 700)])
@pytest.mark.parametrize("threads", [1, 3])
def test_every_part_of_a_large_picture_becomes_bytes(size, threads):
    """Number by number, whatever is done at a time: rounded down, within 0 and 255, NaN as 0."""
    picture = (torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1)) * 400 - 70).contiguous(memory_format=torch.channels_last)
    picture[0, :, ::7, ::13] = float("nan")
    picture[0, 1, ::5, ::11] = float("inf")
    wanted = np.clip(np.nan_to_num(picture[0].permute(1, 2, 0).numpy().astype(np.float64), nan=0.0, posinf=1e9), 0, 255).astype(np.uint8)
    out = torch.full((*size, 3), 7, dtype=torch.uint8)
    torch.set_num_threads(threads)
    try:
        to_bytes(picture, out)
    finally:
        torch.set_num_threads(1)
    assert (out.numpy() == wanted).all()


def test_polyphase_is_transposed_convolution_and_fir():
    weight, x = torch.randn(5, 3, 3, 3, dtype=torch.float64), torch.randn(1, 3, 6, 7, dtype=torch.float64)
    wanted = F.conv2d(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2),
                      fir(4, dtype=torch.float64).expand(5, 1, 4, 4), padding=1, groups=5)
    parts = F.conv2d(x, polyphase(weight), padding=1).view(2, 2, 5, 6, 7)
    for p in range(2):
        for q in range(2):
            assert distance(parts[p, q], wanted[0, :, p::2, q::2]) < 1e-12


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8)])
def test_the_skip_path(size):
    picture, rgb = torch.randn(1, 3, *size), torch.randn(1, 3, 2 * size[0], 2 * size[1])
    assert distance(up_rgb(picture, rgb, skip_kernel(rgb.device, rgb.dtype)), upsample(picture) + rgb) < 1e-6


@pytest.mark.parametrize("channels, width", [(4, 16), (8, 6), (3, 8), (5, 7), (32, 8)])
def test_to_rgb_with_neighbours_as_channels(channels, width):
    x, weight, bias = channels_last(torch.randn(1, channels, 5, width)), torch.randn(3, channels), torch.randn(3)
    assert distance(to_rgb(x, weight, bias), F.conv2d(x, weight[:, :, None, None], bias)) < 1e-5


def test_styles_are_the_affines(generator):
    affines = [(generator.layer(name).affine, i, 0.5) for i, name in enumerate(generator.layers)]
    ws = ws_of(generator)[0]
    for (affine, row, factor), styles in zip(affines, Styles(affines)(ws), strict=True):
        assert distance(styles, affine(ws[None, row])[0] * factor) < 1e-5


def test_the_measured_form_is_the_usual_one_unless_another_is_clearly_faster(generator):
    conv = generator.layer("b16.conv0")
    order = iter(range(100))
    assert find_fastest(conv, lambda run: 1.0) == find_usual(conv)
    assert find_fastest(conv, lambda run: 1.0 - 0.01 * next(order)) == find_usual(conv)
    assert find_fastest(conv, lambda run: 0.5 ** next(order)) == list(UP)[-1]


def test_measured_forms_draw_the_same_picture(generator, fast):
    order = iter(range(1000))
    before = fast(ws_of(generator))
    fast.measure(lambda run: 0.5 ** next(order))
    assert [step.layer.form_name for step in fast.steps] == [list(candidates(step.layer.conv))[-1] for step in fast.steps]
    assert 0 < distance(fast(ws_of(generator)), before) < CLOSE


def test_refusals(generator, fast):
    with pytest.raises(UserError, match="expected"):
        fast(ws_of(generator, 2))
    with pytest.raises(UserError, match="4, 8, 16, 32, 64"):
        fast(ws_of(generator), size=48)
    with pytest.raises(UserError, match="const, random or none"):
        fast(ws_of(generator), noise="loud")


@pytest.mark.parametrize("wanted, shown, size", [(1024, 64, 64), (64, 64, 64), (63, 64, 32), (512, 1024, 512), (3, 64, 4), (700, 1024, 512)])
def test_the_size_drawn(wanted, shown, size):
    assert drawing_size(wanted, shown, replace(A64, resolution=1024, channels={}).resolutions) == size


def test_the_naive_baseline_draws_the_same_pictures(generator):
    from tests.bench.naive import Naive

    ws = ws_of(generator)
    assert distance(Naive(generator).synthesize(ws), generator.synthesize(ws)) < 1e-4
    assert distance(Naive(generator).synthesize(ws, 16), generator.synthesize(ws, size=16)) < 1e-4
