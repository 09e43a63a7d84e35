"""Published encoders read from a SavedModel's variables, against bundles written here and a slow reference in float64."""
import struct
import zipfile

import numpy as np
import pytest
import torch

from engine import encoder as encoders
from engine.encoder import keras_bundle
from engine.errors import UserError
from tests.conftest import tiny

CHANNELS = 8                            # of the tiny generator's b16.conv1


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def message(*fields):
    """Fields as (number, int or bytes)."""
    return b"".join(varint(number << 3 | (0 if isinstance(value, int) else 2))
                    + (varint(value) if isinstance(value, int) else varint(len(value)) + value) for number, value in fields)


def block(pairs, every=4):
    """A LevelDB block with shared key prefixes, a restart point every few entries."""
    body, before, restarts = b"", b"", []
    for i, (key, value) in enumerate(pairs):
        if i % every == 0:
            restarts.append(len(body))
            before = b""
        shared = next((n for n, (a, b) in enumerate(zip(key, before)) if a != b), min(len(key), len(before)))
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return body + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def table(pairs, size=5):
    """A LevelDB table of several blocks."""
    content, index = b"", []
    for i in range(0, len(pairs), size):
        made = block(pairs[i:i + size])
        index.append((pairs[min(i + size, len(pairs)) - 1][0] + b"~", varint(len(content)) + varint(len(made))))
        content += made + b"\0" + b"\0\0\0\0"
    places = []
    for made in (block([]), block(index)):
        places += [varint(len(content)), varint(len(made))]
        content += made + b"\0" + b"\0\0\0\0"
    return content + b"".join(places).ljust(40, b"\0") + struct.pack("<Q", keras_bundle.MAGIC)


def variables(rows=5, channels=CHANNELS, seed=0):
    """{(i, kind): array} of a published encoder, HWIO kernels."""
    source, made, inputs = np.random.RandomState(seed), {}, 3
    for row, outputs in enumerate((64, 128, 256, 512, 512)[:rows]):
        made[2 * row, "kernel"] = source.randn(3, 3, inputs, outputs) * (2 / (9 * inputs)) ** 0.5
        made[2 * row, "bias"] = source.randn(outputs) * 0.1
        made |= {(2 * row + 1, "gamma"): 1 + source.randn(outputs) * 0.1, (2 * row + 1, "beta"): source.randn(outputs) * 0.1,
                 (2 * row + 1, "moving_mean"): source.randn(outputs) * 0.1, (2 * row + 1, "moving_variance"): 0.5 + source.rand(outputs)}
        inputs = outputs
    made[2 * rows, "kernel"] = source.randn(1, 1, inputs, channels) * inputs ** -0.5
    made[2 * rows, "bias"] = source.randn(channels) * 0.1
    return {key: value.astype("<f4") for key, value in made.items()}


def bundle(folder, arrays, dtype=1):
    """Write the SavedModel's variables, with the other entries such a file has."""
    (folder / "variables").mkdir(parents=True)
    data, entries = b"", {b"": message((1, 1)), b"_CHECKPOINTABLE_OBJECT_GRAPH": message((1, 7), (5, 3))}
    for (i, kind), value in arrays.items():
        shape = b"".join(message((2, message((1, side)))) for side in value.shape)
        entry = message((1, dtype), (2, shape), (4, len(data)), (5, value.nbytes)) + varint(6 << 3 | 5) + b"\1\2\3\4"
        entries[f"layer_with_weights-{i}/{kind}/.ATTRIBUTES/VARIABLE_VALUE".encode()] = entry
        entries[f"layer_with_weights-{i}/{kind}/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE".encode()] = entry
        data += value.tobytes()
    (folder / keras_bundle.INDEX).write_bytes(table(sorted(entries.items())))
    (folder / keras_bundle.DATA).write_bytes(data)
    return folder


def reference(x, arrays, rows, smooth=True):
    """x [3, H, W] in float64 -> features, as Keras would: convolution "same", batch normalisation, leaky ReLU."""
    for row in range(rows):
        stride = 2 if row < 4 else 1
        x = convolved(x, arrays[2 * row, "kernel"].astype(float), arrays[2 * row, "bias"], stride)
        gamma, beta, mean, variance = (arrays[2 * row + 1, kind].astype(float)[:, None, None]
                                       for kind in ("gamma", "beta", "moving_mean", "moving_variance"))
        x = (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta
        if row == 2 and smooth:
            padded = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="reflect")
            x = sum(padded[:, i:i + x.shape[1], j:j + x.shape[2]] for i in range(3) for j in range(3)) / 9
        x = np.where(x > 0, x, 0.2 * x)
    return convolved(x, arrays[2 * rows, "kernel"].astype(float), arrays[2 * rows, "bias"], 1)


