"""Feature maps put in the place of a convolution's output, whole or in part. Knows tensors and names of layers."""
from dataclasses import dataclass

import torch


@dataclass(frozen=True, eq=False)
class Blend:
    """features [1, O, H, W]: before noise, bias and activation. mix: 0 = the network's own activations, 1 = only these."""
    features: torch.Tensor
    mix: float = 1.0


def to_blends(splice) -> dict[str, Blend]:
    """Return {layer: Blend} for {layer: Blend or features}; those with no part in the picture left out."""
    every = {name: given if isinstance(given, Blend) else Blend(given) for name, given in (splice or {}).items()}
    return {name: blend for name, blend in every.items() if blend.mix > 0}


def find_unused_layers(names, spliced) -> set[str]:
    """Return the layers of a skip network that nothing depends on: conv0 of a block whose conv1 is replaced as a whole."""
    return {name for name in names if name.endswith("conv0") and f"{name[:-1]}1" in spliced}
