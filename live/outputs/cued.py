"""The cued look as a picture: drawn small by the studio, a process beside the show, a few times a second while an output shows it."""
import base64
import binascii
import io
import logging

import numpy as np

from live.show.clock import now
from live.surface.worker import Worker

LIBRARIES = ("PIL",)
log = logging.getLogger(__name__)

GAP = 0.2                           # seconds between pictures


class CuedLook:
    """checkpoint: what the studio opens. picture(name) -> the newest picture of a preset."""

    def __init__(self, checkpoint: str):
        self.worker = Worker(checkpoint, self._take_drawn)
        self._name: str | None = None
        self._pixels: np.ndarray | None = None
        self._asked = -GAP
        self._waits = False

    def take_picture(self, name: str | None) -> np.ndarray | None:
        """Return the newest picture of the preset that is cued, uint8 [H, W, 3], and have the next one drawn; None: there is none yet."""
        moment = now()
        if name != self._name:
            self._name, self._pixels, self._asked = name, None, moment - GAP
        if name is not None and not self._waits and moment - self._asked >= GAP:
            gone, self._waits, self._asked = moment - self._asked, True, moment
            self.worker.add({"kind": "moving", "name": name, "seconds": round(gone, 3)})
        return self._pixels

    def close(self):
        """End of the show."""
        self.worker.close()

    def _take_drawn(self, job, answer):
        """Take a picture from the studio, in its thread."""
        from PIL import Image

        self._waits = False
        if not answer.get("ok"):
            log.info("the cued look %s is not drawn: %s", job["name"], answer.get("text", ""))
        elif job["name"] == self._name:
            try:
                self._pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["jpeg"]))).convert("RGB"))
            except (KeyError, OSError, binascii.Error):
                log.info("the cued look %s came damaged", job["name"])
