"""A network continued to another shape: the same weights around a longer constant and longer noise maps. Knows tensors and scenes.

The constant is continued by what the scene asks for; noise maps by a seed, so that those of the middle stay the network's.
"""
import copy
import dataclasses

import torch
from torch import nn

from engine.around import Around
from engine.frame import FrameShape
from engine.generator import Generator


class WideGenerator:
    """generator: the continued network, whose parameters are those of `own`, so that what is written there is played here."""

    def __init__(self, own: Generator, shape: FrameShape):
        self.own, self.shape = own, shape
        self.generator = _twin(own, shape)
        self._const_key: tuple | None = None
        self._noise_key: tuple | None = None
        self._spliced: dict = {}                    # layer -> (features, way, what was made of them)

    @torch.no_grad()
    def follow(self, scene) -> bool:
        """Bring the continued network to the scene and to its own weights; returns whether its pictures have changed."""
        way, seed = scene["/frame/continue"], int(scene["/frame/seed"])
        goes_round = bool(scene["/frame/panorama"])
        around = Around(self.shape.axis, self.shape.around, goes_round, self._seams(way, goes_round) if scene["/frame/keep"] else ())
        const = self.own.block(4).const
        const_key = (way, seed if way == "noise" else None, const._version, const.data_ptr())
        noises: list[torch.Tensor] = [self.own.layer(name).get_buffer("noise_const") for name in self.own.layers] if self.own.architecture.noise else []
        noise_key = (seed, tuple((maps._version, maps.data_ptr()) for maps in noises))
        changed = (const_key, noise_key) != (self._const_key, self._noise_key) or around != self.generator.around
        if const_key != self._const_key:
            self.generator.block(4).const.copy_(extend(const, self.shape.axis, self.shape.around, way, seed))
        if noise_key != self._noise_key:
            for index, (name, maps) in enumerate(zip(self.own.layers, noises)):
                self._continue_noise(self.generator.layer(name).get_buffer("noise_const"), maps, seed + index)
        self._const_key, self._noise_key, self.generator.around = const_key, noise_key, around
        return changed

    def _seams(self, way, goes_round) -> tuple[int, ...]:
        """Return the cells after which another picture begins: at both ends of the middle, and of all that is like it."""
        own, cells = self.own.architecture.const_size[self.shape.axis], self.shape.around
        start = (cells - own) // 2
        if way not in ("tile", "mirror"):
            return start, start + own
        return tuple(seam for seam in range(start % own, cells, own) if seam or goes_round)

    def splice(self, splice: dict, way: str) -> dict:
        """Return {layer: Blend} for the continued network: features [1, O, h, w] of its middle, continued as the constant is."""
        made = {}
        for layer, blend in splice.items():
            features, before, long = self._spliced.get(layer, (None, None, None))
            if features is not blend.features or before != way:
                length = blend.features.shape[self.shape.axis] * self.shape.around // self.own.architecture.const_size[self.shape.axis]
                long = extend(blend.features, self.shape.axis, length, "edge" if way == "noise" else way)
                self._spliced[layer] = blend.features, way, long
            made[layer] = dataclasses.replace(blend, features=long)
        return made

    def _continue_noise(self, long, maps, seed):
        long.copy_(torch.randn(long.shape, generator=torch.Generator().manual_seed(seed)))
        length = maps.shape[self.shape.axis]
        long.narrow(self.shape.axis, (long.shape[self.shape.axis] - length) // 2, length).copy_(maps)


def extend(maps, axis: int, length: int, way: str, seed: int = 0):
    """Return maps [..., C, H, W'] in the middle of longer ones along an axis: `length` places there.

    way: "tile" repeats them, "mirror" turns every other one over, "edge" repeats their last places, "noise" draws seeded
    numbers of each channel's mean and spread.
    """
    own = maps.shape[axis]
    places = torch.arange(length) - (length - own) // 2
    if way == "noise":
        mean, spread = maps.mean((-2, -1), keepdim=True), maps.std((-2, -1), keepdim=True)
        shape = list(maps.shape)
        shape[axis] = length
        long = mean + spread * torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(maps.device)
        long.narrow(axis, (length - own) // 2, own).copy_(maps)
        return long
    if way == "tile":
        places = places % own
    elif way == "mirror":
        places = places % (2 * own)
        places = torch.minimum(places, 2 * own - 1 - places)
    else:
        places = places.clamp(0, own - 1)
    return maps.index_select(axis % maps.ndim, places.to(maps.device))


def _twin(own: Generator, shape: FrameShape) -> Generator:
    """Return a generator with the modules of another one, but its own constant and noise maps; their numbers are not set yet."""
    architecture = dataclasses.replace(own.architecture, const_size=shape.cells)
    twin = shallow_copy(own)
    twin.architecture, twin.synthesis = architecture, nn.Module()
    for r in architecture.resolutions:
        block = shallow_copy(own.block(r))
        for name in ("conv0", "conv1"):
            if hasattr(block, name):
                conv = shallow_copy(getattr(block, name))
                conv.size = architecture.pixels(r)
                if conv.noise:
                    conv._buffers["noise_const"] = torch.zeros(conv.size, device=own.device)
                setattr(block, name, conv)
        if r == 4:
            const = torch.zeros(architecture.channels[4], *shape.cells, device=own.device)
            block.const = nn.Parameter(const, requires_grad=False)
        twin.synthesis.add_module(f"b{r}", block)
    return twin


def shallow_copy(module):
    """Return a module that shares the parameters, buffers and parts of another until one of them is replaced."""
    twin = copy.copy(module)
    for name in ("_parameters", "_buffers", "_modules"):
        twin.__dict__[name] = dict(module.__dict__[name])
    return twin
