"""Encoders: shapes, the published architecture's numbers, what goes in and comes out, files kept and files refused."""
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from engine import encoder as encoders
from engine.encoder import Encoder, Plan
from engine.encoder.network import fit
from engine.encoder.published import find_padding, mean_filter
from engine.errors import UserError
from engine.fast import Synthesis
from tests.conftest import tiny


def ws_of(generator, count=1, seed=3):
    return generator.map(torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(seed)))


def pictures(encoder, count=2, seed=0):
    return torch.rand(count, 3, *encoder.size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


SHAPES = {"square": {}, "wide": {"const_size": (2, 6)}, "odd channels": {"channels": {4: 7, 8: 5, 16: 3, 32: 1}}}


@pytest.mark.parametrize("preset, layer", [*(("live", f"b{r}.conv1") for r in (4, 8, 16, 32)), ("live", "b8.conv0"),
                                           *((preset, "b8.conv1") for preset in encoders.PRESETS[1:]), ("published", "b4.conv1")])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_features_have_the_layers_shape(shape, layer, preset):
    generator = tiny(**shape)
    encoder = Encoder.fresh(generator, layer, preset, None if preset == "live" else generator.architecture.pixels()[1], width=16)
    with torch.no_grad():
        ws = ws_of(generator, 2)
        features = encoder(pictures(encoder))
        assert features.shape == generator.features(ws, [layer])[layer].shape
        made = generator.synthesize(ws, splice={encoder.layer: features})
    assert made.isfinite().all()


def parameter_count(encoder) -> tuple[int, int]:
    """Return (all, trainable) as Keras counts them: the running mean and variance are among all."""
    trainable = sum(p.numel() for p in encoder.parameters())
    running = sum(b.numel() for b in encoder.buffers() if torch.is_floating_point(b))
    return trainable + running, trainable


@pytest.mark.parametrize("preset, features, counts", [
    ("published", 16, (4_179_328, 4_176_384)), ("published-sharp", 16, (4_179_328, 4_176_384)),
    ("published-short", 16, (1_817_472, 1_815_552)), ("published", 32, (4_179_328, 4_176_384))])
def test_published_numbers(preset, features, counts):
    """SPEC.md D.1, E.D 1."""
    encoder = Encoder(Plan("b16.conv1", 512, (features, features), (256, 256), preset))
    assert parameter_count(encoder) == counts
    with torch.no_grad():
        assert encoder(torch.zeros(1, 3, 256, 256)).shape == (1, 512, features, features)
    norm = encoder.body.rows[0].norm
    assert norm.eps == 1e-3 and norm.momentum == pytest.approx(0.01)


def test_padding_is_tensorflows():
    assert find_padding((8, 8), 2) == [0, 1, 0, 1]
    assert find_padding((7, 9), 2) == [1, 1, 1, 1]
    assert find_padding((8, 8), 1) == [1, 1, 1, 1]
    x = torch.arange(16.0).view(1, 1, 4, 4)
    ours = F.conv2d(F.pad(x, find_padding((4, 4), 2)), torch.ones(1, 1, 3, 3), stride=2)[0, 0]
    assert ours.tolist() == [[45.0, 39.0], [66.0, 50.0]]            # by hand: rows and columns 0..2 and 2..4, zeros at 4


def test_mean_filter_mirrors_at_the_border():
    x = torch.rand(1, 2, 5, 4, dtype=torch.float64)
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    expected = sum(padded[:, :, i:i + 5, j:j + 4] for i in range(3) for j in range(3)) / 9
    assert np.allclose(mean_filter(x).numpy(), expected)
    assert torch.equal(mean_filter(torch.ones(1, 1, 1, 1)), torch.ones(1, 1, 1, 1))


def test_the_true_features_make_the_normal_picture(generator):
    """Bit for bit in the generator, to rounding on the fast path, whose layers are fused."""
    for layer in generator.layers:
        with torch.no_grad():
            ws = ws_of(generator)
            features = generator.features(ws, [layer])
            assert torch.equal(generator.synthesize(ws, splice=features), generator.synthesize(ws))
        fast = Synthesis(generator)
        assert (fast(ws, splice=features) - fast(ws)).abs().max() < 2e-5


def test_a_still_source_makes_still_frames(generator):
    encoder = Encoder.fresh(generator, "b8.conv1", width=16)
    fast, picture = Synthesis(generator), pictures(encoder, 1)
    with torch.no_grad():
        first, second = encoder(picture), encoder(picture.clone())
    assert torch.equal(first, second)
    frames = [fast(ws_of(generator, seed=3), splice={"b8.conv1": features}).clone() for features in (first, second)]
    assert torch.equal(*frames)
    assert not torch.equal(frames[0], fast(ws_of(generator, seed=4), splice={"b8.conv1": first}))
    with torch.no_grad():
        assert not torch.equal(first, encoder(pictures(encoder, 1, seed=1)))


def test_fresh_is_the_same_for_a_seed(generator):
    before = torch.random.get_rng_state()
    one, two, other = (Encoder.fresh(generator, "b16.conv1", seed=seed, width=16) for seed in (5, 5, 6))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values()))
    assert not torch.equal(one.body.head.weight, other.body.head.weight)


