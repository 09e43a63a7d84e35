"""What the convolutions of a continued network meet at its edges, and at the seams between what lies side by side. Knows tensors.

A network learned its figure with nothing around it: zeros beyond the border of every layer. So the middle of a wider
picture stays what it was if the coarse layers go on seeing nothing beyond its seams, and only the finer ones see what is there.
Letters: N samples, I, O channels, H, W' size of a map.
"""
from dataclasses import dataclass

import torch

from engine.caching import make_once

KEPT = 16                           # px: the finest layers that see nothing beyond a seam
SOFT = 1.5                          # px of those, in which one side of a seam passes over into the other


@dataclass(frozen=True)
class Around:
    """axis: the one continued, -1 or -2. cells: how long the network's constant is along it. seams: after how many of them.

    goes_round: one end continues at the other; a seam at 0 lies between them.
    """
    axis: int
    cells: int
    goes_round: bool
    seams: tuple[int, ...] = ()

    def draw(self, r: int, up: bool, x, noise, activate):
        """Return the activations [N, O, H, W'] of a layer of block r.

        activate(x, noise) -> the layer's activations of any part of its input x; noise: None, maps, or (maps, strength).
        """
        scale = 2 if up else 1
        apart = self._apart(x, noise, scale, activate) if self.seams and r <= KEPT else None
        if apart is not None and r < KEPT:
            return apart
        y = self._join(x, noise, scale, activate)
        return y if apart is None else torch.lerp(y, apart, self._share(y))

    def up_sample(self, picture, upsample):
        """Return a picture [N, 3, H, W'] at twice its size by upsample(picture); where it goes round, so do its neighbours."""
        return self._cut(upsample(self._wrap(picture, 1)), 2) if self.goes_round else upsample(picture)

    def _join(self, x, noise, scale, activate):
        """Return the activations with seams that everything is seen across."""
        if not self.goes_round:
            return activate(x, noise)
        return self._cut(activate(self._wrap(x, 1), _each(noise, lambda maps: self._wrap(maps, scale))), scale)

    def _apart(self, x, noise, scale, activate):
        """Return the activations with nothing to be seen across a seam: there are zeros, which are cut out of what comes of them."""
        ring = self.goes_round and 0 not in self.seams
        places = [seam * x.shape[self.axis] // self.cells + ring for seam in self.seams if seam]
        if ring:
            x, noise = self._wrap(x, 1), _each(noise, lambda maps: self._wrap(maps, scale))
        y = activate(self._insert_gaps(x, places, 1), _each(noise, lambda maps: self._insert_gaps(maps, places, scale)))
        ends = [0, *places, x.shape[self.axis]]
        parts = [y.narrow(self.axis, (start + gaps) * scale, (end - start) * scale) for gaps, (start, end) in enumerate(zip(ends, ends[1:]))]
        y = torch.cat(parts, self.axis)
        return self._cut(y, scale) if ring else y

    def _insert_gaps(self, x, places, scale):
        """Return x with `scale` zeros at each of the places, which are counted in as many."""
        ends = [0, *(place * scale for place in places), x.shape[self.axis]]
        parts = [x.narrow(self.axis, start, end - start) for start, end in zip(ends, ends[1:])]
        gap = torch.zeros_like(x.narrow(self.axis, 0, scale))
        return torch.cat([piece for part in parts for piece in (part, gap)][:-1], self.axis)

    def _wrap(self, x, count):
        """Return x with `count` more places at either end, from the other one."""
        size = x.shape[self.axis]
        return torch.cat([x.narrow(self.axis, size - count, count), x, x.narrow(self.axis, 0, count)], self.axis)

    def _cut(self, x, count):
        x = x.narrow(self.axis, count, x.shape[self.axis] - 2 * count)
        return x.contiguous(memory_format=torch.channels_last)

    def _share(self, like):
        """Return how much of each place comes from its own copy, 0 to 1."""
        share = _soft(like.shape[self.axis], self.cells, self.seams, like.device, like.dtype)
        return share if self.axis == -1 else share[:, None]


def _each(noise, change):
    """Return noise with its maps changed: None, maps, or (maps, strength)."""
    if noise is None:
        return None
    return (change(noise[0]), noise[1]) if isinstance(noise, tuple) else change(noise)


@make_once(64)
def _soft(length, cells, seams, device, dtype):
    """Return [length]: 0 at the seams, 1 from SOFT px on, smooth in between."""
    at = torch.arange(length, dtype=torch.float32) + 0.5
    places = [seam * length / cells for seam in seams] + [float(length)] * (0 in seams)
    away = torch.stack([(at - place).abs() for place in places]).amin(0)
    share = (away / SOFT).clamp(0, 1)
    return (share * share * (3 - 2 * share)).to(device, dtype)
