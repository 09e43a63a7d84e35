"""What the convolutions of a continued network meet at its edges, and at those of the picture in its middle. Knows tensors.

A network learned its figure with nothing around it: zeros beyond the border of every layer. So the middle of a wider
picture stays what it was if the coarse layers go on seeing nothing beyond it, and only the finer ones see their neighbours.
Letters: N samples, I, O channels, H, W' size of a map.
"""
from dataclasses import dataclass

import torch

from engine.kept import made_once

KEPT = 16                           # px: the finest layers that draw the middle as if it were alone
SOFT = 1.5                          # px of those, in which it passes over into its surroundings


@dataclass(frozen=True)
class Around:
    """axis: the one continued, -1 or -2. own, cells: how long the network's constant is there by itself, and as it is.

    goes_round: one end continues at the other. keeps: the middle is drawn as the network draws it alone.
    """
    axis: int
    own: int
    cells: int
    goes_round: bool
    keeps: bool

    def draw(self, r: int, up: bool, x, noise, activate):
        """Return the activations [N, O, H, W'] of a layer of block r.

        activate(x, noise) -> the layer's activations of any part of its input x; noise: None, maps, or (maps, strength).
        """
        scale = 2 if up else 1
        if self.goes_round:
            y = self._cut(activate(self._wrapped(x, 1), _each(noise, lambda maps: self._wrapped(maps, scale))), scale)
        else:
            y = activate(x, noise)
        if not self.keeps or r > KEPT:
            return y
        length = x.shape[self.axis] * self.own // self.cells
        start = (x.shape[self.axis] - length) // 2
        inside = lambda maps: maps.narrow(self.axis, start * scale, length * scale)
        alone = activate(_dense(x.narrow(self.axis, start, length)), _each(noise, lambda maps: _dense(inside(maps))))
        middle = inside(y)
        middle.copy_(torch.lerp(middle, alone, self._share(length * scale, y)) if r == KEPT else alone)
        return y

    def up_sample(self, picture, upsample):
        """Return a picture [N, 3, H, W'] at twice its size by upsample(picture); where it goes round, so do its neighbours."""
        return self._cut(upsample(self._wrapped(picture, 1)), 2) if self.goes_round else upsample(picture)

    def _wrapped(self, x, count):
        """Return x with `count` more places at either end, from the other one."""
        size = x.shape[self.axis]
        return torch.cat([x.narrow(self.axis, size - count, count), x, x.narrow(self.axis, 0, count)], self.axis)

    def _cut(self, x, count):
        return _dense(x.narrow(self.axis, count, x.shape[self.axis] - 2 * count))

    def _share(self, length, like):
        share = _soft(length, like.device, like.dtype)
        return share if self.axis == -1 else share[:, None]


def _each(noise, change):
    """Return noise with its maps changed: None, maps, or (maps, strength)."""
    if noise is None:
        return None
    return (change(noise[0]), noise[1]) if isinstance(noise, tuple) else change(noise)


def _dense(x):
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x.contiguous()


@made_once(64)
def _soft(length, device, dtype):
    """Return [length]: 0 at both ends, 1 from SOFT px on, smooth in between."""
    at = torch.arange(length, dtype=torch.float32) + 0.5
    share = (torch.minimum(at, length - at) / SOFT).clamp(0, 1)
    return (share * share * (3 - 2 * share)).to(device, dtype)
