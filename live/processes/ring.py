"""Frames in memory that several processes share: one writes, many read the newest, and none can hold up another.

A segment is a header and four slots of pixels. The writer copies a picture into slot `number % 4`, publishes its number
and then tells each reader by a message of 16 bytes, unless eight of them still wait there: a reader that stands still
costs nothing. A reader copies the newest picture and checks afterwards that the writer has not come round to that slot
meanwhile. No lock is shared with a process that may be killed, and the number travels in the message, so that no memory
barrier is needed. Several pictures of one size may lie in a slot, one below the other; the header says which of them each
reader shows. Knows no outputs and no windows. Source: SURFACE.md O.1.
"""
import os
import struct
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from live.outputs.frame_reader import HEADER, MAGIC, PUBLISHED, SCHEMA, SHAPE, SLOTS

READERS = 32                        # readers a segment has room for
WAITING = 8                         # messages that may wait at a reader
SENT, TAKEN = 16, 16 + READERS                           # places in the header, in whole numbers of 8 bytes
ROWS = 16 + 2 * READERS                                  # of each reader: the first row of its picture, and how many; 0 = all
MESSAGE = struct.Struct("<Qd")                           # number, time


def _send(pipe: Connection, message: bytes):
    """Write a message. So short a one is written whole or not at all."""
    if os.name == "posix":                               # without the frames of multiprocessing: half the time
        os.write(pipe.fileno(), message)
    else:
        pipe.send_bytes(message)


def _receive(pipe: Connection) -> list[bytes]:
    """Return the messages that wait, at least one. EOFError: the writer's end is gone."""
    if os.name != "posix":
        found = [pipe.recv_bytes()]
        while pipe.poll(0):
            found.append(pipe.recv_bytes())
        return found
    data = os.read(pipe.fileno(), 64 * MESSAGE.size)
    if not data:
        raise EOFError
    return [data[at:at + MESSAGE.size] for at in range(0, len(data), MESSAGE.size)]


def create_segment(height: int, width: int) -> SharedMemory:
    """Return a new segment for pictures of height x width. Whoever creates it keeps it and unlinks it at the end."""
    memory = SharedMemory(create=True, size=HEADER + SLOTS * height * width * 3)
    SHAPE.pack_into(_open_bytes(memory), 0, MAGIC, SCHEMA, height, width, SLOTS)
    return memory


def _open_bytes(memory) -> memoryview:
    """Return the bytes of a segment that is open."""
    if memory.buf is None:
        raise OSError(f"{memory.name}: closed")
    return memory.buf


