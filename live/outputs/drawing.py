"""What an output that writes to the disk is given: pictures as its settings have them, of one size where they change anything."""
from dataclasses import replace

import numpy as np

from live.outputs.canvas import PLAIN, Canvas
from live.outputs.framing import Framing
from live.outputs.sender import find_sent_size
from live.outputs.spec import OutputSpec


class Drawing:
    """Called with pixels, uint8 [H, W, 3], by the output's own thread. framing: its settings; may be set from any thread.

    Without a size, a mask or any setting turned, pictures pass as they are, to the bit.
    """

    def __init__(self, spec: OutputSpec):
        self.framing, self._wanted, self._mask = spec.framing, spec.size, spec.mask
        self._canvas = Canvas(spec.name, spec.mask)
        self._size: tuple[int, int] | None = None

    def set_framing(self, framing: Framing):
        """Take other settings from the next picture on."""
        self.framing = framing

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Return the picture to write, valid until the next call."""
        if self._size is None:
            self._size = find_sent_size(self._wanted, pixels.shape[1::-1])
        framing = self.framing
        if self._wanted is None and not self._mask and not framing.freeze and replace(framing, freeze=0.0) == PLAIN:
            self._canvas.draw(pixels, framing, pixels.shape[1::-1])          # lets go of what it held
            return pixels
        return self._canvas.draw(pixels, framing, self._size)
