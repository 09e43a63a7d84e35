import torch

from engine.bends import transform
from engine.parameter import Parameter


@transform(gain=Parameter(2.0, 0.05, 20.0, curve="log", about="before the ceiling: the more, the harder"),
           ceiling=Parameter(2.0, 0.1, 20.0, curve="log", about="what no activation exceeds"))
def drive(x, gain, ceiling):
    """Overdrive: amplify, then press softly under a ceiling."""
    return torch.tanh(x * (gain / ceiling)) * ceiling
