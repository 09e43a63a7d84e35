"""Bias, noise, leaky ReLU and clamp in one pass over a layer's feature maps: a Triton kernel. For GPUs.

cuDNN leaves them as passes of their own, each of which reads and writes the whole map. Triton is optional: where it is
missing, unfused() does the same with torch's own operations. Imported only when a GPU plays, for Triton takes its time.
"""
import torch
from torch.nn import functional as F

from engine.generator import SLOPE

try:
    import triton
    from triton import language as tl
except ImportError:                 # torch's CPU builds come without it
    triton = None

BLOCK = 1024                        # numbers that one program works on


def bias_noise_act_for(device):
    """Return the quickest of the two functions on this device."""
    return bias_noise_act if triton is not None and torch.device(device).type == "cuda" else unfused


def unfused(y, scale, bias, noise=None, strength=None, bound=None):
    """Do what bias_noise_act() does, with torch's own operations."""
    if scale is not None:
        y = y.mul_(scale.view(1, -1, 1, 1))
    y = y.add_(bias.view(1, -1, 1, 1))
    if noise is not None:
        y = y.add_(noise * strength)
    y = F.leaky_relu_(y, SLOPE)
    return y if bound is None else y.clamp_(-bound, bound)


def bias_noise_act(y, scale, bias, noise=None, strength=None, bound=None):
    """Return y [1, O, H, W] times scale [O] + bias [O] + noise [H, W] * strength [], activated, clamped at bound; in place.

    scale, noise, bound: None for none. y may be float16; all else is float32, and so is the arithmetic.
    """
    if not y.is_contiguous(memory_format=torch.channels_last):
        return unfused(y, scale, bias, noise, strength, bound)
    numbers = y.numel()
    _bias_noise_act[(triton.cdiv(numbers, BLOCK),)](y, scale, bias, noise, strength, bound, numbers, y.shape[1])
    return y


if triton is not None:
    SIZE, LEAK = tl.constexpr(BLOCK), tl.constexpr(SLOPE)

    @triton.jit
    def _bias_noise_act(y, scale, bias, noise, strength, bound, numbers, channels):
        at = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
        inside = at < numbers
        channel = at % channels
        value = tl.load(y + at, mask=inside).to(tl.float32)
        if scale is not None:
            value = value * tl.load(scale + channel, mask=inside)
        value = value + tl.load(bias + channel, mask=inside)
        if noise is not None:
            value = value + tl.load(noise + at // channels, mask=inside) * tl.load(strength)
        value = tl.where(value < 0, value * LEAK, value)
        if bound is not None:
            value = tl.minimum(tl.maximum(value, -bound), bound)
        tl.store(y + at, value.to(y.dtype.element_ty), mask=inside)
