"""The way to black: finished pictures shown darker. Knows pixels only, so that what is held or shown again fades as well."""
import numpy as np
import torch

RING = 4                            # dimmed pictures alive at once, as engine.instrument keeps them


class Dimmer:
    """Shows pictures of one shape, uint8 [H, W, 3], darker. What it hands out is valid until three others later."""

    def __init__(self, shape):
        self.shape, self._black = shape, np.zeros(shape, np.uint8)
        self._ring: list[np.ndarray] = []
        self._wide, self._turn = torch.empty(0, dtype=torch.int16), 0
        self._last: tuple | None = None                 # (which picture, its share of light, what came out)

    def dim(self, pixels, dark: float, which=None) -> np.ndarray:
        """Return the pixels with 1 - dark of their light: themselves at 0, black at 1. `which` tells one picture from
        another, so that one that stays is dimmed once; None = it is always another.
        """
        light = round((1.0 - dark) * 256)
        if light >= 256:
            return pixels
        if light <= 0:
            return self._black
        if which is not None and self._last is not None and self._last[:2] == (which, light):
            return self._last[2]
        shown = self._fill(pixels, light)
        self._last = (which, light, shown)
        return shown

    def _fill(self, pixels, light):
        """Fill the next picture of the ring. 16-bit numbers wrap above 127 * 256, which the upper byte does not show."""
        if not self._ring:
            self._ring = [np.empty(self.shape, np.uint8) for _ in range(RING)]
            self._wide = torch.empty(self.shape, dtype=torch.int16)
        self._turn = (self._turn + 1) % RING
        out = self._ring[self._turn]
        self._wide.copy_(torch.from_numpy(pixels)).mul_(light).bitwise_right_shift_(8)
        torch.from_numpy(out).copy_(self._wide)
        return out
