"""Checkpoints of every format: the same weights, the same network, the same picture."""
import gzip
import lzma
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import checkpoints
from engine.architecture import Architecture
from engine.checkpoints import native
from engine.checkpoints.infer import architecture
from engine.errors import UserError
from tests.engine.checkpoint_files import (
    TINY,
    network,
    nvlabs_state,
    rosinality_state,
    state_of,
    tensorflow_variables,
    write_nvlabs,
    write_rosinality,
    write_tensorflow,
)

WRITERS = {
    "rosinality": write_rosinality,
    "rosinality legacy": lambda path, g: write_rosinality(path, g, legacy=True),
    "ada": write_nvlabs,
    "ada, protocol 2": lambda path, g: write_nvlabs(path, g, protocol=2),
    "ada, protocol 3": lambda path, g: write_nvlabs(path, g, protocol=3),
    "ada, protocol 5": lambda path, g: write_nvlabs(path, g, protocol=5),
    "only G_ema": lambda path, g: write_nvlabs(path, g, keys=("G_ema",)),
    "only G": lambda path, g: write_nvlabs(path, g, keys=("G", "D")),
    "tensorflow 4": write_tensorflow,
    "tensorflow 5": lambda path, g: write_tensorflow(path, g, version=5),
    "tensorflow, protocol 2": lambda path, g: write_tensorflow(path, g, protocol=2),
    "tensorflow, protocol 5": lambda path, g: write_tensorflow(path, g, protocol=5),
    "tensorflow, one network": lambda path, g: write_tensorflow(path, g, single=True),
    "native": lambda path, g: native.save(path, g, "float32"),
}
CONDITIONAL = replace(TINY, c_dim=3)
CONCAT = replace(TINY, c_dim=3, conditioning="concat", embed_dim=8)


def picture(generator):
    z = torch.randn(2, generator.z_dim, generator=torch.Generator().manual_seed(5))
    c = torch.eye(generator.c_dim)[:2] if generator.c_dim else None
    with torch.no_grad():
        return generator.synthesize(generator.map(z, psi=0.7, c=c))


def assert_same(generator, original):
    state, wanted = generator.state_dict(), state_of(original)
    assert list(state) == list(wanted)
    assert all(torch.equal(state[name], wanted[name]) for name in wanted)
    assert (picture(generator) - picture(original)).abs().max() < 2e-5
    assert checkpoints.generator_hash(generator) == checkpoints.generator_hash(original)


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_holds_the_same_network(tmp_path, form):
    original = network()
    generator = checkpoints.load(WRITERS[form](tmp_path / "network", original))
    assert_same(generator, original)
    assert not generator.training and not any(p.requires_grad for p in generator.parameters())
    assert all(w.is_contiguous(memory_format=torch.channels_last) for w in generator.parameters() if w.ndim == 4)
    assert not {"torch_utils", "dnnlib", "training"} & set(sys.modules)


@pytest.mark.parametrize("wrap", [lzma.compress, gzip.compress])
@pytest.mark.parametrize("form", ["rosinality", "ada", "tensorflow 4", "native"])
def test_compressed_files(tmp_path, form, wrap):
    original = network()
    path = WRITERS[form](tmp_path / "network", original)
    path.write_bytes(wrap(path.read_bytes()))
    assert_same(checkpoints.load(path), original)


