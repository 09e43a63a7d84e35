"""What the w of all seeds are like: samples, mean, covariance. Letters: N samples, W = w_dim."""
from dataclasses import dataclass

import numpy as np
import torch

from engine.device import to_double

CHUNK = 4096
FOR_UNITS = 10_000                   # seeds that a unit is measured over


@dataclass(frozen=True)
class Spread:
    """mean [W] and covariance [W, W] of w, float64; sigma [W]: standard deviation of each coordinate."""
    mean: torch.Tensor
    covariance: torch.Tensor

    @property
    def sigma(self) -> torch.Tensor:
        return self.covariance.diagonal().clamp(min=1e-12).sqrt()


def labels_of(generator, count: int):
    """Return labels [count, c_dim] that go through all classes of a conditional network, else None."""
    if not generator.c_dim:
        return None
    label = torch.zeros(count, generator.c_dim, device=generator.device)
    label[torch.arange(count), torch.arange(count) % generator.c_dim] = 1.0
    return label


@torch.no_grad()
def sample_w(generator, count: int, seed: int = 0):
    """Return (z [N, Z], w [N, W]) of `count` seeds, the same for the same seed; classes in turns where there are any."""
    z = torch.from_numpy(np.random.RandomState(seed).randn(count, generator.z_dim)).float().to(generator.device)
    return z, map_z(generator, z)


def map_z(generator, z):
    """Return the w [N, W] of z [N, Z]; classes in turns where there are any."""
    z, label = z.to(generator.device), labels_of(generator, len(z))
    return torch.cat([generator.mapping(z[at:at + CHUNK], None if label is None else label[at:at + CHUNK]) for at in range(0, len(z), CHUNK)])


def measure_spread(generator, count: int = 100_000, seed: int = 0) -> Spread:
    """Return the mean and the covariance of the w of `count` seeds, exactly."""
    total, square, done = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64), 0
    while done < count:
        some = min(CHUNK * 4, count - done)
        w = to_double(sample_w(generator, some, (seed * 7919 + done) % 2 ** 32)[1]).cpu()
        total, square, done = total + w.sum(0), square + w.T @ w, done + some
    mean = total / done
    return Spread(mean, square / done - torch.outer(mean, mean))
