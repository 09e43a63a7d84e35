import torch

from engine.bends import transform
from engine.parameter import Parameter


@transform(threshold=Parameter(2.0, 0.0, 4.0, about="activations above it are folded back"),
           shown={"threshold": 0.6})
def solarize(x, threshold):
    """Fold activations above the threshold back down."""
    return torch.minimum(x, 2 * threshold - x)
