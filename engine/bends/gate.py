import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import unless


@transform(threshold=Parameter(0.5, 0.0, 8.0, curve="square", about="what is weaker falls silent, the rest comes nearer to 0 by it"),
           neutral={"threshold": 0.0})
def gate(x, threshold):
    """Let only strong activations through."""
    return unless(threshold == 0, x, lambda: torch.sign(x) * (x.abs() - threshold).clamp(min=0))
