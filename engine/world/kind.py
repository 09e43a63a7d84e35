"""What a drawn world is: named factors, a palette, a painter, and what training has to know of its parts.

Every picture is a pure function of z: no clock, no random state, the same at every size and through every window, so that
training at 1024 px can look at crops. Letters: N batch, F factors, S size, H, W pixels.
"""
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from engine.world import latent
from engine.world.shapes import Canvas, grid


@dataclass(frozen=True)
class World:
    """A world that draws itself.

    factors: {name: (low, high)}, one coordinate of z each, in that order. parts: names, of which each pixel belongs to one on top.
    palette(values) -> {colour: [N, 3, 1, 1] in 0..1}. paint(canvas, values, colours, x, y) draws back to front.
    weights: {part: how much its pixels count in training, in shares of the background's}. groups: {name: parts}; each group owns an equal run
    of channels in the grouped layers, whose mean must tell where the group is. regions: {name: parts}, what clusters of channels may be called by.
    places: {name: parts}, where bends may act.
    """
    name: str
    about: str
    factors: Mapping[str, tuple[float, float]]
    parts: tuple[str, ...]
    palette: Callable
    paint: Callable
    weights: Mapping[str, float]
    groups: Mapping[str, tuple[str, ...]]
    regions: Mapping[str, tuple[str, ...]]
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.factors)

    def uniform(self, z):
        """Return u [N, F] in 0..1 for z [N, 64], one column per factor."""
        return latent.uniform(z, len(self.factors))

    def values(self, u):
        """Return {name: [N, 1, 1]} for u [N, F] in the factors' own units, ready to meet a grid of pixels."""
        return {name: (low + (high - low) * u[:, i])[:, None, None] for i, (name, (low, high)) in enumerate(self.factors.items())}

    def view(self, u, left, top, pitch, height, width) -> Canvas:
        """Return the canvas of factors u [N, F] seen through a window: left, top [N] its corner (the picture spans -1..1), pitch a pixel's size."""
        values = self.values(u)
        x, y = grid(left, top, pitch, height, width)
        canvas = Canvas(pitch)
        self.paint(canvas, values, self.palette(values), x, y)
        return canvas

    def whole(self, z, size) -> Canvas:
        """Return the canvas of the whole pictures of z [N, 64], size x size pixels."""
        corner = torch.full((len(z),), -1.0, device=z.device)
        return self.view(self.uniform(z), corner, corner, 2 / size, size, size)

    def draw(self, z, size):
        """Return the pictures [N, 3, size, size] of z [N, 64], in -1..1."""
        return self.whole(z, size).picture * 2 - 1

    def mark_parts(self, z, size):
        """Return {name: [N, size, size] in 0..1} for z [N, 64]: the share of each pixel where that part is on top. All names sum to 1."""
        return self.whole(z, size).visible()
