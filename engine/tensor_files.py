"""Tensors as safetensors files, in the precision that files keep them in."""
from pathlib import Path

import torch
from safetensors.torch import save_file

from engine.errors import UserError
from engine.files import whole

DTYPES = {"float16": torch.float16, "float32": torch.float32}
HALF_MAX = torch.finfo(torch.float16).max


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
