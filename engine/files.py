"""Files that appear whole or not at all: written under a temporary name, then renamed. Knows no format but safetensors.
"""
import os
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from engine.errors import UserError

DTYPES = {"float16": torch.float16, "float32": torch.float32}
HALF_MAX = torch.finfo(torch.float16).max


@contextmanager
def whole(path, make_folder=False):
    """A temporary path to write to; renamed to `path` if nothing went wrong. UserError: why it can't be written.

    make_folder: for files with a folder of their kind, which need not be there yet.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: can't be written: {getattr(error, 'strerror', None) or error}") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path, text: str) -> Path:
    """Write a text file."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def write_tensors(path, tensors: dict[str, torch.Tensor], header: dict[str, str], make_folder=False) -> Path:
    """Write a safetensors file of tensors, moved to the CPU, and metadata."""
    with whole(path, make_folder) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode                     # the writer's own is for the owner alone
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary, header)
        temporary.chmod(mode)
    return Path(path)


def checked_dtype(name: str) -> torch.dtype:
    """float16 or float32 by name; UserError for another one."""
    if name not in DTYPES:
        raise UserError(f"dtype {name!r}: expected {' or '.join(DTYPES)}")
    return DTYPES[name]


def stored(tensor, dtype):
    """A weight as files keep it: float16 is for matrices and kernels; vectors, and numbers beyond its range, stay float32."""
    tensor = tensor.detach().to("cpu", torch.float32)
    small = dtype == torch.float16 and tensor.ndim > 1 and tensor.abs().max() < HALF_MAX
    return (tensor.half() if small else tensor).contiguous()
