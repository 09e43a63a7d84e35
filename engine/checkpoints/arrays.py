"""Other tools' files of arrays: .npy, .npz, what torch.save wrote and plain pickles -> tensors in plain tables. Executes nothing."""
import zipfile
from pathlib import Path

import numpy as np
import torch

from engine.checkpoints.records import Array, brief
from engine.checkpoints.torch_file import load_pickle, load_torch
from engine.errors import UserError

NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"
DEEPEST, MOST = 6, 100_000           # of tables within tables, and of entries
PLAIN = "save it again as plain numbers: numpy.save(name, array.astype('float32'))"


def read_arrays(path):
    """Return what is in a file: a tensor, or tables and lists of them with words and numbers. UserError: why it can't be read."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None
    try:
        if start.startswith(NPY):
            return _to_tensor(np.load(path, allow_pickle=False))
        if start.startswith(ZIP) and _is_npz(path):
            with np.load(path, allow_pickle=False) as archive:
                return {name: _to_tensor(archive[name]) for name in archive.files}
        found = load_torch(path).content if start.startswith(ZIP) else load_old(path)
        return simplify(found)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except ValueError as error:
        reason = f"it holds pickled objects, which are not read; {PLAIN}" if "allow_pickle" in str(error) else f"damaged: {brief(error)}"
        raise UserError(f"{path}: {reason}") from None
    except (OSError, EOFError, zipfile.BadZipFile, KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"{path}: not a file of arrays ({brief(error)})") from None


def load_old(path):
    """Return the content of a pickle, whether torch wrote it before there were zips or another tool did."""
    try:
        return load_torch(path).content
    except UserError as error:
        if "refused" in str(error):
            raise
        return load_pickle(path).content


def _is_npz(path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".npy") for name in archive.namelist())


def simplify(found, deep: int = DEEPEST):
    """Return tensors, words, numbers, tables and lists as they are; arrays as tensors; anything else as None."""
    if isinstance(found, torch.Tensor):
        return found.detach().cpu()
    if isinstance(found, Array):
        try:
            return _to_tensor(found.value)
        except (ValueError, TypeError):
            return None
    if isinstance(found, (np.ndarray, np.number)):
        return _to_tensor(np.asarray(found))
    if isinstance(found, (str, int, float, bool)):
        return found
    if deep and isinstance(found, dict) and len(found) <= MOST:
        return {key: simplify(value, deep - 1) for key, value in found.items() if isinstance(key, (str, int))}
    if deep and isinstance(found, (list, tuple)) and len(found) <= MOST:
        return [simplify(value, deep - 1) for value in found]
    return None


def _to_tensor(array):
    """Return a tensor of an array of numbers; text stays as it is; anything else is None."""
    if array.dtype.kind in "US":
        return str(array[()]) if array.ndim == 0 else None
    if array.dtype.kind not in "fiub":
        return None
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


def to_floats(tensor) -> torch.Tensor:
    """Return a tensor of any numbers as float32; UserError where some are not finite, or it is none."""
    if not isinstance(tensor, torch.Tensor):
        raise UserError(f"expected an array of numbers, found {'nothing' if tensor is None else type(tensor).__name__}")
    numbers = tensor.to(torch.float32)
    if not numbers.isfinite().all():
        raise UserError("NaN or infinity among its numbers")
    return numbers
