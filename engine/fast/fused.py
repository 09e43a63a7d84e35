"""Bias, noise, leaky ReLU and clamp in one pass over a layer's feature maps: a Triton kernel. For GPUs.

cuDNN leaves them as passes of their own, each of which reads and writes the whole map. Triton is optional: where it is
missing, unfused() does the same with torch's own operations. Imported only when a GPU plays, for Triton takes its time.
"""
import logging
import subprocess
from functools import lru_cache

import torch
from torch.nn import functional as F

from engine.generator import SLOPE

try:
    import triton
    from triton import language as tl
except ImportError:                 # torch's CPU builds come without it
    triton = None

log = logging.getLogger(__name__)
BLOCK = 1024                        # numbers that one program works on


def bias_noise_act_for(device):
    """Return the quicker of the two functions that works on this device; where the kernel can't be built, a warning says what it lacks."""
    if triton is None or torch.device(device).type != "cuda":
        return unfused
    return bias_noise_act if _is_built(device) else unfused


@lru_cache(maxsize=8)
def _is_built(device) -> bool:
    """Whether the kernel can be launched here. Triton compiles its launcher at the first launch, with the system's C compiler."""
    try:
        y = torch.zeros(1, 4, 2, 2, device=device).contiguous(memory_format=torch.channels_last)
        bias_noise_act(y, None, torch.zeros(4, device=device))
    except (RuntimeError, OSError, ImportError, subprocess.SubprocessError, AttributeError) as error:
        lines = str(error).strip().splitlines()
        log.warning("Triton can't build its kernel (%s): playing with torch's own operations, which are slower. On Linux: "
                    "sudo apt install build-essential python3-dev", lines[-1][:200] if lines else type(error).__name__)
        return False
    return True


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
