import torch
from torch.nn import functional as F

from engine.bends import transform
from engine.parameter import Parameter


@transform(gain=Parameter(1.0, 0.0, 8.0, about="times the slope"))
def edges(x, gain):
    """Outlines: how steep the map is at each place."""
    near = F.pad(x, (1, 1, 1, 1), mode="replicate")
    across = near[:, :, 1:-1, 2:] - near[:, :, 1:-1, :-2]                       # [N, K, H, W']
    along = near[:, :, 2:, 1:-1] - near[:, :, :-2, 1:-1]
    return torch.hypot(across, along) * gain
