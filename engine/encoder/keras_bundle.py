"""A published encoder as Keras saved it -> an Encoder, without TensorFlow: only the variables are read, nothing is run.

A SavedModel (a folder, or that folder zipped) keeps its variables in `variables/variables.index`, a sorted table of
protocol messages, and `variables/variables.data-00000-of-00001`, the numbers. Names: SPEC.md D.5. Source of the formats:
TensorFlow's tensor_bundle.proto, LevelDB's table_format.md.
"""
import re
import struct
import zipfile
from math import prod
from pathlib import Path

import numpy as np
import torch

from engine.checkpoints.build import prepare
from engine.checkpoints.native import generator_hash
from engine.encoder.cells import make_maps
from engine.encoder.files import save
from engine.encoder.network import Encoder
from engine.encoder.plan import PUBLISHED_SIZE, make_plan
from engine.errors import UserError

INDEX, DATA = "variables/variables.index", "variables/variables.data-00000-of-00001"
MAGIC = 0xDB4775248B80FB57
FOOTER, TRAILER = 48, 5                  # bytes at the end of the table, and after each block
LARGEST = 1 << 30
FLOAT32 = 1
NAME = re.compile(r"layer_with_weights-(\d{1,3})/(\w+)/\.ATTRIBUTES/VARIABLE_VALUE")
CONVOLUTION = {"kernel": "weight", "bias": "bias"}
NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
DAMAGED = (IndexError, ValueError, struct.error, UnicodeDecodeError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def convert(source, generator, layer: str, target, preset: str | None = None) -> Encoder:
    """Write the encoder in a SavedModel as a file of ours. preset: "published-sharp" says it has no mean filter, which
    the variables do not tell."""
    encoder = load(source, generator, layer, preset)
    encoder.cells = make_maps(generator, layer)
    save(target, encoder, "float32", source=Path(source).name)
    return encoder


def load(source, generator, layer: str, preset: str | None = None) -> Encoder:
    """Return the Encoder in a SavedModel for a generator's layer. UserError: the variables are laid out otherwise."""
    try:
        index, data = _files(Path(source))
        variables = read(index, data)
        return _encoder(variables, generator, layer, preset)
    except OSError as error:
        raise UserError(f"{source}: can't be read: {error.strerror or error}") from None
    except DAMAGED as error:
        raise UserError(f"{source}: the SavedModel's variables are damaged ({error}); fetch it again") from None
    except UserError as error:
        raise UserError(f"{source}: {error}") from None


def _files(path) -> tuple[bytes, bytes]:
    """Return the bytes of the index and of the data."""
    if path.is_dir():
        found = {name: path / name for name in (INDEX, DATA)}
        if not all(file.is_file() for file in found.values()):
            raise UserError(f"no SavedModel: expected {INDEX} and {DATA} in the folder")
        if max(file.stat().st_size for file in found.values()) > LARGEST:
            raise UserError("larger than any published encoder")
        return found[INDEX].read_bytes(), found[DATA].read_bytes()
    if not zipfile.is_zipfile(path):
        raise UserError("expected a SavedModel: its folder, or that folder zipped" if path.exists() else "there is no such file")
    with zipfile.ZipFile(path) as archive:
        index, data = (next((m for m in archive.infolist() if m.filename.endswith(name)), None) for name in (INDEX, DATA))
        if index is None or data is None:
            raise UserError(f"no SavedModel in the zip file: expected {INDEX} and {DATA}")
        if max(index.file_size, data.file_size) > LARGEST:
            raise UserError("larger than any published encoder")
        return archive.read(index), archive.read(data)


def read(index: bytes, data: bytes) -> dict[tuple[int, str], np.ndarray]:
    """Return {(i, kind): array} of the variables called layer_with_weights-{i}/{kind}; optimiser slots and the like are left."""
    found = {}
    for key, value in _table(index):
        match = NAME.fullmatch(key.decode("utf-8", "replace"))
        if match:
            found[int(match[1]), match[2]] = _array(dict(_fields(value)), data)
    return found


def _array(entry, data) -> np.ndarray:
    """Return the numbers a BundleEntryProto points at: dtype 1, shape 2, shard_id 3, offset 4, size 5."""
    shape = [dict(_fields(dim)).get(1, 0) for number, dim in _fields(entry.get(2, b"")) if number == 2]
    offset, size = entry.get(4, 0), entry.get(5, 0)
    if entry.get(1) != FLOAT32 or entry.get(3, 0) != 0:
        raise UserError("variables of another kind than float32 in one piece: not a published encoder")
    if size != 4 * prod(shape) or offset + size > len(data):
        raise ValueError(f"a variable of shape {shape} in {size} bytes at {offset} of {len(data)}")
    return np.frombuffer(data, "<f4", prod(shape), offset).reshape(shape)


def _table(content: bytes):
    """Yield (key, value) of a LevelDB table."""
    if len(content) < FOOTER or struct.unpack("<Q", content[-8:])[0] != MAGIC:
        raise UserError(f"{INDEX} is not a table of TensorFlow variables")
    footer = content[-FOOTER:]
    _, at = _handle(footer, 0)                                          # of the table's own statistics
    for _, where in _block(content, _handle(footer, at)[0]):
        yield from _block(content, _handle(where, 0)[0])


def _handle(content, at):
    """Return ((offset, size), the place after it)."""
    offset, at = _varint(content, at)
    size, at = _varint(content, at)
    return (offset, size), at


def _block(content, handle):
    """Yield (key, value) of one block; keys are stored as what they do not share with the one before."""
    offset, size = handle
    if offset + size + TRAILER > len(content) or content[offset + size] != 0:
        raise ValueError("a block beyond the end, or compressed")
    block = content[offset:offset + size]
    end = len(block) - 4 - 4 * struct.unpack("<I", block[-4:])[0]       # the restart points are not needed
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at:at + own]
        yield key, block[at + own:at + own + length]
        at += own + length


