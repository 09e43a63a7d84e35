"""The memory that the frames of a show in processes lie in, and the pipes that tell of them: the supervisor's hands."""
import os
from multiprocessing.shared_memory import SharedMemory

from live.processes import ring
from live.show.child import SPAWN

MESSAGES = 1 << 16                  # bytes; more than wait in a pipe of frames


class Frames:
    """The shared memory of one picture, and a pipe for each of its readers."""

    def __init__(self, readers: int):
        self.memory: SharedMemory | None = None
        self.segment: ring.Segment | None = None
        self.pipes = [SPAWN.Pipe(duplex=False) for _ in range(readers)]

    @property
    def name(self) -> str:
        """Name of the segment, "" before the renderer has told its size."""
        return self.memory.name if self.memory else ""

    def resize(self, height: int, width: int) -> bool:
        """Make the memory of this size; returns whether it is another segment than before."""
        if self.segment and (self.segment.height, self.segment.width) == (height, width):
            return False
        self.close()
        self.memory = ring.create_segment(height, width)
        self.segment = ring.Segment(self.memory.name)
        return True

    def list_sending(self) -> dict:
        """Return {reader: the end of its pipe that is written to}."""
        return {reader: pipe[1] for reader, pipe in enumerate(self.pipes)}

    def drain(self, reader: int):
        """Read what a reader that has ended left unread in its pipe."""
        receiving = self.pipes[reader][0]
        while receiving.poll(0):
            if os.name == "posix":                       # as bytes: a reader that died may have read half of a message
                os.read(receiving.fileno(), MESSAGES)
            else:
                receiving.recv_bytes()
        if self.segment:
            self.segment.mark_taken(reader)

    def close(self):
        """Give the memory back."""
        if self.memory and self.segment:
            self.segment.close()
            self.memory.close()
            self.memory.unlink()
            self.memory = self.segment = None