def convolved(x, kernel, bias, stride):
    side = kernel.shape[0]
    if side > 1:
        x = np.pad(x, ((0, 0), (0, 1), (0, 1)) if stride == 2 else ((0, 0), (1, 1), (1, 1)))
    rows = (x.shape[1] - side) // stride + 1
    columns = (x.shape[2] - side) // stride + 1
    out = sum(np.tensordot(kernel[a, b], x[:, a:a + stride * (rows - 1) + 1:stride, b:b + stride * (columns - 1) + 1:stride], (0, 0))
              for a in range(side) for b in range(side))
    return out + bias.astype(float)[:, None, None]


def pictures():
    return torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(4)) * 2 - 1


@pytest.mark.parametrize("rows, preset", [(5, None), (4, "published-short")])
def test_features_are_the_references(tmp_path, generator, rows, preset):
    arrays, x = variables(rows), pictures()
    encoder = keras_bundle.load(bundle(tmp_path / "m", arrays), generator, "b16.conv1", preset)
    expected = reference(x[0].double().numpy(), arrays, rows)
    with torch.no_grad():
        assert np.abs(encoder(x)[0].numpy() - expected).max() < 1e-4
    assert encoder.plan.preset == (preset or "published")


def test_a_zip_file_becomes_a_file_of_ours(tmp_path, generator):
    folder = bundle(tmp_path / "trained_encoder", variables())
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for name in (keras_bundle.INDEX, keras_bundle.DATA):
            archive.write(folder / name, f"trained_encoder/{name}")
    made = keras_bundle.convert(tmp_path / "m.zip", generator, "b16.conv1", tmp_path / "e.safetensors")
    back = encoders.load(tmp_path / "e.safetensors", generator)
    with torch.no_grad():
        assert torch.equal(back(pictures()), made(pictures()))


def without(arrays, *keys):
    return {key: value for key, value in arrays.items() if key not in keys}


LAYOUTS = {
    "too few layers": (variables(3), r"7 layers with weights: expected 11 or 9"),
    "none at all": ({}, "0 layers with weights"),
    "no bias": (without(variables(), (4, "bias")), "layer_with_weights-4 lacks its bias"),
    "for another layer": (variables(channels=9), r"body.last.weight: expected \[8, 512, 1, 1\] for b16.conv1, got \[9, 512, 1, 1\]"),
    "not finite": (variables() | {(10, "bias"): np.full(CHANNELS, np.nan, "<f4")}, "NaN or infinite"),
}


@pytest.mark.parametrize("arrays, says", LAYOUTS.values(), ids=LAYOUTS)
def test_other_layouts_are_refused(tmp_path, generator, arrays, says):
    with pytest.raises(UserError, match=says) as caught:
        keras_bundle.load(bundle(tmp_path / "m", arrays), generator, "b16.conv1")
    assert "\n" not in str(caught.value)


def test_a_preset_with_fewer_layers_than_the_file_is_refused(tmp_path, generator):
    bundle(tmp_path / "whole", variables())
    with pytest.raises(UserError, match="body.rows.4.conv.bias: the file has it, preset published-short has no such layer"):
        keras_bundle.load(tmp_path / "whole", generator, "b16.conv1", "published-short")


def test_half_precision_is_refused(tmp_path, generator):
    with pytest.raises(UserError, match="another kind than float32"):
        keras_bundle.load(bundle(tmp_path / "m", variables(), dtype=19), generator, "b16.conv1")


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """(index, data) of a small bundle."""
    folder = bundle(tmp_path_factory.mktemp("short") / "m", variables(2))
    return (folder / keras_bundle.INDEX).read_bytes(), (folder / keras_bundle.DATA).read_bytes()


@pytest.mark.parametrize("cut", [0, 1, 47, 48, 200, 1000])
@pytest.mark.parametrize("which", [0, 1])
def test_cut_files_are_refused(tmp_path, generator, short, which, cut):
    (tmp_path / "variables").mkdir()
    for i, name in enumerate((keras_bundle.INDEX, keras_bundle.DATA)):
        (tmp_path / name).write_bytes(short[i][:cut] if i == which else short[i])
    with pytest.raises(UserError, match="damaged|not a table"):
        keras_bundle.load(tmp_path, generator, "b16.conv1")


def test_scrambled_tables_are_refused_or_read(short):
    """Whatever a byte is changed to, it ends in an error that `load` puts in words, or in arrays; never otherwise."""
    (whole, data), source = short, np.random.RandomState(0)
    for _ in range(300):
        changed = bytearray(whole)
        for at in source.randint(len(whole), size=3):
            changed[at] = source.randint(256)
        try:
            keras_bundle.read(bytes(changed), data)
        except (UserError, *keras_bundle.DAMAGED):
            continue


def test_what_is_no_saved_model_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK nothing")
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("a", "b")
    for path, says in (("x.zip", "expected a SavedModel"), ("y.zip", "no SavedModel in the zip"), ("z", "no such file"), (".", "no SavedModel: expected variables")):
        with pytest.raises(UserError, match=says):
            keras_bundle.load(tmp_path / path, tiny(), "b16.conv1")
