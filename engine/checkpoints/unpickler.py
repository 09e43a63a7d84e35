"""The only unpickling in the project: foreign pickles -> plain records, tensors and arrays. Executes nothing.

A pickle may name only what the tables below list, and most names get a stand-in that keeps data and runs no code.
No pickle can alter a stand-in for the next one: functions are made afresh, and every class here has a __setstate__,
which is all that a pickle can reach of it. Must not know networks.
"""
import argparse
import io
import pickle
import pickletools
import re
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from engine.errors import UserError

MAX_BYTES = 1 << 32              # of a file: a training checkpoint of the largest networks has about 3 GB
MAX_OPCODES = 1 << 21            # a complete 1024 px snapshot has under 100,000
MAX_TUPLES = 30_000              # of them that build tuples: hashing nested ones uses the C stack, unchecked
TUPLES = ("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "FROZENSET")
DAMAGED = (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, LookupError, ImportError, OSError,
           RuntimeError, MemoryError, ArithmeticError, AssertionError, struct.error, zipfile.BadZipFile)
TRUST = "if you trust where it comes from, save it again as plain tensors"


class Module:
    """A pickled NVIDIA module: its class's name and its attributes; the source text beside it is dropped."""

    def __init__(self, class_name: str, state: dict):
        self.class_name, self.state = class_name, state

    def __setstate__(self, state):
        raise pickle.UnpicklingError("a module is described once")


class Network:
    """A pickled TensorFlow network: what it was saved with."""
    state: dict = {}

    def __setstate__(self, state):
        if not isinstance(state, dict):
            raise pickle.UnpicklingError("a network's state is a dict")
        self.state = state


class _DType:
    """A numeric NumPy dtype, by its code."""

    def __init__(self, code, *_):
        if not (isinstance(code, str) and re.fullmatch(r"[<>=|]?(f[248]|[iu][1248]|b1)", code)):
            raise pickle.UnpicklingError(f"numpy dtype {str(code)[:20]!r}, expected plain numbers")
        self.code, self.order = code.lstrip("<>=|"), code[0] if code[0] in "<>" else "<"

    def __setstate__(self, state):
        self.order = ">" if state[1] == ">" else "<"

    def numbers(self, raw, shape, order="C"):
        """The array whose bytes these are."""
        return np.frombuffer(raw, self.order + self.code).reshape(shape, order=order)


class Array:
    """A pickled NumPy array; `value` once its state has come."""
    value = None

    def __setstate__(self, state):
        _, shape, dtype, fortran, raw = state
        self.value = _dtype(dtype).numbers(raw, shape, "F" if fortran else "C")


def _dtype(found) -> _DType:
    if not isinstance(found, _DType):
        raise pickle.UnpicklingError("an array without a numeric dtype")
    return found


def tensor(found) -> torch.Tensor:
    """A float32 tensor of an Array or number that came out of a pickle."""
    value = found.value if isinstance(found, Array) else found
    if not isinstance(value, (np.ndarray, np.number, int, float)):
        raise UserError(f"expected an array of numbers, got {type(value).__name__}")
    return torch.from_numpy(np.array(value, np.float32, order="C"))


class _Unpickler(pickle.Unpickler):
    """Resolves the listed names and no others."""
    plain = {("collections", "OrderedDict"): OrderedDict, ("dnnlib.util", "EasyDict"): dict, ("dnnlib", "EasyDict"): dict,
             ("builtins", "set"): set, ("__builtin__", "set"): set, ("dnnlib.tflib.network", "Network"): Network,
             ("numpy", "ndarray"): Array, ("numpy", "dtype"): _DType}
    called = {("torch_utils.persistence", "_reconstruct_persistent_obj"): "module", ("_codecs", "encode"): "encode",
              ("torch._utils", "_rebuild_tensor_v2"): "tensor", ("torch._utils", "_rebuild_parameter"): "parameter",
              ("torch.storage", "_load_from_bytes"): "storage",
              ("numpy", "multiarray", "_reconstruct"): "array", ("numpy", "multiarray", "scalar"): "scalar",
              ("numpy", "numeric", "_frombuffer"): "buffer"}

    def find_class(self, module, name):
        key = (module, name)
        if key in self.plain:
            return self.plain[key]
        numpy_part = re.fullmatch(r"numpy\._?core\.(\w+)", module)      # NumPy 2 renamed core to _core
        called = self.called.get(("numpy", numpy_part[1], name) if numpy_part else key)
        if called is None:
            raise UserError(f"refused: its pickle asks for {f'{module}.{name}'[:80]!r}, which no StyleGAN2 checkpoint "
                            f"needs; {TRUST}")
        method = getattr(self, called)
        return lambda *arguments: method(*arguments)                    # a fresh one: what a pickle does to it is lost

    def module(self, meta):
        if not (isinstance(meta, dict) and meta.get("type") == "class" and isinstance(meta.get("state"), dict)):
            raise pickle.UnpicklingError("a module that is not described as one")
        return Module(str(meta.get("class_name"))[:80], meta["state"])

    def tensor(self, storage, offset, size, stride, *_):
        if not isinstance(storage, torch.storage.TypedStorage):
            raise pickle.UnpicklingError("a tensor without numbers")
        flat = torch.empty(0, dtype=storage.dtype).set_(storage)
        return flat.as_strided(size, stride, offset)                    # raises where the numbers don't suffice

    def parameter(self, data, *_):
        return data

    def storage(self, raw):
        return load_torch(io.BytesIO(raw))

    def array(self, *_):
        return Array()

    def scalar(self, dtype, raw):
        return _dtype(dtype).numbers(raw, ())[()]

    def buffer(self, raw, dtype, shape, order):
        array = Array()
        array.value = _dtype(dtype).numbers(raw, shape, order)
        return array

    def encode(self, text, codec):
        if codec not in ("latin1", "latin-1"):
            raise pickle.UnpicklingError(f"codec {str(codec)[:20]!r}")
        return text.encode("latin1")


def load_pickle(path) -> object:
    """What the pickle holds, as dicts, lists, tensors, Modules, Networks and Arrays."""
    try:
        with open(path, "rb") as stream:
            _survey(stream)
            stream.seek(0)
            return _Unpickler(stream, encoding="latin1").load()
    except DAMAGED as error:
        raise UserError(f"the pickle is truncated or damaged ({brief(error)}); fetch it again") from None


def _survey(stream) -> None:
    """Read through the opcodes without running them: is the pickle whole, and can it be held?"""
    tuples = 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        tuples += opcode.name in TUPLES
        index = int(argument or 0) if opcode.name in ("PUT", "LONG_BINPUT") else 0
        if count > MAX_OPCODES or index > MAX_OPCODES or tuples > MAX_TUPLES:
            raise UserError("refused: its pickle is built from far more parts than a checkpoint has")


def load_torch(source) -> object:
    """What `torch.save` wrote to a path or stream (zip or legacy format): tensors and plain containers only."""
    try:
        zipped = zipfile.is_zipfile(source)
        if zipped:
            _survey_zip(source)
        if hasattr(source, "seek"):
            source.seek(0)
        # mmap: of a training checkpoint, only the network wanted is ever read
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(source, map_location="cpu", weights_only=True,
                              mmap=True if zipped and isinstance(source, (str, Path)) else None)
    except DAMAGED as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        if asked:
            raise UserError(f"refused: it asks for {asked[1][:80]!r}, which a file of weights has no need of; {TRUST} "
                            "(torch.save of the state dicts)") from None
        raise UserError(f"truncated or damaged, not a whole torch file ({brief(error)}); fetch it again") from None


def _survey_zip(source) -> None:
    with zipfile.ZipFile(source) as archive:
        names = archive.namelist()
        if not any(name.endswith("data.pkl") for name in names):
            raise UserError("a zip archive, but not one that torch.save writes; unpack it and give the checkpoint inside")
        if any("/code/" in name for name in names):
            raise UserError("a TorchScript program, not a checkpoint; give the .pt or .pkl it was exported from")
        if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
            raise UserError(f"unpacks to more than {MAX_BYTES >> 30} GiB: no StyleGAN2 checkpoint is that large")


def brief(error) -> str:
    """The first line of an error, short."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:100]
