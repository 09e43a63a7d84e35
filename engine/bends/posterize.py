import torch

from engine.bends import transform
from engine.parameter import Parameter


@transform(levels=Parameter(2.0, 0.25, 16.0, curve="log", about="steps for each 1 of activation"),
           shown={"levels": 0.5})
def posterize(x, levels):
    """Few values instead of many: round the activations."""
    return torch.round(x * levels) / levels
