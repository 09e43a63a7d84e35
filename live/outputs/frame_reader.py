"""Reads the pictures of a running show from another program: `--output memory`. It needs Python and numpy; copy this file.

    from frame_reader import FrameReader

    frames = FrameReader("latent-jockey")
    while True:
        frame = frames.read(timeout=1.0)         # the newest picture, None where none came
        if frame is not None:
            look_at(frame.pixels)                # uint8 [height, width, 3], RGB, yours to keep

The show may come, go, crash and change its picture's size: read() finds it again. docs/outputs.md has every byte of the memory, for
readers in other languages.
"""
import mmap
import os
import struct
import sys
import threading
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory

import numpy as np

MAGIC, SCHEMA, SLOTS, HEADER = b"LJFR", 1, 4, 4096
SHAPE = struct.Struct("<4s4xQQQQ")                       # magic, schema, height, width, slots
PUBLISHED, ENDED, WRITER, TIMES = 8, 80, 81, 88          # places in the header, in numbers of 8 bytes
POLL = 0.002                                             # seconds between looks


@dataclass(frozen=True)
class Read:
    """A picture: its number, when it was written (seconds since 1970), its pixels uint8 [height, width, 3] in RGB."""
    number: int
    time: float
    pixels: np.ndarray


class FrameReader:
    """name: what the output is called, as in `--output memory=NAME`."""

    def __init__(self, name: str = "latent-jockey"):
        self.name, self.number = name, 0
        self._memory = None

    def read(self, timeout: float = 0.0) -> Read | None:
        """Return the newest picture, or None where none newer than the last one came within `timeout` seconds."""
        waiting = threading.Event()
        for _ in range(int(timeout / POLL) + 1):
            if (frame := self._read_newest()) is not None:
                return frame
            if timeout:
                waiting.wait(POLL)
        return None

    def close(self):
        """Let go of the memory."""
        if self._memory is not None:
            del self._numbers, self._times, self._slots  # the memory can't be closed while they look at it
            self._memory.close()
            self._memory = None

    def _read_newest(self):
        if self._memory is not None and self._numbers[ENDED]:
            self.close()
        if self._memory is None and not self._open():
            return None
        while (number := int(self._numbers[PUBLISHED])) != self.number and number:
            pixels, time = self._slots[number % SLOTS].copy(), float(self._times[number % SLOTS])
            if int(self._numbers[PUBLISHED]) < number + SLOTS - 1:        # else that slot may be being written anew
                self.number = number
                return Read(number, time, pixels)
        return None

    def _open(self):
        try:
            memory, data = open_memory(self.name)
        except (OSError, ValueError):                    # there is none yet; it is being made
            return False
        magic, schema, height, width, slots = SHAPE.unpack_from(data, 0)
        if (magic, schema, slots) != (MAGIC, SCHEMA, SLOTS):
            del data
            memory.close()
            return False
        self._memory, self.number = memory, 0
        self._numbers = np.ndarray(HEADER // 8, np.uint64, data)
        self._times = np.ndarray(SLOTS, np.float64, data, TIMES * 8)
        self._slots = np.ndarray((SLOTS, height, width, 3), np.uint8, data, HEADER)
        return True


def open_memory(name: str):
    """Return shared memory that is there, as (what to close, its bytes). OSError, ValueError: there is none.

    Python's own SharedMemory would remove it when this program ends, on all systems but Windows; it isn't ours.
    """
    if sys.platform == "win32":
        memory = SharedMemory(name)
        return memory, memory.buf
    import _posixshmem

    file = _posixshmem.shm_open(f"/{name}", os.O_RDONLY, mode=0o600)
    try:
        pages = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(file)
    return pages, pages
