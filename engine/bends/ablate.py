import torch

from engine.bends import transform


@transform(spans=True)
def ablate(x):
    """Silence the channels: zero everywhere."""
    return torch.zeros_like(x)
