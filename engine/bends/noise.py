import torch

from engine.bends import transform
from engine.kept import made_once
from engine.parameter import Parameter
from engine.sampling import unless


@transform(amount=Parameter(1.0, 0.0, 8.0, curve="square", about="standard deviation of what is added"),
           seed=Parameter(1, 0, 9999, step=1, about="which noise"), static=("seed",),
           neutral={"amount": 0.0})
def noise(x, amount, seed):
    """Add grain: one seeded map for all channels, in each with its own seeded weight."""
    return unless(amount == 0, x, lambda: _grained(x, amount, int(seed)))


def _grained(x, amount, seed):
    grain, weights = _grain(seed, tuple(x.shape[1:]), x.device, x.dtype)
    return x + grain * (weights * amount)


@made_once(64)
def _grain(seed, shape, device, dtype):
    """Return the grain [H, W'] and each channel's weight [K, 1, 1], the same on every device."""
    channels, height, width = shape
    source = torch.Generator().manual_seed(seed)
    grain = torch.randn(height, width, generator=source)
    return grain.to(device, dtype), torch.randn(channels, 1, 1, generator=source).to(device, dtype)