SHAPES = {
    "resnet": (replace(TINY, kind="resnet"), ("ada", "tensorflow 4", "native")),
    "orig": (replace(TINY, kind="orig"), ("ada", "tensorflow 4", "native")),
    "clamped": (replace(TINY, conv_clamp=0.5), ("ada", "tensorflow 5", "native")),
    "embedded labels": (replace(CONDITIONAL, embed_dim=8), ("ada", "tensorflow 5", "native")),
    "concatenated labels": (CONCAT, ("tensorflow 4", "native")),
    "without noise": (replace(TINY, noise=False), ("ada", "tensorflow 4", "native")),
    "non-square": (replace(TINY, const_size=(4, 7)), ("rosinality", "ada", "tensorflow 4", "native")),
    "one mapping layer": (replace(TINY, mapping_layers=1), ("rosinality", "ada", "tensorflow 4", "native")),
    "wide mapping": (replace(TINY, mapping_width=11, z_dim=5), ("rosinality", "ada", "tensorflow 4", "native")),
    "8 px": (replace(TINY, resolution=8, channels={4: 3, 8: 7}), ("rosinality", "ada", "tensorflow 4", "native")),
}


@pytest.mark.parametrize("shape, form", [(shape, form) for shape, (_, forms) in SHAPES.items() for form in forms])
def test_every_kind_of_network(tmp_path, shape, form):
    a = SHAPES[shape][0]
    original = network(a)
    generator = checkpoints.load(WRITERS[form](tmp_path / "network", original))
    found = replace(generator.architecture, embed_dim=a.embed_dim)
    assert found == a if form == "native" else replace(found, conditioning=a.conditioning) == a
    assert_same(generator, original)


@pytest.mark.parametrize("r, base, most, w, z, depth, const", [
    (1024, 32768, 512, 512, 512, 8, (4, 4)), (256, 16384, 512, 512, 512, 2, (4, 4)), (512, 8192, 256, 512, 512, 8, (4, 4)),
    (512, 32768, 512, 1024, 1024, 4, (4, 4)), (128, 1111, 37, 100, 64, 5, (4, 8)), (16, 32768, 512, 512, 128, 2, (3, 2))])
