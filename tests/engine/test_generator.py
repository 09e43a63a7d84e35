"""The generator against the independent float64 reference, and the promises of its interface."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.architecture import Architecture, channel_table
from engine.errors import UserError
from engine.generator import StyledConv, ToRGB, pixel_norm, upsample
from tests.engine import reference
from tests.engine.checkpoint_files import TINY, network, state_of

A64 = replace(TINY, resolution=64, channels={4: 16, 8: 14, 16: 12, 32: 8, 64: 6}, z_dim=12, w_dim=10, mapping_width=9)


MODES = [torch.enable_grad, torch.no_grad, torch.inference_mode]


@pytest.fixture(autouse=True)
def without_gradients():
    """As on stage; tests that want gradients ask for them."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def doubles(generator):
    return {name: tensor.double().numpy() for name, tensor in state_of(generator).items()}


def ws_of(generator, n=1, seed=1):
    """A different w per layer."""
    return torch.randn(n, generator.num_ws, generator.w_dim, generator=torch.Generator().manual_seed(seed))


def distance(a, b):
    return (torch.as_tensor(a).double() - torch.as_tensor(b).double()).abs().max().item()


KINDS = {
    "skip": A64, "resnet": replace(A64, kind="resnet"), "orig": replace(A64, kind="orig"),
    "clamped": replace(A64, conv_clamp=0.7), "clamped resnet": replace(A64, kind="resnet", conv_clamp=0.7),
    "non-square": replace(A64, const_size=(3, 5)), "without noise": replace(A64, noise=False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_parity_with_the_reference(kind):
    a = KINDS[kind]
    generator = network(a)
    ws = ws_of(generator, 2)
    wanted = [reference.synthesized(doubles(generator), w.double().numpy(), a.kind, a.conv_clamp) for w in ws]
    for mode in MODES:
        with mode():
            assert distance(generator.synthesize(ws), np.stack([picture for picture, _ in wanted])) < 1e-4
            assert distance(generator.synthesize(ws[:1])[0], wanted[0][0]) < 1e-4
    maps = generator.activations(ws, generator.layers)
    for i, (_, layers) in enumerate(wanted):
        assert list(layers) == generator.layers
        assert max(distance(maps[name][i], layers[name]) for name in layers) < 1e-4


def test_parity_at_256_px():
    a = Architecture(resolution=256, z_dim=64, w_dim=64, channels=channel_table(256, 4096, 64))
    generator = network(a)
    z = torch.randn(1, 64, generator=torch.Generator().manual_seed(3))
    state = doubles(generator)
    w = reference.mapped(state, z[0].double().numpy())
    w = state["mapping.w_avg"] + 0.7 * (w - state["mapping.w_avg"])
    picture, _ = reference.synthesized(state, np.stack([w] * generator.num_ws))
    assert picture.std() > 0.3
    assert distance(generator.synthesize(generator.map(z, psi=0.7))[0], picture) < 1e-4
    nothing, _ = reference.synthesized(state, np.stack([w] * generator.num_ws), noise=False)
    assert distance(generator.synthesize(generator.map(z, psi=0.7), noise="none")[0], nothing) < 1e-4


@pytest.mark.parametrize("a", [TINY, A64, replace(TINY, mapping_layers=1), replace(A64, c_dim=5),
                               replace(A64, c_dim=5, conditioning="concat", embed_dim=12),
                               replace(A64, c_dim=3, embed_dim=7)], ids=lambda a: f"{a.mapping_layers} {a.c_dim} {a.conditioning}")
def test_mapping_network(a):
    generator = network(a)
    z = torch.randn(3, a.z_dim, generator=torch.Generator().manual_seed(2))
    c = torch.eye(a.c_dim)[[2, 0, 1]] if a.c_dim else None
    wanted = [reference.mapped(doubles(generator), z[i].double().numpy(), c[i].double().numpy() if a.c_dim else None) for i in range(3)]
    assert distance(generator.map(z, c=c)[:, -1], np.stack(wanted)) < 1e-6 * max(1, np.abs(wanted).max())
    if a.c_dim:
        with pytest.raises(UserError, match=f"label of {a.c_dim} numbers"):
            generator.map(z)


def test_pixel_norm_of_nothing_is_nothing():
    assert torch.equal(pixel_norm(torch.zeros(2, 8)), torch.zeros(2, 8))


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (5, 3), (16, 16)])
@pytest.mark.parametrize("n", [1, 2])
def test_up_convolution_is_zero_insertion_fir_and_correlation(size, n):
    layer = StyledConv(7, 2, (2 * size[0], 2 * size[1]), A64, up=True).double()
    random = torch.Generator().manual_seed(0)
    x = torch.randn(n, 7, *size, generator=random, dtype=torch.float64)
    w = torch.randn(n, A64.w_dim, generator=random, dtype=torch.float64)
    styles, demodulation = layer.modulation(w)
    y = layer.convolve(x, styles, demodulation)
    for i in range(n):
        weight = (layer.weight * styles[i, None, :, None, None] * demodulation[i, :, None, None, None]).detach().numpy()
        assert distance(y[i], reference.up_convolved(x[i].numpy(), weight[:, :, ::-1, ::-1])) < 1e-12


