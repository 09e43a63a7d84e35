import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import unless


@transform(exponent=Parameter(1.0, 0.1, 4.0, curve="log", about="above 1 only peaks stay, below everything comes up"),
           neutral={"exponent": 1.0}, shown={"exponent": 2.0})
def power(x, exponent):
    """Contrast: raise each activation to a power, its sign kept."""
    most = torch.finfo(x.dtype).max
    return unless(exponent == 1, x, lambda: (torch.sign(x) * x.abs().float().pow(exponent)).clamp(-most, most).to(x.dtype))
