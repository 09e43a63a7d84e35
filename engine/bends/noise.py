import torch

from engine.bends import transform
from engine.caching import make_once
from engine.parameter import Parameter
from engine.sampling import own_size, unless


@transform(amount=Parameter(1.0, 0.0, 8.0, curve="square", about="standard deviation of what is added"),
           seed=Parameter(1, 0, 9999, step=1, about="which noise"), static=("seed",),
           neutral={"amount": 0.0})
def noise(x, amount, seed, *, own=None):
    """Add grain: one seeded map for all channels, in each with its own seeded weight."""
    return unless(amount == 0, x, lambda: _add_grain(x, amount, int(seed), own_size(x, own)))


def _add_grain(x, amount, seed, own):
    grain, weights = _grain(seed, tuple(x.shape[1:]), tuple(own), x.device, x.dtype)
    return x + grain * (weights * amount)


@make_once(64)
def _grain(seed, shape, own, device, dtype):
    """Return the grain [H, W'] and each channel's weight [K, 1, 1], the same on every device; what is beyond `own` comes last."""
    channels, height, width = shape
    source = torch.Generator().manual_seed(seed)
    grain = torch.randn(*own, generator=source)
    weights = torch.randn(channels, 1, 1, generator=source)
    if tuple(own) != (height, width):
        above, before = (height - own[0]) // 2, (width - own[1]) // 2
        middle, grain = grain, torch.randn(height, width, generator=source)
        grain[above:above + own[0], before:before + own[1]] = middle
    return grain.to(device, dtype), weights.to(device, dtype)
