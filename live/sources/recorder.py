"""Keeps the pictures that a show sees of its source, small and without loss, so that a take can be played again with them.

A thread writes; the show never waits for it. Picture n of the file has number n.
"""
import logging
import queue
from pathlib import Path

from engine.errors import UserError
from live.outputs.recorder import Coding, VideoFile
from live.show.threads import end_thread, make_thread
from live.sources.frames import list_errors

log = logging.getLogger(__name__)

APART = 33                          # milliseconds from one picture to the next in the file
NOMINAL = 1000 / APART
CLOSING = 10.0                      # seconds the file may take to be finished


class SourceRecorder:
    """path: a .mkv file that is not there yet."""

    def __init__(self, path):
        self.path, self.count, self.failed = Path(path), 0, None
        if self.path.suffix != ".mkv":
            raise UserError(f"--record-source {path}: expected a name ending in .mkv")
        if self.path.exists():
            raise UserError(f"{path}: there is a file of that name already; choose another")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)         # as for takes
        except OSError as error:
            raise UserError(f"--record-source {path}: can't be written: {error.strerror}") from None
        self._pictures: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = make_thread("source recorder", self._work)
        self._thread.start()

    def keep(self, pixels) -> int:
        """Keep a picture; returns its number in the file. Never waits."""
        number, self.count = self.count, self.count + 1
        if self.failed is None:
            self._pictures.put(pixels)
        return number

    def close(self):
        """Write what waits, and finish the file."""
        self._pictures.put(None)
        end_thread(self._thread, CLOSING)

    def _work(self):
        video, written = None, 0
        try:
            while (pixels := self._pictures.get()) is not None:
                if video is None:
                    video = VideoFile(self.path, pixels.shape[0], pixels.shape[1], Coding(lossless=True), NOMINAL)
                    shape = pixels.shape
                if pixels.shape != shape:
                    log.warning("source: its pictures have another size now; %s keeps them at the first one", self.path)
                    shape = pixels.shape
                video.write(pixels, written * APART)
                written += 1
            if video is not None:
                video.close()
        except list_errors() as error:
            self.failed = str(error) or type(error).__name__
            log.error("%s: recording the source stopped after %d pictures: %s", self.path, written, self.failed)