class Segment:
    """The numbers and pixels of a segment, seen from one process."""

    def __init__(self, name: str):
        self.memory = SharedMemory(name=name)
        magic, schema, self.height, self.width, slots = SHAPE.unpack_from(_open_bytes(self.memory), 0)
        if (magic, schema, slots) != (MAGIC, SCHEMA, SLOTS):
            self.memory.close()
            raise OSError(f"{name}: no frames of this version")
        self.numbers = np.ndarray(HEADER // 8, np.uint64, self.memory.buf)
        self.slots = np.ndarray((SLOTS, self.height, self.width, 3), np.uint8, self.memory.buf, HEADER)

    @property
    def published(self) -> int:
        """The number of the newest picture; 0 before the first."""
        return int(self.numbers[PUBLISHED])

    def list_rows(self, reader: int) -> slice:
        """Return the rows that a reader's picture lies in."""
        first, count = (int(n) for n in self.numbers[ROWS + 2 * reader:ROWS + 2 * reader + 2])
        return slice(first, first + count) if count and first + count <= self.height else slice(0, self.height)

    def set_rows(self, reader: int, first: int, count: int):
        """Have a reader take these rows."""
        self.numbers[ROWS + 2 * reader:ROWS + 2 * reader + 2] = first, count

    def mark_taken(self, reader: int):
        """Count the messages of a reader as taken: for one that died with some of them. Only while it doesn't run."""
        self.numbers[TAKEN + reader] = self.numbers[SENT + reader]

    def close(self):
        """Let go of the memory; the segment stays for the others."""
        del self.numbers, self.slots                     # the memory can't be closed while they look at it
        self.memory.close()


class Writer:
    """Puts pictures into a segment. pipes: {reader: the end of its pipe that is written to}."""

    def __init__(self, name: str, pipes: dict[int, Connection]):
        self.segment, self.pipes = Segment(name), dict(pipes)
        self._number = self.segment.published            # nobody else writes this and SENT: kept here, where they are read sooner
        self._sent = {reader: int(self.segment.numbers[SENT + reader]) for reader in pipes}
        self._rows: dict[int, tuple[int, int]] = {}      # of each reader, as they are in the header

    def put(self, pixels: np.ndarray, time: float, others: tuple = (), places: dict | None = None):
        """Publish a picture, uint8 [H, W, 3], and tell the readers.

        others: more of its size, below it, for which the segment has room. places: {reader: which of all it shows}; those
        that are not named show the first.
        """
        segment, height = self.segment, len(pixels)
        self._number = number = self._number + 1
        slot = segment.slots[number % SLOTS]
        for place, picture in enumerate((pixels, *others)):
            slot[place * height:(place + 1) * height] = picture
        segment.numbers[PUBLISHED] = number
        for reader in self.pipes:                        # after it: with the rows of before, the new picture is whole as well
            rows = height * (places or {}).get(reader, 0), height
            if self._rows.get(reader) != rows:
                self._rows[reader] = rows
                segment.set_rows(reader, *rows)
        message = MESSAGE.pack(number, time)
        for reader, pipe in list(self.pipes.items()):
            # A writer that was killed between these lines has sent one more than it counted: the difference may be below 0.
            if self._sent[reader] - int(segment.numbers[TAKEN + reader]) < WAITING:
                try:
                    _send(pipe, message)
                except OSError:                          # nobody has its other end any more
                    del self.pipes[reader]
                    continue
                self._sent[reader] += 1
                segment.numbers[SENT + reader] = self._sent[reader]

    def close(self):
        """Let go of the segment."""
        self.segment.close()


@dataclass(frozen=True)
class Taken:
    """A picture that was read: pixels uint8 [H, W, 3] are the reader's own until it reads again."""
    number: int
    time: float
    pixels: np.ndarray


class Reader:
    """Takes the newest picture of a segment. pipe: where the writer tells this reader of new ones."""

    def __init__(self, name: str, reader: int, pipe: Connection):
        self.segment, self.reader, self.pipe = Segment(name), reader, pipe
        self.number, self.time = 0, 0.0
        self._copies = [np.empty((0, self.segment.width, 3), np.uint8) for _ in range(2)]

    def take(self, timeout: float | None = 0.0) -> Taken | None:
        """Return the newest picture, None where none is new. timeout: seconds to wait for one, None for ever.

        The first call returns what is published already, without waiting for a message. EOFError: the writer's end is gone.
        """
        if self.number == 0 and self.segment.published:
            timeout = 0.0
        if self.pipe.poll(timeout):
            self._drain()
        if self.segment.published <= self.number:
            return None
        return self._copy()

    def _drain(self):
        messages = _receive(self.pipe)
        self.segment.numbers[TAKEN + self.reader] += np.uint64(len(messages))
        _, self.time = MESSAGE.unpack(messages[-1])

    def _copy(self) -> Taken:
        rows = self.segment.list_rows(self.reader)
        if len(self._copies[0]) != rows.stop - rows.start:
            self._copies = [np.empty((rows.stop - rows.start, self.segment.width, 3), np.uint8) for _ in range(2)]
        into = self._copies[0]
        while True:
            number = self.segment.published
            np.copyto(into, self.segment.slots[number % SLOTS][rows])
            if self.segment.published < number + SLOTS - 1:      # else that slot may be being written anew
                break
        self._copies.reverse()
        self.number = number
        return Taken(number, self.time, into)

    def close(self):
        """Let go of the segment."""
        self.segment.close()
