"""What leaves what a network knows is brought back: each cell of feature maps becomes a mean of the nearest cells that the network itself makes.

A cell is what stands at one place of a layer's maps. Cells are compared by themselves and those about them, with the cells within REACH places of a
few pictures of the network's own. Where cells of one of these pictures do about as well as others, they are taken, so that what lies side by
side belongs together. Knows tensors and generators, no cameras.
Letters: K pictures, O channels, h, w' places of a map, P = h * w' of them, S = (2 REACH + 1)^2 steps to the places about one.
"""
from functools import cached_property

import torch
from torch.nn import functional as F

from engine.caching import make_once

COUNT, LARGEST = 24, 4_000_000      # pictures, and the most numbers that their maps have together
SEED = 5
REACH = 3                           # places between a cell and those it may become, at most, across and along
ABOUT = 1                           # places about a cell that are compared as well, likewise
NEAREST = 3                         # cells that are mixed, each from another step
SHARP = 12.0                        # how much more a nearer one has of that
MOST_GAIN = 4.0                     # of a map that hardly strays: what is in it is noise
FAR = 1e9


class Cells:
    """Maps [K, O, h, w'] of a network's own pictures, to bring others back to."""

    def __init__(self, maps):
        self.maps = maps.float()

    @cached_property
    def spread(self):
        """Return how far each channel strays, [O, 1]."""
        return self.maps.std((0, 2, 3)).clamp(min=1e-6)[:, None]

    @cached_property
    def bank(self):
        """Return the cells [P, K, O], in units of the spread."""
        return (self.maps.flatten(2) / self.spread).permute(2, 0, 1).contiguous()

    @cached_property
    def lengths(self):
        """Return the squared lengths of the cells, [P, K, 1]."""
        return self.bank.square().sum(2, keepdim=True)

    @cached_property
    def usual(self):
        """Return the mean and the spread that each map has within a picture, [1, O, 1, 1] each: as it is in the mean of the pictures."""
        spread, mean = torch.std_mean(self.maps, (2, 3), keepdim=True)
        return mean.mean(0, keepdim=True), spread.mean(0, keepdim=True)

    def match(self, features, amount: float):
        """Return features [N, O, h, w'] with each map's mean and spread brought so far, 0 to 1, to what they usually are."""
        (spread, mean), (own_mean, own_spread) = torch.std_mean(features.float(), (2, 3), keepdim=True), self.usual
        gain = (own_spread / spread.clamp(min=1e-6)).clamp(max=MOST_GAIN)
        return torch.lerp(features, ((features - mean) * gain + own_mean).to(features.dtype), amount)

    @torch.no_grad()
    def bring_back(self, features, together: float = 0.0):
        """Return features [N, O, h, w'] made of the network's own cells. together: how much one of its pictures is preferred to the others, 0 to 1."""
        return torch.stack([self._bring_back(maps, together) for maps in features.float()]).to(features.dtype)

    def _bring_back(self, maps, together):
        size, (count, channels) = maps.shape[1:], self.maps.shape[:2]
        there, inside, backwards, near = _steps(*size, maps.device)
        apart = self._compare(maps.flatten(1) / self.spread, size, inside, near)                    # [P, K, S] from the cell at P to what lies a step away
        way = (apart * inside).sum(0) / inside.sum(0)                                               # [K, S] of a whole picture, moved by a step
        preferred = torch.zeros(count * len(backwards), device=maps.device).scatter_(0, way.argmin()[None], together) if together else way * 0
        apart = apart * (1 - preferred.view(1, count, -1))
        least, picture = torch.where(inside > 0, apart, FAR).min(1)                                 # [P, S]
        least, picture = least[there, backwards], picture[there, backwards]                         # the same as seen from what is brought back
        nearest, step = torch.where(inside[:, 0] > 0, least, FAR).topk(NEAREST, 1, largest=False)
        share = torch.softmax(nearest * (-SHARP / nearest.mean(1, keepdim=True).clamp(min=1e-6)), 1)
        found = self.bank[there.gather(1, step), picture.gather(1, step)]                           # [P, NEAREST, O]
        return ((share[..., None] * found).sum(1).T * self.spread).view(channels, *size)

    def _compare(self, cells, size, inside, near):
        """Return how far cells [O, P] are from the bank's, those about them as well: [P, K, S]."""
        wide = F.pad(cells.view(1, -1, *size), (REACH,) * 4)[0].permute(1, 2, 0)                    # [h + 2 REACH, w' + 2 REACH, O]
        about = wide.unfold(0, 2 * REACH + 1, 1).unfold(1, 2 * REACH + 1, 1).permute(0, 1, 3, 4, 2).reshape(cells.shape[1], -1, len(cells))   # [P, S, O]
        lengths = _look_about(cells.square().sum(0).view(1, 1, *size))                              # [P, 1, S]
        apart = torch.baddbmm(self.lengths + lengths, self.bank, about.transpose(1, 2), alpha=-2).mul_(inside)
        return _add_up(apart.view(*size, -1)).view_as(apart) / near


def _look_about(x):
    """Return what lies each step from each place of x [1, 1, h, w'], [P, 1, S]."""
    return F.unfold(x, 2 * REACH + 1, padding=REACH)[0].T[:, None]


def make_maps(generator, layer: str):
    """Return maps [K, O, h, w'] of a layer for seeded pictures of a generator: as many as LARGEST allows, 4 to COUNT."""
    height, width = generator.architecture.pixels(generator.architecture.resolution_of(layer))
    count = max(4, min(COUNT, LARGEST // (height * width * generator.channels(layer))))
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(SEED)).to(generator.device)
    labels = torch.eye(generator.c_dim, device=z.device)[torch.arange(count) % generator.c_dim] if generator.c_dim else None
    with torch.no_grad():
        return torch.cat([generator.features(generator.map(z[n:n + 4], c=None if labels is None else labels[n:n + 4]), [layer])[layer].float()
                          for n in range(0, count, 4)])


def _add_up(x):
    """Return x [h, w', ...] with what lies ABOUT each place added to it."""
    for axis in (0, 1):
        length, found = x.shape[axis], x.clone()
        for step in range(1, min(ABOUT + 1, length)):
            found.narrow(axis, step, length - step).add_(x.narrow(axis, 0, length - step))
            found.narrow(axis, 0, length - step).add_(x.narrow(axis, step, length - step))
        x = found
    return x


@make_once(8)
def _steps(height: int, width: int, device):
    """Return what the steps from each place come to: (places there [P, S], 1 where that is on the map [P, 1, S], the steps backwards [S],
    how many places about each are on the map together with what lies a step from them [P, 1, S]).
    """
    step = torch.arange(-REACH, REACH + 1)
    down = (torch.arange(height).view(-1, 1, 1, 1) + step.view(1, 1, -1, 1)).expand(height, width, len(step), len(step))
    right = (torch.arange(width).view(1, -1, 1, 1) + step.view(1, 1, 1, -1)).expand_as(down)
    inside = ((down >= 0) & (down < height) & (right >= 0) & (right < width)).float()
    near = _add_up(inside.flatten(2))
    there = down.clamp(0, height - 1) * width + right.clamp(0, width - 1)
    steps = len(step) ** 2
    found = (there.reshape(-1, steps), inside.reshape(-1, 1, steps), torch.arange(steps - 1, -1, -1), near.reshape(-1, 1, steps).clamp(min=1))
    return tuple(tensor.to(device) for tensor in found)
