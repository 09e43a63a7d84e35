import numpy as np
import torch

from engine.bends import transform
from engine.caching import make_once
from engine.parameter import Parameter


@transform(seed=Parameter(1, 0, 9999, step=1, about="which order"), static=("seed",))
def shuffle(x, seed):
    """Every channel plays the part of another one, drawn by lot."""
    return x[:, _order(int(seed), x.shape[1], x.device)]


@make_once(1024)
def _order(seed, channels, device):
    return torch.from_numpy(np.random.RandomState(seed).permutation(channels)).to(device)
