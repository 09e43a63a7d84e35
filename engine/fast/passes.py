"""Passes over maps: what is done to them besides large convolutions. In C where this machine could compile that, else by torch.

Pure functions of tensors, but for the maps they are given, which they may write to. Letters: C channels, H, W size of a map.
"""
import math
from typing import NamedTuple

import torch

from engine.compiled.functions import DTYPES, FEW, WIDE, find_passes, fits
from engine.fast.kernels import blur, empty, interleave, noise_act, skip_kernel, to_bytes, to_rgb, up_rgb


class Ending(NamedTuple):
    """What is left to be done to a layer's maps: times scale [C] and + bias [C] if they are there, + noise, leaky ReLU, clamp.

    noise: None, or (maps [H, W] or [1, C, H, W] in the layer's dtype, strength). clamp: None, or the limit. scale, bias: in float32.
    """
    noise: tuple | None = None
    clamp: float | None = None
    scale: torch.Tensor | None = None
    bias: torch.Tensor | None = None


class Colours(NamedTuple):
    """How maps become a picture: weight [3, C], bias [3], the limits of what comes of those, and the picture [1, 3, h, w] below, if any, with its factor."""
    weight: torch.Tensor
    bias: torch.Tensor
    limits: tuple[float, float] | None = None
    below: torch.Tensor | None = None
    factor: float = 1.0


def convolve_few(x, weight, bias):
    """Return the 3x3 convolution of x [1, 4, H, W] with weight [4, 4, 3, 3] and bias [4]; None for other maps, and where there is none in C."""
    passes = find_passes()
    if passes is None or tuple(weight.shape[:2]) != (FEW, FEW) or not fits(x):
        return None
    return passes.convolve(x, weight.permute(2, 3, 1, 0).float().contiguous(), bias.float())


def collect_taps(products):
    """Return an up-convolution's result [1, C, 2h + 1, 2w + 1] of products [h, w, 3, 3, C] of each pixel with every tap of the kernel."""
    passes, (height, width, _, _, channels) = find_passes(), products.shape
    if passes and products.is_cpu and products.is_contiguous() and channels % WIDE == 0 and products.dtype in DTYPES:
        return passes.collect(products)
    y = products.new_zeros(2 * height + 2, 2 * width + 2, channels)
    cells = y.view(height + 1, 2, width + 1, 2, channels)
    for i in range(3):
        for j in range(3):
            a, b = i // 2, j // 2
            cells[a:a + height, i % 2, b:b + width, j % 2].add_(products[:, :, i, j])
    return y[:-1, :-1].permute(2, 0, 1)[None]


def finish(y, ending):
    """Return maps y [1, C, H, W] with their ending, in place."""
    passes = find_passes()
    if passes and fits(y) and (ending.scale is None or y.shape[1] % WIDE == 0):
        return passes.finish(y, ending)
    if ending.scale is not None:
        scale, bias = (v.view(1, -1, 1, 1).to(y.dtype) for v in (ending.scale, ending.bias))
        torch.addcmul(bias, y, scale, out=y)
    return noise_act(y, ending.noise, ending.clamp)


def finish_blurred(y, ending):
    """Return maps [1, C, 2h, 2w] of y [1, C, 2h + 1, 2w + 1], which an up-convolution left: under the FIR, with their ending."""
    passes = find_passes()
    if passes and _fits_blurred(y):
        return passes.blur([y[:, :, p::2, q::2] for p in range(2) for q in range(2)], ending)
    return noise_act(blur(y, ending.scale.to(y.dtype), ending.bias.to(y.dtype)), ending.noise, ending.clamp)


def finish_parts(parts, ending):
    """Return the same of y by parity of rows and columns, in four tensors: (0, 0), (0, 1), (1, 0), (1, 1)."""
    passes = find_passes()
    if passes and all(map(_fits_blurred, parts)):
        return passes.blur(parts, ending)
    y = empty(parts[0].shape[1], 2 * parts[0].shape[2] - 1, 2 * parts[0].shape[3] - 1, parts[0])
    for n, part in enumerate(parts):
        y[:, :, n // 2::2, n % 2::2].copy_(part)
    return finish_blurred(y, ending)


def finish_woven(parts, ending):
    """Return maps [1, C, 2h, 2w] of parts [1, 4 C, h, w], which are put in place by parity (engine.fast.kernels.polyphase), with their ending."""
    passes, channels = find_passes(), parts.shape[1] // 4
    if passes and channels < WIDE and parts.shape[3] % 2 == 0 and fits(parts) and 4 * channels % WIDE == 0:
        return passes.weave(parts, ending)
    maps, strength = ending.noise or (None, 1.0)
    out = empty(channels, 2 * parts.shape[2], 2 * parts.shape[3], parts)
    return noise_act(interleave(parts, maps, out, strength), None, ending.clamp)


def draw(x, colours, ending=None, keep=True, out=None, check=True):
    """Return (the picture [1, 3, H, W] of maps x [1, C, H, W], True), or (out, whether the picture was finite).

    ending: what is to be done to the maps first; they may be written to, and are if keep is true. out: uint8 [H, W, 3], to be filled
    with a picture that is in 0..255 + 0.5; what is not a number becomes 0. check: without it nobody wants to know whether it was finite.
    """
    passes = find_passes()
    if passes and fits(x) and (ending is None or ending.scale is None or x.shape[1] % WIDE == 0) and (out is None or out.is_contiguous()):
        return passes.draw(x, colours, ending, keep, out)
    if ending is not None:
        x = finish(x, ending)
    picture = _draw(x, colours)
    if out is None:
        return picture, True
    finite = not check or math.isfinite(picture.sum())
    to_bytes(picture, out)
    return out, finite


def _draw(x, colours):
    y = to_rgb(x, colours.weight, colours.bias)
    if colours.limits is not None:
        y.clamp_(*colours.limits)
    if colours.below is None:
        return y.float()
    return up_rgb(colours.below, y, skip_kernel(y.device, colours.below.dtype, colours.factor))


def _fits_blurred(y):
    """Return whether the compiled FIR can take these maps [1, C, ., .], a pixel's channels side by side."""
    return y.is_cpu and y.shape[0] == 1 and y.shape[1] % WIDE == 0 and y.stride(1) == 1 and y.dtype in DTYPES