def _varint(content, at):
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number without an end")


def _fields(message: bytes):
    """Yield (number, value) of a protocol message: ints, or bytes for what has a length."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
        else:
            length, at = _varint(message, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, len(message)), at)
            value, at = message[at:at + length], at + length
        yield tag >> 3, value


def _encoder(variables, generator, layer, preset):
    """Return an Encoder of the published architecture with these variables."""
    last = max((i for i, _ in variables), default=-1)
    if last not in (8, 10):
        raise UserError(f"{last + 1} layers with weights: expected 11 or 9, convolutions and batch normalisations in turn and a "
                        "convolution at the end, as the published encoders have")
    preset = preset or ("published" if last == 10 else "published-short")
    plan = make_plan(generator, layer, preset, PUBLISHED_SIZE, generator_hash(generator))
    encoder, state = Encoder(plan), {}
    for i in range(last + 1):
        row, norm = divmod(i, 2)
        prefix = "body.last" if i == last else f"body.rows.{row}.{'norm' if norm else 'conv'}"
        for theirs, ours in (NORM if norm else CONVOLUTION).items():
            if (i, theirs) not in variables:
                raise UserError(f"layer_with_weights-{i} lacks its {theirs}: not a published encoder")
            value = torch.from_numpy(variables[i, theirs].copy())
            state[f"{prefix}.{ours}"] = value.permute(3, 2, 0, 1) if value.ndim == 4 else value
    if extra := sorted(state.keys() - encoder.state_dict().keys()):
        raise UserError(f"{extra[0]}: the file has it, preset {preset} has no such layer")
    for name, expected in encoder.state_dict().items():
        if expected.is_floating_point() and (name not in state or state[name].shape != expected.shape):
            raise UserError(f"{name}: expected {list(expected.shape)} for {layer}, got {list(state[name].shape) if name in state else 'nothing'}")
    encoder.load_state_dict({name: prepare(name, value) for name, value in state.items()}, strict=False)
    return encoder.requires_grad_(False)
