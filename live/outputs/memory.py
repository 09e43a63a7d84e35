"""Pictures in shared memory under a name, for tools of your own: frame_reader.py reads them, docs/outputs.md has every byte."""
import os
import re
import sys
from multiprocessing.shared_memory import SharedMemory
from typing import cast

import numpy as np

from engine.errors import UserError
from live.outputs import output
from live.outputs.frame_reader import ENDED, HEADER, MAGIC, PUBLISHED, SCHEMA, SHAPE, SLOTS, TIMES, WRITER
from live.show.clock import wall_time

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,28}")   # macOS has room for no more


@output
class Memory:
    """called: the name that readers ask for. It goes when the output is closed, and stays through a crash of its process."""
    apart, called = True, "latent-jockey"

    def __init__(self, called=called):
        self.name = called
        self._memory: SharedMemory | None = None

    @staticmethod
    def check(spec):
        """Raise UserError where the name can't be one of shared memory on every system."""
        name = spec.find_sender_name(Memory.called)
        if not NAME.fullmatch(name):
            raise UserError(f"output {spec.name}: memory={name!r}: expected up to 29 letters, digits, '-', '_' and '.'")

    def send(self, frame):
        """Write a picture into the next slot, then its number."""
        height, width = frame.pixels.shape[:2]
        if self._memory is None:
            self._open(height, width)
        number = int(self._numbers[PUBLISHED]) + 1
        self._slots[number % SLOTS] = frame.pixels
        self._times[number % SLOTS] = wall_time()
        self._numbers[PUBLISHED] = number

    def close(self):
        """Tell the readers that there will be no more, and give the memory back."""
        if self._memory is None:
            return
        self._numbers[ENDED] = 1
        memory = self._release()
        memory.unlink()

    def _open(self, height, width):
        """Make the memory; what a process of ours that was killed has left is written on in, so that its readers go on."""
        size = HEADER + SLOTS * height * width * 3
        try:
            memory = SharedMemory(self.name, create=True, size=size)
        except FileExistsError:
            memory = SharedMemory(self.name)
            self._map(memory, *self._refuse(memory))
            if self._slots.shape[1:3] == (height, width):
                self._numbers[WRITER] = os.getpid()
                return
            self._numbers[ENDED] = 1
            self._release().unlink()
            memory = SharedMemory(self.name, create=True, size=size)
        self._map(memory, height, width)
        self._numbers[WRITER] = os.getpid()
        SHAPE.pack_into(cast(memoryview, memory.buf), 0, MAGIC, SCHEMA, height, width, SLOTS)

    def _refuse(self, memory):
        """Return the (height, width) of memory that is there. UserError: another program has it."""
        magic, schema, height, width, slots = SHAPE.unpack_from(memory.buf, 0)
        writer = int(np.ndarray(1, np.uint64, memory.buf, WRITER * 8)[0])
        begun = (magic, schema, slots) == (bytes(4), 0, 0)           # and killed before it had written a size
        if not (begun or (magic, schema, slots) == (MAGIC, SCHEMA, SLOTS)) or _is_running(writer):
            memory.close()
            raise UserError(f"output memory={self.name}: another program writes under that name; choose one: memory=NAME")
        return height, width

    def _map(self, memory, height, width):
        self._memory = memory
        self._numbers = np.ndarray(HEADER // 8, np.uint64, memory.buf)
        self._times = np.ndarray(SLOTS, np.float64, memory.buf, TIMES * 8)
        self._slots = np.ndarray((SLOTS, height, width, 3), np.uint8, memory.buf, HEADER)

    def _release(self):
        """Return the memory, which nothing of ours looks at any more; it is closed."""
        memory, self._memory = cast(SharedMemory, self._memory), None
        del self._numbers, self._times, self._slots
        memory.close()
        return memory


def _is_running(process: int) -> bool:
    """Return whether a process is there. On Windows no: its memory goes with it, so what is left has a reader only."""
    if sys.platform == "win32" or process in (0, os.getpid()):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
