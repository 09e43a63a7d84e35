"""Tensors as safetensors files, in the precision that files keep them in: the one reader and the one writer.

A file has a header of texts, and a digest of its tensors, which tells of damage.
"""
import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.errors import UserError
from engine.files import whole
from engine.yaml_file import shorten

DTYPES = {"float16": torch.float16, "float32": torch.float32}
LONGEST_HEADER = 1 << 24         # bytes; of the largest generator it has 20,000, of an edit that is marked in 1,000 pictures 1 to 5 million
DIGEST = "digest"
HALF_MAX = torch.finfo(torch.float16).max


def write_tensors(path, tensors: dict[str, torch.Tensor], header: dict[str, str], make_folder=False) -> Path:
    """Write a safetensors file of tensors, moved to the CPU, and metadata."""
    with whole(path, make_folder) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode                     # the writer's own is for the owner alone
        ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(ready, temporary, header | {DIGEST: digest(ready)})
        temporary.chmod(mode)
    return Path(path)


def read_tensors(path, again: str, accepts=None) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """Return (header, {name: tensor}) of a safetensors file. UserError: it is damaged, or `accepts(header)` raised one.

    again: what to do about a damaged file, in words.
    """
    try:
        _expect_header(path)
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if accepts:
                accepts(header)
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except FileNotFoundError:
        raise UserError("there is no such file") from None
    except (OSError, SafetensorError, ValueError, TypeError, RuntimeError, MemoryError) as error:
        raise UserError(f"not a whole safetensors file: {error}; {again}") from None
    if DIGEST in header and header[DIGEST] != digest(tensors):
        raise UserError(f"the file is damaged: its numbers are not those that were written; {again}")
    return header, tensors


def expect_format(header: dict[str, str], format: str, schema: int, noun: str, remedy: str = ""):
    """Raise UserError unless a file's header names this format and schema version. noun: what it should hold; remedy: what else to do, in words."""
    if header.get("format") != format:
        raise UserError(f"a safetensors file, but no {noun}: format {shorten(header.get('format'))}, expected {format!r}")
    if header.get("schema") != str(schema):
        raise UserError(f"schema version {shorten(header.get('schema'))}: this version reads {schema}; update Latent Jockey{remedy}")


def _expect_header(path):
    """Raise ValueError where a header is longer than any real one, as it would be read whole before it is found to be none."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LONGEST_HEADER:
            raise ValueError(f"a header of {length} bytes")


def digest(tensors: dict[str, torch.Tensor]) -> str:
    """Return a hash of tensors by name, 32 hex digits, of their bytes as they are stored."""
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        if tensor.numel():
            found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()[:32]


def read_table(header: dict[str, str], name: str) -> dict:
    """Return the JSON object under a name of a header, {} if there is none; ValueError for anything else."""
    try:
        found = json.loads(header.get(name, "{}"))
    except RecursionError:
        raise ValueError(f"{name} is nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError(f"{name}: expected a JSON object")
    return found


def check_dtype(name: str) -> torch.dtype:
    """Return float16 or float32 by name. UserError: another one."""
    if name not in DTYPES:
        raise UserError(f"dtype {name!r}: expected {' or '.join(DTYPES)}")
    return DTYPES[name]


def to_stored(tensor, dtype):
    """Return a weight as files keep it: float16 is for matrices and kernels; vectors, and numbers beyond its range, stay float32."""
    tensor = tensor.detach().to("cpu", torch.float32)
    small = dtype == torch.float16 and tensor.ndim > 1 and tensor.abs().max() < HALF_MAX
    return (tensor.half() if small else tensor).contiguous()
