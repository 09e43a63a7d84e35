"""An encoder that sees pictures of another shape, for a network that is continued to it. Knows tensors and shapes, no files.

Its convolutions are as wide as what they are given; only the mean of the answers belongs to places, and is continued.
"""
from torch.nn import functional as F

from engine.encoder.network import Encoder, fitted
from engine.frame import FrameShape
from engine.wide import continued, shallow_copy


class WideEncoder:
    """Pictures [N, 3, H, W] -> features [N, O, h, w] of the continued network. size: (height, width) of the pictures looked at.

    They have the shape that is shown; what the network draws beyond it sees their last places again.
    """

    def __init__(self, encoder: Encoder, shape: FrameShape):
        self.encoder, self.layer = encoder, encoder.layer
        own, cells = shape.own.const_size, shape.cells
        self._whole = tuple(side * long // short for side, long, short in zip(encoder.size, cells, own))
        shown = zip(self._whole, shape.pixels(shape.own.resolution), shape.drawn(shape.own.resolution))
        self.size = tuple(whole - 2 * round(whole * (1 - part / drawn) / 2) for whole, part, drawn in shown)
        self._body = shallow_copy(encoder.body)
        if "mean" in self._body._buffers:
            mean = encoder.body._buffers["mean"]
            self._body._buffers["mean"] = continued(mean, shape.axis, mean.shape[shape.axis] * shape.around // own[shape.axis], "edge")

    def __call__(self, pictures):
        down, across = ((whole - side) // 2 for whole, side in zip(self._whole, self.size))
        return self._body(F.pad(fitted(pictures, self.size), (across, across, down, down), mode="replicate"))

    def state_dict(self):
        """Return the numbers of the encoder it was made of: they tell it from others."""
        return self.encoder.state_dict()
