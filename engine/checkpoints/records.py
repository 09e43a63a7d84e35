"""What comes out of foreign pickles in the place of objects, and the bytes they are read from. Data only: knows no opcodes.
"""
import re
import struct
import zipfile
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from engine.errors import UserError

SHORT = 128                      # bytes of most lines: looked for first
LINE = 1 << 16                   # bytes of the longest line in the oldest pickles
DAMAGED = (EOFError, AttributeError, TypeError, ValueError, LookupError, ImportError, OSError,
           RuntimeError, MemoryError, ArithmeticError, AssertionError, struct.error, zipfile.BadZipFile)     # what reading one may raise


@dataclass(frozen=True, eq=False)
class Name:
    """What a pickle names and never gets: a class or a function."""
    module: str
    name: str


@dataclass(eq=False)
class Record:
    """What would have been an object of a class we don't have: the class's name and what it was to be made of."""
    class_name: str
    arguments: tuple = ()
    state: Any = None
    items: dict = field(default_factory=dict)
    source: str = ""                                                # the module of the class


@dataclass(eq=False)
class Storage:
    """Numbers beneath tensors. data: a writable buffer; None where it isn't known yet where they lie."""
    dtype: torch.dtype
    count: int
    data: Any = None


@dataclass(eq=False)
class DType:
    """A NumPy dtype, by its code."""
    code: str
    order: str = "<"


@dataclass(eq=False)
class Array:
    """A NumPy array or number, as it was pickled."""
    shape: tuple = ()
    dtype: Any = None
    fortran: bool = False
    raw: Any = b""

    @property
    def value(self):
        """Return the array; UnpicklingError where it isn't one of plain numbers."""
        code = self.dtype.code.lstrip("<>=|") if isinstance(self.dtype, DType) else ""
        if not re.fullmatch(r"f[248]|[iu][1248]|b1", code) or isinstance(self.raw, list):
            raise ValueError(f"numpy dtype {shorten(code)}, expected plain numbers")
        return np.frombuffer(self.raw, self.dtype.order + code).reshape(self.shape, order="F" if self.fortran else "C")


def shorten(value) -> str:
    """Return the beginning of a value in words, for a message, without writing out an endless one."""
    if isinstance(value, (str, bytes)):
        return repr(value[:40])
    if isinstance(value, (bool, float)) or isinstance(value, int) and abs(value) < 1 << 64:
        return str(value)
    return type(value).__name__


def tensor(found) -> torch.Tensor:
    """Return a float32 tensor of an Array or number that came out of a pickle."""
    value = found.value if isinstance(found, Array) else found
    if not isinstance(value, (np.ndarray, np.number, int, float)):
        raise UserError(f"expected an array of numbers, got {type(value).__name__}")
    return torch.from_numpy(np.array(value, np.float32, order="C"))


class Reader:
    """A file in memory, read from front to end; never past its end."""

    def __init__(self, view):
        self.view, self.at = memoryview(view), 0

    def read(self, count):
        """Return the next bytes, a copy."""
        start, self.at = self.at, min(self.at + max(count, 0), len(self.view))
        return bytes(self.view[start:self.at])

    def readline(self):
        """Return the next line."""
        for length in (SHORT, LINE):
            line = bytes(self.view[self.at:self.at + length])
            end = line.find(b"\n") + 1
            if end:
                break
        if not end:
            raise ValueError("a line without an end")
        self.at += end
        return line[:end]

    def tell(self):
        """Return how far it is read."""
        return self.at


def brief(error) -> str:
    """Return the first line of an error, short."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:100]
