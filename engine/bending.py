"""Network bending at one layer: pick channels, transform, dry/wet. Knows tensors and Bends, no files' worth of scene.

Source: Broad, Leymarie, Grierson, "Network Bending", EvoMUSART 2021; SPEC.md B.
"""
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch

from engine.bends import TRANSFORMS
from engine.parameter import Parameter

MIX = Parameter(1.0, 0.0, 1.0, about="dry / wet: 0 leaves the layer untouched")


@dataclass(frozen=True)
class Bend:
    """One use of a transform. channels: indices into the layer's feature maps, None = all of them.

    settings: {setting: plain value}; those left out have the transform's defaults. mix: 0 dry .. 1 wet.
    """
    name: str
    layer: str
    channels: tuple[int, ...] | None
    transform: str
    settings: dict = field(default_factory=dict)
    mix: float = 1.0

    def parameters(self) -> dict[str, Parameter]:
        """What can be turned on this bend, by address; the defaults are this bend's own settings."""
        declared = TRANSFORMS[self.transform].settings | {"mix": MIX}
        own = self.settings | {"mix": self.mix}
        return {f"/bends/{self.name}/{name}": replace(p, default=own.get(name, p.default)) for name, p in declared.items()}

    def settings_names(self) -> tuple[str, ...]:
        """The last parts of this bend's addresses."""
        return (*TRANSFORMS[self.transform].settings, "mix")

    def at(self, settings: dict, mix: float) -> "Bend":
        """This bend with other values."""
        return replace(self, settings=settings, mix=mix)

    @cached_property
    def index(self):
        """The channels as an index tensor [K], or a full slice."""
        return slice(None) if self.channels is None else torch.tensor(self.channels, dtype=torch.long)


def bend(x, bends):
    """x [N, C, H, W] -> the same shape, the layer's bends applied in order; x itself is never written to."""
    for b in bends:
        if b.mix == 0.0:
            continue
        transform = TRANSFORMS[b.transform]
        settings = {name: p.default for name, p in transform.settings.items()} | b.settings
        dry = x[:, b.index]                                                     # [N, K, H, W]
        wet = transform.function(dry, **settings)
        x = x.clone()
        x[:, b.index] = torch.lerp(dry, wet, b.mix)
    return x
