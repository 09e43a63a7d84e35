"""What torch.save wrote, in a zip or in the form before that, and pickles of networks: numbers stay where they lie in the file.

Only what a network turns out to need is ever read. Checksums are compared where the file has any. Executes nothing.
"""
import mmap
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from engine.checkpoints.calls import DTYPES
from engine.checkpoints.records import DAMAGED, Name, Reader, Storage, brief
from engine.checkpoints.unpickler import MAX_BYTES, Machine
from engine.errors import UserError

LEGACY = 0x1950A86A20F9469CFC6C  # torch.save's magic number before there were zips
LOCAL = struct.Struct("<4s22xHH")        # of a zip's entry: signature, length of its name and of what follows
AGAIN = "fetch it again, or save it again where it came from"


@dataclass(frozen=True, eq=False)
class Loaded:
    """content: dicts, lists, tensors and records. check(tensors): UserError where a checksum says that one of them is damaged."""
    content: Any
    check: Callable = lambda tensors: None


def load_pickle(path) -> Loaded:
    """Return the content of a pickle."""
    try:
        return Loaded(Machine(Reader(_map_file(path)), nested=_storage).load())
    except DAMAGED as error:
        raise UserError(f"the pickle is truncated or damaged ({brief(error)}); {AGAIN}") from None


def load_torch(path) -> Loaded:
    """Return what `torch.save` wrote to a file."""
    try:
        view = _map_file(path)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _Zipped(archive, view).load()
        if view[:2] == b"PK":
            raise UserError(f"truncated: the zip has no end, so the download or the copy was cut short; {AGAIN}")
        return Loaded(_legacy(Reader(view), Machine(Reader(b""), nested=_storage)))
    except DAMAGED as error:
        raise UserError(f"truncated or damaged, not a whole torch file ({brief(error)}); {AGAIN}") from None


def _map_file(path):
    """Return the file as writable memory of our own, which is read from disk only where it is looked at."""
    try:
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    except OSError as error:
        raise UserError(f"can't be read: {error.strerror or error}") from None


class _Zipped:
    """A zip of torch.save: a pickle, and one entry for each storage."""

    def __init__(self, archive, view):
        self.archive, self.view = archive, view
        self.entries = {entry.filename: entry for entry in archive.infolist()}
        self.stored: dict = {}                                      # key -> (data, entry to be checked)
        self.unpacked = 4 * len(view) + (1 << 20)                   # bytes that compressed entries may come to
        name = next((name for name in self.entries if name == "data.pkl" or name.endswith("/data.pkl")), None)
        if name is None:
            raise UserError("a zip archive, but not one that torch.save writes; unpack it and give the checkpoint inside")
        if any("/code/" in f"/{name}" for name in self.entries):
            raise UserError("a TorchScript program, not a checkpoint; give the .pt or .pkl it was exported from")
        if sum(entry.file_size for entry in self.entries.values()) > MAX_BYTES:
            raise UserError(f"unpacks to more than {MAX_BYTES >> 30} GiB: no StyleGAN2 checkpoint is that large")
        self.folder = name[:-len("data.pkl")]

    def load(self) -> Loaded:
        order = f"{self.folder}byteorder"
        if order in self.entries and bytes(self._data(self.entries[order])[:6]) == b"big":
            raise UserError("written by a machine that stores numbers the other way round; save it again on another one")
        entry = self.entries[f"{self.folder}data.pkl"]
        raw = self._data(entry)
        _check_storage(raw, entry, "its table of contents")
        return Loaded(Machine(Reader(raw), self._storage, _storage).load(), self.check)

    def check(self, tensors):
        """Raise UserError where the numbers of one of {name: tensor} aren't those that were written."""
        places = {tensor.untyped_storage().data_ptr(): name for name, tensor in tensors.items()}
        for storage, entry in self.stored.values():
            name = storage.count and places.get(_address(storage))
            if name:
                _check_storage(storage.data, entry, name)

    def _storage(self, given):
        dtype, key, count = _describe_storage(given)
        if key not in self.stored:
            entry = self.entries[f"{self.folder}data/{key}"]
            data = self._data(entry)
            self.stored[key] = Storage(dtype, len(data) // dtype.itemsize, data), entry
        storage = self.stored[key][0]
        if count > len(storage.data) // dtype.itemsize:
            raise ValueError("numbers are missing")
        return Storage(dtype, count, storage.data)

    def _data(self, entry):
        """Return an entry's bytes where they lie in the file; unpacked if they are compressed, within the limit."""
        if entry.compress_type != zipfile.ZIP_STORED:
            self.unpacked -= entry.file_size
            if self.unpacked < 0:
                raise UserError("refused: it unpacks to far more than the file holds")
            return memoryview(bytearray(self.archive.read(entry)))
        signature, name, extra = LOCAL.unpack_from(self.view, entry.header_offset)
        start = entry.header_offset + LOCAL.size + name + extra
        if signature != b"PK\x03\x04" or entry.flag_bits & 1 or start + entry.file_size > len(self.view):
            raise zipfile.BadZipFile("an entry that isn't where it should be")
        return self.view[start:start + entry.file_size]


def _address(storage):
    return torch.frombuffer(storage.data, dtype=torch.uint8, count=1).data_ptr()


def _check_storage(data, entry, name):
    if entry.CRC and zlib.crc32(data) != entry.CRC:
        raise UserError(f"{str(name)[:60]}: damaged on its way here (its checksum is another); {AGAIN}")


def _describe_storage(given):
    """Return (dtype, key, count) of a storage that a pickle points to."""
    if not isinstance(given, tuple) or len(given) < 5 or given[0] != "storage":
        raise ValueError("numbers that can't be found")
    kind, key, count = given[1], given[2], given[4]
    dtype = DTYPES[kind.name] if isinstance(kind, Name) else None
    if dtype is None or not isinstance(key, (str, int)) or not isinstance(count, int) or not 0 <= count <= MAX_BYTES:
        raise ValueError("numbers that can't be found")
    return dtype, str(key), count


def _legacy(reader: Reader, outer: Machine):
    """Return the content of the form before zips: five pickles, then the storages in the order of the last. `outer` counts the cost.

    The pickle comes before the numbers, so it is read twice: the first time for how many there are.
    """
    found: dict = {}

    def note(given):
        if isinstance(given, tuple) and given[:1] == ("module",) and isinstance(given[1], Name):
            return given[1]                                         # a class, with its source text beside it
        dtype, key, count = _describe_storage(given)
        return found.setdefault(key, Storage(dtype, count))

    machine = Machine(reader, note, None)
    machine.parts = outer.parts
    if machine.load() != LEGACY or machine.load() != 1001:
        raise ValueError("another version of torch's format")
    machine.load()
    start = reader.at
    machine.load()
    keys = machine.load()
    for key in keys if isinstance(keys, list) else []:
        storage = found[str(key)]
        count, = struct.unpack("<q", reader.read(8))
        size = storage.count * storage.dtype.itemsize
        if count != storage.count or reader.at + size > len(reader.view):
            raise ValueError("numbers are missing")
        storage.data = reader.view[reader.at:reader.at + size]
        reader.at += size
    reader.at = start
    content = machine.load()
    outer.parts = machine.parts
    return content


def _storage(raw, outer: Machine):
    """Return the one storage that a network's pickle keeps in itself."""
    found = _legacy(Reader(raw), outer)
    if not isinstance(found, Storage):
        raise ValueError("numbers within numbers")
    return found
