"""What faders add to a few numbers of the network: a walk of its constant, and single styles (StyleSpace channels).

Knows scenes and tensors; LiveWeights writes what comes of it. Sources: SPEC2.md D.4, M.1. Letters: C channels, I styles of an affine.
"""
import math
from dataclasses import dataclass

import torch

from engine.channels import Channels
from engine.parameter import Parameter

CONST = "synthesis.b4.const"
TURN = 4.0                           # keyframes of the walk in which the constant goes round once
REACH = 10.0                         # standard deviations that a channel's fader goes each way
PARAMETERS = {
    "/const/radius": Parameter(0.0, 0.0, 4.0, about="how far the network's constant is moved, on a circle that the walk goes round; 1 = as far as it is large"),
    "/const/angle": Parameter(0.0, curve="circular", about="where on that circle, in turns; the walk's own way is added"),
    "/const/seed": Parameter(1, 0, 2 ** 31 - 1, step=1, about="which circle"),
}


@dataclass(frozen=True, eq=False)
class Added:
    """What is added to tensors, by their names in the state dict, times a share."""
    tensors: dict


class LiveOffsets:
    """generator: whose. channels: engine.channels.Channels that fit it. parameters: the faders, {address: Parameter}."""

    def __init__(self, generator, channels: Channels | None = None):
        self.const = generator.state_dict()[CONST].detach().clone()
        self.channels = channels.check(generator) if channels is not None else Channels(())
        self.parameters = PARAMETERS | {_address(one): Parameter(0.0, -REACH, REACH, unit="sd", about=one.describe()) for one in self.channels.entries}
        state = generator.state_dict()
        self._added = {_address(one): Added({one.tensor: _make_vector(state[one.tensor], one)}) for one in self.channels.entries}
        self._circle: tuple = (None, ())

    def find_added(self, scene, motion) -> tuple:
        """Return ((Added, its share), ...) of all that is not at rest, as LiveWeights.write() takes it."""
        get = scene.values.get
        found = [(added, share) for address, added in self._added.items() if (share := get(address, 0.0))]
        radius = get("/const/radius", 0.0)
        if radius > 0:
            angle = 2 * math.pi * (get("/const/angle", 0.0) + motion.walk / TURN)
            found += zip(self._find_circle(int(get("/const/seed", 1))), (radius * math.cos(angle), radius * math.sin(angle)))
        return tuple(found)

    def _find_circle(self, seed):
        """Return the two directions of a circle, as large as the constant and at right angles."""
        if self._circle[0] != seed:
            source = torch.Generator().manual_seed(seed)
            one, other = torch.randn(2, self.const.numel(), generator=source)
            other = other - one * (one @ other) / (one @ one)
            size = self.const.norm().item()
            self._circle = seed, tuple(Added({CONST: (row * (size / row.norm())).view(self.const.shape).to(self.const)}) for row in (one, other))
        return self._circle[1]


def _address(channel) -> str:
    return f"/channels/{channel.name}/amount"


def _make_vector(bias, channel):
    """Return what one standard deviation of a style adds to its affine's bias [I]."""
    vector = torch.zeros_like(bias)
    vector[channel.channel] = channel.std
    return vector
