"""Our own file of a generator: safetensors, with a schema version and the architecture as JSON in its metadata.

Holds numbers and text only: nothing in it can run. Must not know the other formats.
"""
import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from engine.architecture import Architecture
from engine.checkpoints.build import build
from engine.errors import UserError
from engine.generator import Generator
from engine.tensor_files import checked_dtype, stored, write_tensors

FORMAT = "latent-jockey generator"
SCHEMA = 1


def save(path, generator: Generator, dtype: str = "float16", noise: bool = True, **metadata) -> Path:
    """Write the generator; `metadata` is kept as JSON beside it (credits, licence, where it came from, ...).

    noise: False leaves the noise maps out, at 1024 px most of a small network's file; loading makes seeded ones.

    dtype: "float16" or "float32" (engine.tensor_files.stored).
    """
    kind = checked_dtype(dtype)
    tensors = {name: stored(tensor, kind) for name, tensor in generator.state_dict().items()
               if noise or not name.endswith(".noise_const")}
    header = {"format": FORMAT, "schema": str(SCHEMA), "architecture": json.dumps(asdict(generator.architecture)),
              "hash": generator_hash(generator), "metadata": json.dumps(metadata)}
    return write_tensors(path, tensors, header)


def load(path, device="cpu") -> Generator:
    """The generator in one of our own files."""
    try:
        return build(*read(path), device)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def read(path) -> tuple[dict, Architecture]:
    """(state dict, architecture)."""
    header = _header(path)
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, _architecture(header["architecture"])
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise UserError(f"the safetensors file is damaged: {error}; fetch or convert it again") from None


def metadata(path) -> dict:
    """What `save` was given as metadata."""
    try:
        return dict(json.loads(_header(path).get("metadata", "{}")))
    except (ValueError, TypeError):
        return {}


def _header(path) -> dict:
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
    except FileNotFoundError:
        raise UserError("there is no such file") from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"not a whole safetensors file: {error}; fetch or convert it again") from None
    if header.get("format") != FORMAT:
        raise UserError("a safetensors file, but not a generator of ours; make one with `run_live.py convert`")
    if header.get("schema") != str(SCHEMA):
        raise UserError(f"schema version {header.get('schema')}: this version reads {SCHEMA}; "
                        "update Latent Jockey, or convert the original checkpoint again")
    return header


def _architecture(text: str) -> Architecture:
    values = json.loads(text)
    unknown = set(values) - {field.name for field in fields(Architecture)}
    if unknown:
        raise ValueError(f"unknown architecture entry {sorted(unknown)[0]!r}")
    values["channels"] = {int(r): int(count) for r, count in values["channels"].items()}
    values["const_size"] = tuple(int(n) for n in values["const_size"])
    return Architecture(**values)


def generator_hash(generator: Generator) -> str:
    """Content hash of the weights, 32 hex digits: what clusters, encoders and takes name a generator by.

    Same for the same weights from any format. Taken of the weights rounded to float16, so that a float16 copy keeps
    the hash of its original; noise maps and the truncation centre are left out, since some formats lack them.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(generator.named_parameters()):
        digest.update(f"{name} {list(weight.shape)}".encode())
        digest.update(weight.detach().to("cpu", torch.float16).contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]
