"""What is shown of a continued picture: cut to the shape that was asked for, and turned to where a panorama has got to.

Pictures are uint8 [H, W, 3] on the CPU. Knows no network.
"""
from dataclasses import dataclass

import numpy as np
import torch

from engine.frame import FrameShape

SHARES = 128                        # a view between two pixels is a mix of both, in so many steps


@dataclass(frozen=True)
class Frame:
    """pixels: uint8 [H, W, 3] RGB, valid until three frames later. number: counts pictures rendered, repeats included."""
    pixels: np.ndarray
    number: int


class View:
    """What of the pictures of one shape and size is shown. whole: one of them, to be drawn into."""

    def __init__(self, shape: FrameShape, size: int):
        self.axis = 1 if shape.axis == -1 else 0
        self.whole = torch.zeros(*shape.find_drawn(size), 3, dtype=torch.uint8)
        self.turned = 0.0                           # how far its own picture had, when it was shown last
        self.count = shape.pixels(size)[self.axis]

    def show(self, pixels, turned: float = 0.0, whole=None):
        """Fill `pixels` with the middle of a whole picture, or what has come there once it has turned so far; 1 = once around.

        whole: None = the view's own.
        """
        if whole is None:
            whole, self.turned = self.whole, turned
        length = whole.shape[self.axis]
        start = (length - self.count) // 2 + turned * length
        first = int(start // 1)
        share = int((start - first) * SHARES)
        if not share:
            pixels.copy_(self._part(whole, first, self.count))
            return
        part = self._part(whole, first, self.count + 1).to(torch.int16)
        before, after = part.narrow(self.axis, 0, self.count), part.narrow(self.axis, 1, self.count)
        pixels.copy_(((after - before) * share + SHARES // 2 >> 7) + before)

    def _part(self, whole, first, count):
        """Return `count` places of a picture from one on, going round at the end."""
        length = whole.shape[self.axis]
        first %= length
        if first + count <= length:
            return whole.narrow(self.axis, first, count)
        rest = first + count - length
        return torch.cat([whole.narrow(self.axis, first, length - first), whole.narrow(self.axis, 0, rest)], self.axis)