def test_fresh_has_the_mean_and_spread_of_the_features(generator):
    encoder = Encoder.fresh(generator, "b16.conv1", width=32)
    with torch.no_grad():
        true = generator.features(ws_of(generator, 200, 9), ["b16.conv1"])["b16.conv1"]
        guessed = encoder(pictures(encoder, 20))
    assert (encoder.body.mean - true.mean(0)).abs().mean() < 0.3 * true.std()
    assert guessed.std() < 3 * true.std()


@pytest.mark.parametrize("size", [(1, 1), (33, 17), (200, 500), (64, 64)])
def test_any_picture_is_fitted(generator, size):
    encoder = Encoder.fresh(generator, "b8.conv1", width=16)
    with torch.no_grad():
        features = encoder(torch.full((1, 3, *size), 0.25))
        assert torch.allclose(features, encoder(torch.full((1, 3, *encoder.size), 0.25)), atol=1e-4)


def test_shrinking_is_by_area():
    x = torch.rand(1, 3, 8, 8)
    assert torch.allclose(fit(x, (4, 4)), F.avg_pool2d(x, 2), atol=1e-6)


def test_what_is_no_number_turns_grey(generator):
    encoder = Encoder.fresh(generator, "b8.conv1", width=16)
    picture = pictures(encoder, 1)
    picture[0, :, 3, 3] = float("nan")
    grey = picture.nan_to_num(0.0)
    picture[0, 0, 5, 5], grey[0, 0, 5, 5] = float("inf"), 1.0
    with torch.no_grad():
        assert torch.equal(encoder(picture), encoder(grey))


@pytest.mark.parametrize("preset", encoders.PRESETS)
def test_a_file_brings_it_back(tmp_path, generator, preset):
    made = Encoder.fresh(generator, "b16.conv1", preset, size=64, width=16)
    path = encoders.save(tmp_path / "e.safetensors", made, "float32", steps=3)
    back = encoders.load(path, generator)
    assert back.plan == made.plan and back.layer == "b16.conv1" and back.size == (64, 64)
    with torch.no_grad():
        assert torch.equal(back(pictures(back)), made(pictures(made)))
    with safe_open(path, "pt") as file:
        header = file.metadata()
    assert header["schema"] == "1" and header["layer"] == "b16.conv1" and header["generator"] == made.plan.generator
    assert json.loads(header["preprocessing"])["size"] == [64, 64]
    assert encoders.files.about(path) == {"steps": 3}
    half = encoders.load(encoders.save(tmp_path / "h.safetensors", made), generator)
    with torch.no_grad():
        assert torch.allclose(half(pictures(half)), made(pictures(made)), atol=0.02)