def test_the_architecture_comes_from_the_tensors(r, base, most, w, z, depth, const):
    a = Architecture(resolution=r, w_dim=w, z_dim=z, mapping_layers=depth, const_size=const,
                     channels={4 << k: min(base // (4 << k), most - k) for k in range(r.bit_length() - 2)})
    with torch.device("meta"):
        state = checkpoints.Generator(a).state_dict()
    assert architecture(state) == a


def test_of_training_checkpoints_the_average_is_taken(tmp_path):
    original = network()
    path = write_rosinality(tmp_path / "000100.pt", original, training=True)
    first, second = checkpoints.load(path), checkpoints.load(path)
    assert checkpoints.generator_hash(first) == checkpoints.generator_hash(original)
    assert torch.equal(first.w_avg, second.w_avg)                   # estimated, the same each time
    z = torch.randn(20_000, 8, generator=torch.Generator().manual_seed(9))
    spread = first.map(z)[:, 0]
    assert (spread.mean(0) - first.w_avg).abs().max() < 0.1 * spread.std()
    assert "000100.pt" not in str(checkpoints.inspect(path)) and "training" in checkpoints.inspect(path).format
    assert len(checkpoints.inspect(path).notes) == 1 and "centre" in checkpoints.inspect(path).notes[0]


@pytest.mark.parametrize("a", [CONDITIONAL, CONCAT], ids=["embed", "concat"])
def test_a_missing_centre_is_averaged_over_the_labels(tmp_path, a):
    original = network(a)
    variables = {name: value for name, value in tensorflow_variables(original).items() if name != "dlatent_avg"}
    generator = checkpoints.load(write_tensorflow(tmp_path / "x.pkl", original, variables=variables))
    assert generator.w_avg.abs().max() > 0


def test_missing_noise_maps_are_made_up_the_same_each_time(tmp_path):
    original = network()
    path = write_rosinality(tmp_path / "old.pt", original, noises=False)
    first, second = checkpoints.load(path), checkpoints.load(path)
    maps = [first.layer(name).noise_const for name in first.layers]
    assert all(torch.equal(m, second.layer(name).noise_const) for m, name in zip(maps, first.layers))
    assert len({m.flatten()[0].item() for m in maps}) == len(maps)
    assert checkpoints.generator_hash(first) == checkpoints.generator_hash(original)
    assert "noise" in checkpoints.inspect(path).notes[0]


@pytest.mark.parametrize("version", [4, 5])
def test_tensorflow_table_row_by_row(tmp_path, version):
    """Each variable filled with numbers that tell where they came from."""
    variables = {name: np.arange(value.size, dtype=np.float32).reshape(value.shape) + i * 1000
                 for i, (name, value) in enumerate(tensorflow_variables(network()).items())}
    state = checkpoints.load(write_tensorflow(tmp_path / "x.pkl", network(), version, variables=variables)).state_dict()

    def same(ours, theirs):
        return np.array_equal(state[ours].numpy(), theirs)
    up = variables["synthesis/8x8/Conv0_up/weight"]                 # [3, 3, I, O]
    assert same("synthesis.b8.conv0.weight", up[::-1, ::-1].transpose(3, 2, 0, 1))
    assert same("synthesis.b8.conv1.weight", variables["synthesis/8x8/Conv1/weight"].transpose(3, 2, 0, 1))
    assert same("synthesis.b4.conv1.affine.bias", variables["synthesis/4x4/Conv/mod_bias"] + 1)
    assert same("synthesis.b4.torgb.affine.weight", variables["synthesis/4x4/ToRGB/mod_weight"].T)
    assert same("synthesis.b4.const", variables["synthesis/4x4/Const/const"][0])
    assert same("mapping.fc2.weight", variables["mapping/Dense2/weight"].T)
    assert same("mapping.w_avg", variables["dlatent_avg"])
    assert same("synthesis.b16.conv1.noise_strength", variables["synthesis/16x16/Conv1/noise_strength"])
    for n, layer in enumerate(("b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1")):
        assert same(f"synthesis.{layer}.noise_const", variables[f"synthesis/noise{n}"][0, 0])


def test_other_tensorflow_settings(tmp_path):
    original = network()
    slow = checkpoints.load(write_tensorflow(tmp_path / "x.pkl", original, mapping_lrmul=0.02))
    assert torch.allclose(slow.mapping.fc1.weight, original.mapping.fc1.weight * 2)
    variables = tensorflow_variables(network(replace(TINY, kind="orig")))
    lod = {name.replace("16x16/ToRGB", "ToRGB_lod0"): value for name, value in variables.items()}
    lod["synthesis/ToRGB_lod1/weight"] = np.zeros((1, 1, 5, 3), np.float32)             # from when it grew
    generator = checkpoints.load(write_tensorflow(tmp_path / "y.pkl", original, variables=lod, architecture="orig"))
    assert_same(generator, network(replace(TINY, kind="orig")))
    for wrong in ({"nonlinearity": "relu"}, {"resample_kernel": [1, 2, 1]}, {"normalize_latents": False}, {"conv_clamp": -1}):
        with pytest.raises(UserError):
            checkpoints.load(write_tensorflow(tmp_path / "z.pkl", original, **wrong))


def test_round_trip_of_names_is_exact(tmp_path):
    """rosinality -> ours -> rosinality, bit for bit."""
    original = network()
    loaded = checkpoints.load(write_rosinality(tmp_path / "x.pt", original))
    theirs, again = rosinality_state(original), rosinality_state(loaded)
    assert list(theirs) == list(again) and all(torch.equal(theirs[name], again[name]) for name in theirs)
    assert set(nvlabs_state(loaded)) == set(nvlabs_state(original))


def test_our_own_file(tmp_path):
    original = network(replace(CONDITIONAL, conv_clamp=256.0, const_size=(4, 5)))
    path = native.save(tmp_path / "g.safetensors", original, "float16", credits="somebody", steps=7)
    generator = native.load(path)
    assert generator.architecture == original.architecture
    assert all(t.dtype == torch.float32 for t in generator.state_dict().values())
    assert all(torch.allclose(t, original.state_dict()[name], rtol=1e-3, atol=1e-6) for name, t in generator.state_dict().items())
    assert torch.equal(generator.w_avg, original.w_avg)             # vectors are not rounded
    assert checkpoints.generator_hash(generator) == checkpoints.generator_hash(original)
    assert native.metadata(path) == {"credits": "somebody", "steps": 7}
    assert [p.name for p in tmp_path.iterdir()] == ["g.safetensors"]
    with pytest.raises(UserError, match="float16 or float32"):
        native.save(tmp_path / "h.safetensors", original, "int8")
    with pytest.raises(UserError, match="can't be written"):
        native.save(tmp_path / "nowhere" / "h.safetensors", original)


def test_numbers_beyond_half_precision_survive(tmp_path):
    original = network()
    original.mapping.fc0.weight[0, 0] = 1e6
    generator = native.load(native.save(tmp_path / "g.safetensors", original, "float16"))
    assert generator.mapping.fc0.weight[0, 0] == 1e6


def test_the_hash_knows_every_weight():
    original = network()
    known = {checkpoints.generator_hash(original)}
    for _, weight in original.named_parameters():
        weight.view(-1)[0] += 1
        known.add(checkpoints.generator_hash(original))
    assert len(known) == 1 + len(list(original.parameters()))


def test_convert(tmp_path):
    original = network(replace(TINY, conv_clamp=256.0))
    source = write_nvlabs(tmp_path / "network-snapshot.pkl", original)
    summary = checkpoints.convert(source, tmp_path / "g.safetensors", "float32")
    assert "NVIDIA" in summary.format and "16 x 16 px" in str(summary) and "clamped at 256" in str(summary)
    assert summary.notes == () and summary.hash == checkpoints.generator_hash(original)
    assert_same(checkpoints.load(tmp_path / "g.safetensors"), original)
    about = {"source": "network-snapshot.pkl", "source_format": summary.format}
    assert native.metadata(tmp_path / "g.safetensors") == about
    again = checkpoints.convert(tmp_path / "g.safetensors", tmp_path / "h.safetensors", "float16")
    assert native.metadata(tmp_path / "h.safetensors") == about and again.generator == summary.generator
    assert "\n" not in checkpoints.describe(original)


def test_a_network_loaded_while_inferring_can_still_be_changed(tmp_path):
    path = native.save(tmp_path / "g.safetensors", network())
    with torch.inference_mode():
        generator = checkpoints.load(path)
        picture(generator)
    generator.weights("b4.conv1").mul_(2)


@pytest.mark.parametrize("form", ["rosinality", "ada", "tensorflow 4", "native"])
def test_full_size(tmp_path, form, config_f):
    """1024 px, configuration f."""
    path = WRITERS[form](tmp_path / "network", config_f)
    generator = checkpoints.load(path)
    path.unlink()
    assert generator.architecture == Architecture()
    assert checkpoints.generator_hash(generator) == checkpoints.generator_hash(config_f)
    with torch.no_grad():
        ws = generator.map(torch.randn(1, 512, generator=torch.Generator().manual_seed(0)))
        assert (generator.synthesize(ws, size=8) - config_f.synthesize(ws, size=8)).abs().max() < 1e-4


@pytest.fixture(scope="module")
def config_f():
    return network(Architecture())


def test_noise_maps_may_be_left_out_and_are_made_the_same_each_time(tmp_path):
    from tests.conftest import tiny

    native.save(tmp_path / "small.safetensors", tiny(), noise=False)
    native.save(tmp_path / "whole.safetensors", tiny())
    assert (tmp_path / "small.safetensors").stat().st_size < (tmp_path / "whole.safetensors").stat().st_size
    once, again = native.load(tmp_path / "small.safetensors"), native.load(tmp_path / "small.safetensors")
    for name in once.layers:
        assert torch.equal(once.layer(name).noise_const, again.layer(name).noise_const)
