"""What the calls in a pickle stand for: numbers, tables and lists are made, everything else becomes a Record of the call.

Nothing that a pickle names is looked up. What is copied is counted. Knows no opcodes.
"""
from math import prod

import torch

from engine.checkpoints.records import DAMAGED, Array, DType, Name, Record, Storage, shorten
from engine.errors import UserError

MAX_PARTS = 400_000              # opcodes and what they copy: a complete 1024 px snapshot has under 100,000
TENSOR = 16                      # parts that making a tensor or an array counts as
TABLES = ("OrderedDict", "defaultdict", "dict", "Counter", "EasyDict", "AttrDict", "AttributeDict", "Munch", "Box", "Dict", "FrozenDict")
LISTS = ("set", "frozenset", "list", "tuple", "deque", "Size", "ListConfig", "bytearray", "bytes")
STORED = {"float32": "Float", "float64": "Double", "float16": "Half", "bfloat16": "BFloat16", "int64": "Long", "int32": "Int",
          "int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble"}
DTYPES = {f"{kind}Storage": getattr(torch, name) for name, kind in STORED.items()} | {"UntypedStorage": torch.uint8}


class Calls:
    """Calls of one file's pickles. size: of the file. nested(bytes, calls) -> what a file of torch's within the pickle holds."""

    def __init__(self, size: int, nested=None):
        self.nested = nested
        self.parts = 0
        self.copied = 4 * size + (1 << 20)                          # bytes that may be copied

    def count(self, parts):
        """Add to the cost of reading. UserError: it is more than any checkpoint needs."""
        self.parts += parts
        if self.parts > MAX_PARTS:
            raise UserError("refused: its pickle is built from far more parts than a checkpoint has")

    def _copies(self, amount):
        self.copied -= amount
        if self.copied < 0:
            raise UserError("refused: its pickle unpacks to far more than a checkpoint holds")

    def call(self, called, arguments: tuple):
        """Return what stands for the result of a call."""
        if not isinstance(called, Name):
            return Record(shorten(called), arguments)
        act = self._meaning(called)
        if act is None:
            return Record(called.name, arguments, source=called.module)
        return act(*arguments)

    def _meaning(self, called: Name):
        """Return the method for a call of this name; None for an unknown one."""
        module, name = called.module, called.name
        if name == "_reconstruct_persistent_obj":
            return self._module
        if name in TABLES:
            return self._table
        if name in LISTS and module in ("builtins", "__builtin__", "collections", "torch", "omegaconf.listconfig"):
            return self._list
        if module.startswith("numpy"):
            return {"_reconstruct": lambda *_: self._array(), "scalar": self._scalar, "_frombuffer": self._buffer, "dtype": self._dtype}.get(name)
        if module.startswith("torch"):
            return {"_rebuild_tensor": self._tensor, "_rebuild_tensor_v2": self._tensor, "_rebuild_tensor_v3": self._tensor_of_bytes,
                    "_rebuild_parameter": self._parameter, "_rebuild_parameter_with_state": self._parameter, "Parameter": self._parameter,
                    "_rebuild_from_type_v2": self._again, "_load_from_bytes": self._storage}.get(name)
        if module in ("copyreg", "copy_reg"):
            return {"_reconstructor": self._old, "__newobj__": lambda cls, *rest: self.call(cls, rest),
                    "__newobj_ex__": lambda cls, rest, _: self.call(cls, tuple(rest))}.get(name)
        return self._encode if (module, name) == ("_codecs", "encode") else None

    def _module(self, meta, *_):
        if not (isinstance(meta, dict) and meta.get("type") == "class" and isinstance(meta.get("state"), dict)):
            raise ValueError("a module that is not described as one")
        name = meta.get("class_name")
        return Record(name[:80] if isinstance(name, str) else "a class without a name", (), meta["state"])

    def _table(self, *arguments):
        made: dict = {}
        for given in arguments:
            if isinstance(given, (dict, list, tuple)):
                self.count(len(given))
                pairs = given.items() if isinstance(given, dict) else (pair for pair in given if isinstance(pair, (list, tuple)) and len(pair) == 2)
                made |= {key: value for key, value in pairs if isinstance(key, (str, int))}
        return made

    def _list(self, *arguments):
        given = arguments[0] if arguments else []
        if isinstance(given, (bytes, memoryview, str)):
            return given
        self.count(len(given) if isinstance(given, (list, tuple)) else 0)
        return tuple(given) if isinstance(given, (list, tuple)) else []

    def _old(self, cls, _, state):
        if not isinstance(cls, Name):
            raise ValueError("an object of no class")
        return self._table(state) if cls.name in TABLES else Record(cls.name, source=cls.module)

    def _again(self, function, _, arguments, *__):
        return self.call(function, tuple(arguments))

    def _tensor(self, storage, offset, size, stride, *_):
        self.count(TENSOR)
        if not isinstance(storage, Storage):
            raise ValueError("a tensor without numbers")
        if storage.data is None:
            return None
        size, stride = tuple(size), tuple(stride)
        if len(size) != len(stride) or len(size) > 8 or not all(isinstance(n, int) and n >= 0 for n in (*size, *stride, offset)):
            raise ValueError("a tensor without a shape")
        last = offset + sum((n - 1) * step for n, step in zip(size, stride))
        if prod(size) and last >= storage.count:
            raise ValueError("a tensor that is larger than its numbers")
        if not prod(size):
            return torch.empty(size, dtype=storage.dtype)
        flat = torch.frombuffer(storage.data, dtype=storage.dtype, count=storage.count)
        return flat.as_strided(size, stride, offset)

    def _tensor_of_bytes(self, storage, offset, size, stride, _, __, dtype, *___):
        kind = getattr(torch, dtype.name, None) if isinstance(dtype, Name) and dtype.module == "torch" else None
        if not isinstance(storage, Storage) or not isinstance(kind, torch.dtype):
            raise ValueError("a tensor of unknown numbers")
        count = storage.count * storage.dtype.itemsize // kind.itemsize
        return self._tensor(Storage(kind, count, storage.data), offset, size, stride)

    def _parameter(self, data=None, *_):
        return data

    def _storage(self, raw):
        if self.nested is None or not isinstance(raw, (bytes, bytearray, memoryview)):
            raise ValueError("numbers within numbers")
        self._copies(len(raw))
        self.count(TENSOR)
        return self.nested(raw if isinstance(raw, memoryview) else bytearray(raw), self)

    def _array(self):
        self.count(TENSOR)
        return Array()

    def _scalar(self, dtype, raw=b"", *_):
        made = Array((), dtype, False, raw)
        try:
            return made.value[()]
        except DAMAGED:
            return made

    def _buffer(self, raw, dtype, shape, order="C", *_):
        self.count(TENSOR)
        return Array(shape, dtype, order == "F", raw)

    def _dtype(self, code="", *_):
        return DType(code if isinstance(code, str) else "", code[0] if isinstance(code, str) and code[:1] in ("<", ">") else "<")

    def _encode(self, text, codec="", *_):
        if codec not in ("latin1", "latin-1") or not isinstance(text, str):
            raise ValueError(f"codec {shorten(codec)}")
        self._copies(len(text))
        return text.encode("latin1")
