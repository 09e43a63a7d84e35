"""What one output shows of the pictures it is given: framed, held still, masked, or a test card instead. Knows no windows."""
import logging
from dataclasses import replace

import numpy as np

from engine.errors import UserError
from live.outputs.cards import draw_card
from live.outputs.framing import Framer, Framing, load_mask

log = logging.getLogger(__name__)
PLAIN = Framing()


class Canvas:
    """Draws an output's pictures. name: of the output, on its test cards. mask: a PNG that darkens the edges, or "".

    fitted: whether what it is drawn for brings a plain picture to its own size by itself, as windows do.
    """

    def __init__(self, name: str, mask: str = "", fitted: bool = False):
        self.name, self.mask, self.fitted = name, mask, fitted
        self._framer: Framer | None = None
        self._held: np.ndarray | None = None
        self._edge: np.ndarray | None = None             # the mask, for panes that lay pictures by themselves
        self._said = ""

    def draw(self, pixels: np.ndarray, framing: Framing, size: tuple[int, int]) -> np.ndarray:
        """Return the picture as this output shows it, uint8 [height, width, 3], valid until the next call. Where nothing changes it, that is the picture
        itself.
        """
        pixels = self._keep(pixels) if framing.freeze else self._release(pixels)
        if replace(framing, freeze=0.0) == PLAIN and not self.mask and (self.fitted or size == pixels.shape[1::-1]):
            return pixels
        if self._framer is None or self._framer.display != size:
            self._framer = Framer(size, self._load_mask(size))
        try:
            return self._framer.draw(draw_card(framing.test, size, pixels, self.name), framing)
        except UserError as error:                       # corners that enclose nothing, while they are dragged
            self._warn(f"{self.name}: {error}")
            return self._framer.draw(pixels, PLAIN)

    def draw_on(self, pane, pixels: np.ndarray, framing: Framing):
        """Show the picture on a pane that places pictures itself: see ShaderPane.show."""
        pixels = self._keep(pixels) if framing.freeze else self._release(pixels)
        if self.mask and (self._edge is None or self._edge.shape[::-1] != pane.size):
            self._edge = self._load_mask(pane.size)
        try:
            pane.show(draw_card(framing.test, pane.size, pixels, self.name), framing, self._edge)
        except UserError as error:
            self._warn(f"{self.name}: {error}")
            pane.show(pixels, PLAIN, self._edge)

    def _load_mask(self, size):
        try:
            return load_mask(self.mask, size)
        except UserError as error:                       # it went after the show began: better too bright than dark
            self._warn(f"{self.name}: {error}; shown without it")
            return None

    def _keep(self, pixels):
        if self._held is None:
            self._held = pixels.copy()
        return self._held

    def _release(self, pixels):
        self._held = None
        return pixels

    def _warn(self, text):
        if text != self._said:
            self._said = text
            log.warning("%s", text)
