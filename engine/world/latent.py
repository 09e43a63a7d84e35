"""The latent vector z of a drawn world: how many numbers it has, and how they become shares of the factors' ranges.

z is pixel-normalised first, as the mapping network does, so that its length means nothing to either. A factor is
u = Phi(z_i), uniform on 0..1 for random z and 0.5 at z = 0. Letters: N batch, F factors.
"""
import math

import torch

Z_DIM = 64


def normalise(z):
    """Return z [N, 64] at unit mean square, in the same direction; zero stays zero."""
    return z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)


def uniform(z, count):
    """Return u [N, count] in 0..1 for z [N, 64]: the first `count` numbers of z, each uniform for random z."""
    return 0.5 + 0.5 * torch.erf(normalise(z.float())[:, :count] * math.sqrt(0.5))
