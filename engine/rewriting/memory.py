"""One layer seen as a memory: keys go in, values come out. Knows the generator's layers, no requests.

Key: what the convolution is given, scaled by the style. Value: what the layer gives, after demodulation, noise, bias
and activation (SPEC.md C.2). Letters: N pictures, I, O channels in and out, h, w' size of the keys, H, W' of the values.
"""
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional as F

from engine.generator import EPS, SLOPE, StyledConv


@dataclass(frozen=True, eq=False)
class Recall:
    """keys [N, I, h, w'], the styles [N, I] in them already, and what noise [H, W'] comes on top (None = none)."""
    conv: StyledConv
    keys: torch.Tensor
    styles: torch.Tensor
    noise: torch.Tensor | None

    @property
    def scale(self) -> int:
        """Return how many value cells a key cell, along a side."""
        return 2 if self.conv.up else 1

    def demodulation(self, weight):
        """Return the demodulation [N, O, 1, 1] of any weight [O, I, 3, 3] in the layer's place."""
        energy = self.styles.square() @ weight.square().sum((2, 3)).T
        return torch.rsqrt(energy + EPS)[:, :, None, None]

    def values(self, weight):
        """Return the values [N, O, H, W'] with any weight in the layer's place; differentiable."""
        y = self.conv.plain(self.keys, weight) * self.demodulation(weight)
        return activate(self.conv, self.find_input(y))

    def find_input(self, y):
        """Return y [N, O, H, W'] with noise and bias: the activation's input."""
        y = y + self.conv.bias.view(1, -1, 1, 1)
        return y if self.noise is None else y + self.noise

    def crop(self, top, left, bottom, right) -> "Recall":
        """Return the same for a window of the keys; the noise is cropped with it."""
        keys, s = self.keys[:, :, top:bottom, left:right], self.scale
        noise = None if self.noise is None else self.noise[top * s:bottom * s, left * s:right * s]
        return replace(self, keys=keys, noise=noise)


def activate(conv, x):
    """Return x after the leaky ReLU, gain and clamp of a layer."""
    y = F.leaky_relu(x, SLOPE) * conv.gain
    return y if conv.clamp is None else y.clamp(-conv.clamp, conv.clamp)


def deactivate(conv, values):
    """Return the activation's input for these values of it (where it was not clamped)."""
    x = values / conv.gain
    return torch.where(x < 0, x / SLOPE, x)


@torch.no_grad()
def recall(generator, layer: str, ws, published_noise: bool = False) -> Recall:
    """Return the keys that the layer is given in the pictures of ws. published_noise: the published tool's, one pattern for all layers of a size."""
    conv = generator.layer(layer)
    x = generator.inputs(ws, [layer])[layer]
    w = ws[:, generator.layers.index(layer)]
    styles = conv.affine(w)
    noise = None
    if conv.noise:
        stored = conv.noise_const
        pattern = draw_noise(stored.shape[0], stored.shape[1], stored.device) if published_noise else stored
        noise = pattern * conv.noise_strength
    return Recall(conv, x * styles[:, :, None, None], styles, noise)


def draw_noise(height: int, width: int, device) -> torch.Tensor:
    """Return noise [height, width] as the published tool drew it for a single picture, whatever the checkpoint's noise: RandomState(0)."""
    return torch.from_numpy(np.random.RandomState(0).randn(height, width).astype(np.float32)).to(device)


def latents(generator, pictures, psi: float, label: int = 0):
    """Return the ws [N, num_ws, W] of request.Picture objects."""
    return map_z(generator, np.stack([picture.z(generator.z_dim) for picture in pictures]), psi, label)


@torch.no_grad()
def map_z(generator, z, psi: float, label: int = 0):
    """Return the ws of z [N, z_dim], an array: ws [N, num_ws, W]; label: the class, where the network has any."""
    z = torch.from_numpy(z).to(generator.device)
    c = None
    if generator.c_dim:
        c = F.one_hot(torch.full((len(z),), label, device=generator.device), generator.c_dim).float()
    return generator.map(z, psi, c=c)
