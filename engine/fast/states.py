"""What bends keep from frame to frame, in buffers that stay where they are: a captured program reads and writes those. Knows bends."""
from dataclasses import dataclass

import torch

from engine.bending.layer import BendState
from engine.bends import TRANSFORMS

MOST = 64                           # bends whose buffers are kept


class Fixed:
    """A bend's state (engine.bending.BendState) over buffers. begins: there is nothing from a frame before yet."""

    watch, peak = False, 0.0

    def __init__(self, buffer, other=None, begins=False):
        self.buffer, self.other, self.begins = buffer, other, begins

    @property
    def previous(self):
        """What the bend gave in the frame before, [1, K, H, W]; setting it writes into the buffer."""
        return None if self.begins else self.buffer

    @previous.setter
    def previous(self, wet):
        self.buffer.copy_(wet)


@dataclass
class _Slot:
    """One bend's buffers. memory, other: the state and the tensor that they were filled from."""
    buffer: torch.Tensor
    scratch: torch.Tensor
    other_buffer: torch.Tensor | None = None
    memory: BendState | None = None
    other: torch.Tensor | None = None


class States:
    """The buffers of one renderer's bends."""

    def __init__(self):
        self._slots: dict = {}

    def place(self, bend, like):
        """Return (states to capture a bend with, those to warm up with, those to draw this frame with if it has to be drawn uncaptured, else None).

        like: a tensor of the layer's maps, [1, C, H, W]. Fills buffers with what the bend's own state holds, where that is another one.
        """
        key = bend.name, bend.layer, bend.channels, bend.transform
        if key not in self._slots:
            shape = (1, like.shape[1] if bend.channels is None else len(bend.channels), *like.shape[2:])
            self._slots[key] = _Slot(torch.zeros(shape, dtype=like.dtype, device=like.device), torch.zeros(shape, dtype=like.dtype, device=like.device))
        slot, begins = self._slots[key], False
        if slot.memory is not bend.memory:
            before, slot.memory = bend.memory.previous, bend.memory
            begins = before is None or before.shape != slot.buffer.shape
            if not begins and before is not slot.buffer:
                slot.buffer.copy_(before)
            bend.memory.previous = slot.buffer                      # a renderer of another size goes on from there
        fits = self._take_other(slot, bend.memory.other)
        other = slot.other_buffer if fits else None
        wanted = begins and "previous" in TRANSFORMS[bend.transform].wants
        return Fixed(slot.buffer, other), Fixed(slot.scratch, other), Fixed(slot.buffer, other, True) if wanted else None

    def _take_other(self, slot, other) -> bool:
        """Fill the buffer of another seed's activations if they are others; return whether there are any."""
        if other is None or other.shape[2:] != slot.buffer.shape[2:]:
            return False
        if slot.other_buffer is None:
            slot.other_buffer = torch.zeros_like(other)
        if other is not slot.other:
            slot.other_buffer.copy_(other)
            slot.other = other
        return True

    @property
    def full(self) -> bool:
        """Return whether there are more buffers than a show needs at once."""
        return len(self._slots) > MOST

    def clear(self):
        """Drop all buffers: nothing captured may read them any more."""
        self._slots.clear()