def test_flipped_up_convolutions_make_another_picture():
    generator, flipped = network(), network()
    flipped.layer("b8.conv0").weight.data = flipped.weights("b8.conv0").flip(2, 3)
    ws = ws_of(generator)
    assert distance(generator.synthesize(ws), flipped.synthesize(ws)) > 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (4, 4), (5, 8)])
def test_skip_up_sampling_is_bilinear_with_zeros_around(size):
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    bilinear = F.interpolate(F.pad(x, (1, 1, 1, 1)), scale_factor=2, mode="bilinear", align_corners=False)[:, :, 2:-2, 2:-2]
    assert distance(upsample(x), bilinear) < 1e-6
    assert distance(upsample(x)[0], reference.up_sampled(x[0].double().numpy())) < 1e-6


@pytest.mark.parametrize("scale", [0.1, 10.0, 1e3])
def test_demodulation_takes_out_any_scale(scale):
    layer = StyledConv(6, 5, (8, 8), A64)
    x, w = torch.randn(2, 6, 8, 8), torch.randn(2, A64.w_dim)
    y = layer.convolve(x, *layer.modulation(w))
    layer.affine.weight.mul_(scale)
    layer.affine.bias.mul_(scale)
    assert distance(layer.convolve(x, *layer.modulation(w)), y) < 1e-5 * y.abs().max()
    layer.weight.mul_(scale)
    assert distance(layer.convolve(x, *layer.modulation(w)), y) < 1e-5 * y.abs().max()
    rgb = ToRGB(6, A64)
    colours = rgb(x, w)
    rgb.weight.mul_(scale)
    assert distance(rgb(x, w), colours * scale) < 1e-5 * colours.abs().max() * scale


def test_epsilon_follows_the_pytorch_release():
    """No 1 / sqrt(fan in) inside the norm: a style of 1e-3 changes the result by about 1e-6, not by half a percent."""
    layer = StyledConv(64, 4, (8, 8), A64).double()
    x, w = torch.randn(1, 64, 8, 8, dtype=torch.float64), torch.randn(1, A64.w_dim, dtype=torch.float64)
    y = layer.convolve(x, *layer.modulation(w))
    layer.affine.weight.mul_(1e-3)
    layer.affine.bias.mul_(1e-3)
    change = (layer.convolve(x, *layer.modulation(w)) / y - 1).abs().max().item()
    assert 1e-9 < change < 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_its_samples_one_by_one(kind):
    generator = network(KINDS[kind])
    ws = ws_of(generator, 3)
    batch = generator.synthesize(ws)
    assert batch.shape == (3, 3, *generator.architecture.pixels()) and batch.dtype == torch.float32
    assert max(distance(batch[i:i + 1], generator.synthesize(ws[i:i + 1])) for i in range(3)) < 2e-5


def test_memory_order_of_the_weights_is_no_matter():
    generator, other = network(A64), network(A64).to(memory_format=torch.channels_last)
    ws = ws_of(generator)
    assert distance(generator.synthesize(ws), other.synthesize(ws)) < 2e-5


def test_gradients_change_no_picture_and_reach_everything():
    generator = network(A64)
    ws = ws_of(generator)
    picture = generator.synthesize(ws)
    generator.requires_grad_(True)
    with torch.enable_grad():
        wanted = ws.clone().requires_grad_(True)
        skips = generator.skips(wanted)
        assert list(skips) == A64.resolutions
        assert distance(skips[64].detach(), picture) < 2e-5
        skips[64].square().mean().backward()
    assert wanted.grad.abs().amin() > 0
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in generator.synthesis.parameters())


@pytest.mark.parametrize("mode", MODES)
def test_changed_weights_change_the_demodulation(mode):
    generator = network()
    ws = ws_of(generator)
    with mode():
        before = generator.synthesize(ws)
        generator.weights("b8.conv1")[0].mul_(5)                    # demodulated: the scale itself must not be seen
        assert distance(generator.synthesize(ws), before) < 2e-5
        generator.weights("b8.conv1")[0, 0].mul_(5)
        assert distance(generator.synthesize(ws), before) > 1e-3


