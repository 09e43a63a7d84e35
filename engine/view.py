"""What is shown of a continued picture: cut to the shape that was asked for, and turned to where a panorama has got to.

Pictures are uint8 [H, W, 3] on the CPU. Knows no network.
"""
import torch

from engine.frame import FrameShape

SHARES = 128                        # a view between two pixels is a mix of both, in so many steps


class View:
    """What of the pictures of one shape and size is shown. whole: one of them, to be drawn into."""

    def __init__(self, shape: FrameShape, size: int):
        self.axis = 1 if shape.axis == -1 else 0
        self.whole = torch.zeros(*shape.drawn(size), 3, dtype=torch.uint8)
        self.count = shape.pixels(size)[self.axis]

    def show(self, pixels, turned: float = 0.0):
        """Fill `pixels` with the middle of the whole picture, or what has come there once it has turned so far; 1 = once around."""
        length = self.whole.shape[self.axis]
        start = (length - self.count) // 2 + turned * length
        first = int(start // 1)
        share = int((start - first) * SHARES)
        if not share:
            pixels.copy_(self._part(first, self.count))
            return
        part = self._part(first, self.count + 1).to(torch.int16)
        before, after = part.narrow(self.axis, 0, self.count), part.narrow(self.axis, 1, self.count)
        pixels.copy_(((after - before) * share + SHARES // 2 >> 7) + before)

    def _part(self, first, count):
        """Return `count` places from one on, going round at the end."""
        length = self.whole.shape[self.axis]
        first %= length
        if first + count <= length:
            return self.whole.narrow(self.axis, first, count)
        rest = first + count - length
        return torch.cat([self.whole.narrow(self.axis, first, length - first), self.whole.narrow(self.axis, 0, rest)], self.axis)
