"""Distances of pictures as a network sees them: the user's own discriminator, VGG16, LPIPS. Nothing is downloaded. Source: SPEC2.md P.3.

Letters: N pictures, H, W' pixels, C channels.
"""
import math

import torch
from torch.nn import functional as F

from engine.checkpoints.judges import read_discriminator, read_heads, read_vgg
from engine.encoder.network import resize
from engine.generator import GAIN, SLOPE, fir

FEATURES = ("discriminator", "vgg", "lpips")
MEAN, DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)     # of the pictures that VGG16 was trained on, in -1..1
LARGEST = 256                        # px of a side that VGG16 sees
POOLED, TAPPED = (2, 4, 7, 10), (2, 4, 7, 10, 13)                     # convolutions after which maps are halved; after which they are compared
CLAMP = 256.0


class FeatureLoss:
    """A distance [N] of pictures [N, 3, H, W'] in -1..1. name: of FEATURES. see(pictures) -> maps; compare(maps, maps, n) -> [N], of the n-th."""

    def __init__(self, name: str, see, compare, together=sum):
        self.name, self._see, self._compare, self._together = name, see, compare, together
        self._targets: tuple = (None, ())            # the last ones, and what was seen in them

    def __call__(self, pictures, targets):
        if self._targets[0] is not targets:
            with torch.no_grad():
                self._targets = targets, self._see(targets)
        seen = self._see(pictures)
        return self._together([self._compare(a, b, n) for n, (a, b) in enumerate(zip(seen, self._targets[1]))])


def make_discriminator_loss(path, device="cpu") -> FeatureLoss:
    """Return the distance by the discriminator in a checkpoint: the mean difference of what its blocks give, the mean of all blocks."""
    state, resolution = read_discriminator(path)
    see = Discriminator({name: tensor.to(device) for name, tensor in state.items()}, resolution)
    return FeatureLoss("discriminator", see, lambda a, b, n: (a - b).abs().mean((1, 2, 3)), lambda parts: sum(parts) / len(parts))


def make_vgg_loss(vgg, heads=None, device="cpu") -> FeatureLoss:
    """Return the distance by VGG16: squared differences of maps of unit length; with the heads of LPIPS as that weighs them, else all channels alike."""
    layers = [(weight.to(device).contiguous(memory_format=torch.channels_last), bias.to(device)) for weight, bias in read_vgg(vgg)]
    weighed = [head.to(device).view(1, -1, 1, 1) for head in read_heads(heads)] if heads else None

    def compare(a, b, n):
        apart = (_to_unit(a) - _to_unit(b)).square()
        return (apart if weighed is None else apart * weighed[n]).sum(1).mean((1, 2))
    return FeatureLoss("lpips" if heads else "vgg", lambda pictures: see_by_vgg(pictures, layers), compare)


def see_by_vgg(pictures, layers) -> list:
    """Return the five maps [N, C, h, w] of VGG16. layers: [(weight, bias)] of its 13 convolutions."""
    height, width = pictures.shape[2:]
    share = min(1.0, LARGEST / max(height, width))
    x = pictures if share == 1 else resize(pictures, (max(1, round(height * share)), max(1, round(width * share))))
    mean, deviation = (torch.tensor(numbers, device=x.device).view(1, 3, 1, 1) for numbers in (MEAN, DEVIATION))
    x, found = (x - mean) / deviation, []
    for n, (weight, bias) in enumerate(layers, 1):
        x = F.relu(F.conv2d(x, weight, bias, padding=1))
        if n in TAPPED:
            found.append(x)
        if n in POOLED:
            x = F.max_pool2d(x, 2, ceil_mode=min(x.shape[2:]) < 2)
    return found


def _to_unit(x):
    return x / (x.square().sum(1, keepdim=True).clamp(min=1e-20).sqrt() + 1e-10)


class Discriminator:
    """What the blocks of a residual discriminator give. state: {NVIDIA's name: tensor}, see read_discriminator(); resolution: the pictures it sees."""

    def __init__(self, state: dict, resolution: int):
        self.state, self.resolution = state, resolution

    def __call__(self, pictures) -> list:
        """Return the maps [N, C, h, w] after each block, largest first. Pictures of another size are brought to its own."""
        share = self.resolution / min(pictures.shape[2:])
        x = pictures if share == 1 else resize(pictures, tuple(max(8, round(side * share)) for side in pictures.shape[2:]))
        x, found, r = self._convolve(x, f"b{self.resolution}.fromrgb"), [], self.resolution
        while r >= 8:
            beside = _reduce(x, 1)[:, :, ::2, ::2]
            weight = self.state[f"b{r}.skip.weight"]
            beside = F.conv2d(beside, weight * math.sqrt(0.5 / weight.shape[1]))
            x = beside + self._convolve(self._convolve(x, f"b{r}.conv0"), f"b{r}.conv1", math.sqrt(0.5), down=True)
            found.append(x)
            r //= 2
        return found

    def _convolve(self, x, name, gain=1.0, down=False):
        weight, bias = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        weight = weight / math.sqrt(weight[0].numel())
        y = F.conv2d(_reduce(x, 2), weight, bias, stride=2) if down else F.conv2d(x, weight, bias, padding=weight.shape[2] // 2)
        return (F.leaky_relu(y, SLOPE) * (GAIN * gain)).clamp(-CLAMP * gain, CLAMP * gain)


def _reduce(x, padding: int):
    """Return x [N, C, h, w] through the low-pass, so many px longer all round before."""
    kernel = fir(1, x.device, x.dtype).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(F.pad(x, (padding,) * 4), kernel, groups=x.shape[1])