def test_a_file_may_be_read_by_whom_files_may(tmp_path, generator):
    (tmp_path / "other").touch()
    encoders.save(tmp_path / "e.safetensors", Encoder.fresh(generator, "b16.conv1"))
    assert (tmp_path / "e.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_another_generator_is_refused_by_both_names(tmp_path, generator):
    made = Encoder.fresh(generator, "b16.conv1", width=16)
    path = encoders.save(tmp_path / "e.safetensors", made)
    other = tiny()
    other.layer("b4.conv1").weight.data += 1
    with pytest.raises(UserError, match=f"trained for the weights {made.plan.generator[:12]}, the generator's are (?!{made.plan.generator[:12]})[0-9a-f]{{12}}"):
        encoders.load(path, other)
    wider = tiny(channels={4: 8, 8: 8, 16: 9, 32: 4})
    with pytest.raises(UserError, match="for b16.conv1 of 8 x 16 x 16, the generator .* has b16.conv1 of 9 x 16 x 16"):
        encoders.load(path, wider)
    small = tiny(resolution=8, channels={4: 8, 8: 8})
    with pytest.raises(UserError, match="for layer b16.conv1 .* has b4.conv1, b8.conv0, b8.conv1"):
        encoders.load(path, small)
    assert encoders.load(path).layer == "b16.conv1"


def broken(path, change, drop=(), **tensors):
    """The file again, with other metadata or tensors; without a digest, as files from before there was one."""
    state = {name: tensor for name, tensor in load_file(path).items() if name not in drop} | tensors
    with safe_open(path, "pt") as file:
        header = file.metadata() | {"digest": None} | change
    save_file(state, path, {key: value for key, value in header.items() if value is not None})


DAMAGE = {
    "not ours": ({"format": "latent-jockey generator"}, {}, "not an encoder of ours"),
    "newer": ({"schema": "2"}, {}, "schema version 2: this version reads 1"),
    "no plan": ({"plan": None}, {}, "metadata is damaged"),
    "no JSON": ({"plan": "{"}, {}, "metadata is damaged"),
    "a list": ({"plan": "[1]"}, {}, "metadata is damaged"),
    "unknown preset": ({"plan": '{"layer": "b8.conv1", "channels": 8, "features": [8, 8], "size": [64, 64], "preset": "x"}'}, {}, "expected one of"),
    "huge": ({"plan": '{"layer": "b8.conv1", "channels": 8, "features": [8, 8], "size": [8388608, 8388608]}'}, {}, "size: expected a whole number 1..8192"),
    "no power of two": ({"plan": '{"layer": "b8.conv1", "channels": 8, "features": [8, 8], "size": [72, 72]}'}, {}, "expected 1, 2, 4, 8"),
    "endless": ({"plan": '{"layer": "b8.conv1", "channels": 8, "features": [Infinity, 8], "size": [64, 64]}'}, {}, "metadata is damaged"),
    "missing tensor": ({}, {"drop": ["body.head.bias"]}, r"body.head.bias: expected \[8\], got nothing"),
    "extra tensor": ({}, {"surplus": torch.zeros(2)}, r"surplus: expected nothing, got \[2\]"),
    "wrong shape": ({}, {"body.head.bias": torch.zeros(9)}, r"body.head.bias: expected \[8\], got \[9\]"),
    "not finite": ({}, {"body.head.bias": torch.full((8,), float("nan"))}, "NaN or infinite"),
}


@pytest.mark.parametrize("change, tensors, message", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_refused(tmp_path, generator, change, tensors, message):
    path = encoders.save(tmp_path / "e.safetensors", Encoder.fresh(generator, "b8.conv1", width=16))
    broken(path, change, **tensors)
    with pytest.raises(UserError, match=message) as caught:
        encoders.load(path, generator)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_files_of_other_kinds_are_refused(tmp_path):
    path = tmp_path / "e.safetensors"
    with pytest.raises(UserError, match="no such file"):
        encoders.load(path)
    path.write_bytes(b"not at all")
    with pytest.raises(UserError, match="not a whole safetensors file"):
        encoders.load(path)
    with pytest.raises(UserError, match="can't be written"):
        encoders.save(tmp_path / "no" / "e.safetensors", Encoder(Plan("b8.conv1", 4, (8, 8), (64, 64))))


def test_sizes_that_cannot_be_are_refused(generator):
    for size in (72, 0, (64, 128), 4096):
        with pytest.raises(UserError, match="encoder: "):
            Encoder.fresh(generator, "b8.conv1", size=size)
    with pytest.raises(UserError, match="this network has"):
        Encoder.fresh(generator, "b64.conv1")