def test_truncation():
    generator = network()
    z = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    ws, centre = generator.map(z), generator.w_avg
    assert torch.equal(generator.map(z, psi=1.0), ws) and ws.shape == (2, generator.num_ws, 8)
    assert distance(generator.map(z, psi=0.0), centre.expand(2, generator.num_ws, -1)) < 1e-6
    assert distance(generator.map(z, psi=1.5), centre + 1.5 * (ws - centre)) < 1e-5
    cut = generator.map(z, psi=0.5, cutoff=2)
    assert torch.equal(cut[:, 2:], ws[:, 2:])
    assert distance(cut[:, :2], centre + 0.5 * (ws[:, :2] - centre)) < 1e-6


def test_noise():
    generator = network()
    ws = ws_of(generator, 2)
    const, none = generator.synthesize(ws), generator.synthesize(ws, noise="none")
    assert torch.equal(generator.synthesize(ws), const)
    assert torch.equal(generator.synthesize(ws, noise_strength=0.0), none)
    assert distance(const, none) > 1e-3
    half = network()
    for name in half.layers:
        half.layer(name).noise_strength.mul_(0.5)
    assert distance(generator.synthesize(ws, noise_strength=0.5), half.synthesize(ws)) < 1e-6
    maps = [generator.layer(name).noise_const.clone() for name in generator.layers]
    first, second = generator.synthesize(ws, noise="random"), generator.synthesize(ws, noise="random")
    assert distance(first, second) > 1e-3
    seeded = generator.synthesize(ws, noise="random", noise_seed=4)
    assert torch.equal(generator.synthesize(ws, noise="random", noise_seed=4), seeded)
    half = half.synthesize(ws, noise="random", noise_seed=4)
    assert distance(generator.synthesize(ws, noise="random", noise_seed=4, noise_strength=0.5), half) < 1e-6
    same = generator.synthesize(ws[:1].expand(2, -1, -1), noise="random", noise_seed=4)
    assert distance(same[0], same[1]) > 1e-3                        # per sample
    assert all(torch.equal(generator.layer(name).noise_const, m) for name, m in zip(generator.layers, maps))
    with pytest.raises(UserError, match="const, random or none"):
        generator.synthesize(ws, noise="some")


def test_which_w_goes_where():
    """ws[0]: 4 px conv; ws[1]: 4 px toRGB and 8 px conv0; block j: conv0 2j - 1, conv1 2j, toRGB 2j + 1."""
    generator = network(A64)
    ws = ws_of(generator)
    base, base_skips = generator.features(ws, generator.layers), generator.skips(ws)
    for i in range(generator.num_ws):
        changed = ws.clone()
        changed[:, i] += 1
        features = generator.features(changed, generator.layers)
        first = next((name for name in generator.layers if not torch.equal(features[name], base[name])), None)
        assert first == (generator.layers[i] if i < len(generator.layers) else None)
        skips = generator.skips(changed)
        first = next(r for r in skips if not torch.equal(skips[r], base_skips[r]))
        assert first == 4 << i // 2


@pytest.mark.parametrize("kind", KINDS)
def test_splicing_a_layers_own_features_changes_nothing(kind):
    generator = network(KINDS[kind])
    ws = ws_of(generator, 2)
    picture, features = generator.synthesize(ws), generator.features(ws, generator.layers)
    kept = {name: f.clone() for name, f in features.items()}
    for name in generator.layers:
        assert features[name].shape[:2] == (2, generator.channels(name))
        assert torch.equal(generator.synthesize(ws, splice={name: features[name]}), picture)
        assert torch.equal(features[name], kept[name])
    other = {"b16.conv1": features["b16.conv1"] + 1}
    assert distance(generator.synthesize(ws, splice=other), picture) > 1e-3


def test_early_exit_gives_the_skip_picture():
    generator = network(A64)
    ws = ws_of(generator)
    skips = generator.skips(ws)
    for r in A64.resolutions:
        assert torch.equal(generator.synthesize(ws, size=r), skips[r])
    assert torch.equal(generator.synthesize(ws), skips[64])
    assert list(generator.skips(ws, size=16)) == [4, 8, 16]
    with pytest.raises(UserError, match="one of 4, 8, 16, 32, 64"):
        generator.synthesize(ws, size=48)


@pytest.mark.parametrize("kind", ["resnet", "orig"])
def test_a_smaller_picture_where_the_network_has_no_skips(kind):
    generator = network(KINDS[kind])
    ws = ws_of(generator)
    small = F.avg_pool2d(generator.synthesize(ws), 4)
    assert distance(generator.synthesize(ws, size=16), small) < 1e-6
    assert list(generator.skips(ws)) == [64]


def test_activations_stop_at_the_last_layer_and_are_bounded_by_the_clamp():
    generator = network(KINDS["clamped resnet"])
    maps = generator.activations(ws_of(generator), ["b8.conv1", "b4.conv1"])
    assert list(maps) == ["b8.conv1", "b4.conv1"]
    assert maps["b4.conv1"].abs().max() == pytest.approx(0.7)
    assert maps["b8.conv1"].abs().max() == pytest.approx(0.7 * 0.5 ** 0.5)
