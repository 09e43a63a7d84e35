"""Our own file of a generator: safetensors, with a schema version and the architecture as JSON in its metadata.

Holds numbers and text only: nothing in it can run. Must not know the other formats.
"""
import hashlib
import json
import math
from dataclasses import asdict, fields
from pathlib import Path

import torch

from engine.architecture import Architecture
from engine.checkpoints.build import build
from engine.checkpoints.infer import MAX_SIZE
from engine.errors import UserError
from engine.generator import Generator
from engine.tensor_files import DIGEST, check_dtype, read_table, read_tensors, to_stored, write_tensors

FORMAT = "latent-jockey generator"
SCHEMA = 1
AGAIN = "fetch it again, or convert the original checkpoint again"
MOST_LAYERS = 64                 # of the mapping network
WHOLE = {"resolution", "z_dim", "w_dim", "c_dim", "mapping_layers", "mapping_width", "embed_dim"}


def save(path, generator: Generator, dtype: str = "float16", noise: bool = True, **metadata) -> Path:
    """Write the generator; `metadata` is kept as JSON beside it (credits, licence, where it came from, ...).

    noise: False leaves the noise maps out, at 1024 px most of a small network's file; loading makes seeded ones.

    dtype: "float16" or "float32" (engine.tensor_files.stored).
    """
    kind = check_dtype(dtype)
    tensors = {name: to_stored(tensor, kind) for name, tensor in generator.state_dict().items()
               if noise or not name.endswith(".noise_const")}
    header = {"format": FORMAT, "schema": str(SCHEMA), "architecture": json.dumps(asdict(generator.architecture)),
              "hash": generator_hash(generator), "metadata": json.dumps(metadata)}
    return write_tensors(path, tensors, header)


def load(path, device="cpu") -> Generator:
    """Return the generator in one of our own files."""
    try:
        header, state = read_tensors(path, AGAIN, expect_ours)
        return check(build(state, architecture(header), device), header)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def check(generator: Generator, header: dict) -> Generator:
    """Return the generator; UserError where the file says that its weights are others. Files with a digest were checked by it."""
    if DIGEST not in header and header.get("hash") and header["hash"] != generator_hash(generator):
        raise UserError(f"the file is damaged: its weights are not those that were written; {AGAIN}")
    return generator


def metadata(path) -> dict:
    """Return what `save` was given as metadata."""
    try:
        header, _ = read_tensors(path, AGAIN, expect_ours)
        return dict(read_table(header, "metadata"))
    except ValueError:
        return {}


def is_ours(header: dict) -> bool:
    """Return whether a safetensors file with that header is a generator that `save` wrote."""
    return header.get("format") == FORMAT


def expect_ours(header: dict):
    """Raise UserError unless the header is of a generator that `save` wrote, in a version that this one reads."""
    if not is_ours(header):
        raise UserError("a safetensors file, but not a generator of ours; make one with `run_live.py convert`")
    if header.get("schema") != str(SCHEMA):
        raise UserError(f"schema version {header.get('schema', 'none')[:20]}: this version reads {SCHEMA}; "
                        "update Latent Jockey, or convert the original checkpoint again")


def architecture(header: dict) -> Architecture:
    """Return the architecture that a header tells of. UserError: what in it is damaged."""
    try:
        values = read_table(header, "architecture")
        unknown = set(values) - {field.name for field in fields(Architecture)}
        if unknown:
            raise ValueError(f"unknown architecture entry {sorted(unknown)[0][:40]!r}")
        values["channels"] = {int(r): _to_whole("channels", count) for r, count in values["channels"].items()}
        values["const_size"] = tuple(_to_whole("const_size", n) for n in values["const_size"])
        for name in WHOLE & values.keys():
            _to_whole(name, values[name], 1 if name in ("z_dim", "w_dim", "mapping_layers") else 0)
        _expect_kinds(values)
        return Architecture(**values)
    except (KeyError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise UserError(f"the safetensors file is damaged: its architecture: {error}; {AGAIN}") from None


def _to_whole(name, value, least=1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_SIZE:
        raise ValueError(f"{name}: expected a whole number {least}..{MAX_SIZE}")
    return value


def _expect_kinds(values: dict):
    """Raise ValueError for a value that is no number, word or switch where one belongs."""
    if len(values["const_size"]) != 2:
        raise ValueError("const_size: expected two numbers")
    if len(values["channels"]) > 16 or values.get("mapping_layers", 1) > MOST_LAYERS:
        raise ValueError("more layers than any network has")
    if values.get("conditioning", "embed") not in ("embed", "concat") or not isinstance(values.get("noise", True), bool):
        raise ValueError("conditioning or noise is none of the known ones")
    clamp = values.get("conv_clamp")
    if clamp is not None and (isinstance(clamp, bool) or not isinstance(clamp, (int, float)) or not 0 < clamp < math.inf):
        raise ValueError("conv_clamp: expected a positive number")


def generator_hash(generator: Generator) -> str:
    """Return the content hash of the weights, 32 hex digits: what clusters, encoders and takes name a generator by.

    Same for the same weights from any format. Taken of the weights rounded to float16, so that a float16 copy keeps
    the hash of its original; noise maps and the truncation centre are left out, since some formats lack them.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(generator.named_parameters()):
        digest.update(f"{name} {list(weight.shape)}".encode())
        digest.update(weight.detach().to("cpu", torch.float16).contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]
