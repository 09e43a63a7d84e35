"""What is done to weights and styles between two frames: in C where this machine could compile that, else by torch.

Pure functions of tensors, but for mix(), which fills one. Letters: O, I channels out and in, T taps of a kernel.
"""
import torch
from torch.autograd.graph import increment_version

from engine.compiled.functions import DTYPES
from engine.compiled.weights import find_weighing
from engine.fast.kernels import channels_last
from engine.generator import EPS

FEW = 1 << 15                       # numbers up to which torch computes in one thread by itself


def lead(ws, weight, bias, rows):
    """Return all styles [S] of ws [num_ws, W]; None where there is no C. weight [S, W], bias [S], rows int64 [1, S]: the row of ws that each reads."""
    c = find_weighing()
    return c.lead(ws, weight, bias, rows) if c and _fit(ws, weight, bias) else None


def demodulate(energy, styles, gain):
    """Return what demodulation and gain scale each channel by, [O]: energy [O, I], styles [I]."""
    c = find_weighing()
    if c and _fit(energy, styles):
        return c.demodulate(energy, styles, gain)
    return torch.rsqrt(energy @ styles.square() + EPS) * gain


def sum_squares(weight):
    """Return the energy [O, I] of a kernel [O, I, kh, kw]: its squares, summed over the taps."""
    c = find_weighing()
    if c and _fit_kernel(weight):
        return c.sum_squares(weight)
    return weight.square().sum((2, 3))


def modulate(weight, styles, scale, dtype):
    """Return a kernel [O, I, kh, kw] times styles [I], and scale if it is not None, in a dtype. scale [O], or for a part of O, again and again."""
    c = find_weighing()
    if c and dtype in DTYPES and _fit_kernel(weight) and _fit(styles) and (scale is None or _fit(scale)):
        return c.modulate(weight, styles, scale, dtype)
    factors = styles.view(1, -1, 1, 1)
    if scale is not None:
        factors = factors * scale.repeat(len(weight) // len(scale)).view(-1, 1, 1, 1)
    return channels_last((weight * factors).to(dtype))


def turn(weight, dtype):
    """Return a kernel [O, I, kh, kw] as [T * O, I, 1, 1], tap by tap, in a dtype."""
    c = find_weighing()
    outputs, inputs, *window = weight.shape
    if c and dtype in DTYPES and _fit_kernel(weight):
        return c.turn(weight, dtype).view(-1, inputs, 1, 1)
    return weight.to(dtype).permute(2, 3, 0, 1).reshape(window[0] * window[1] * outputs, inputs, 1, 1)


def tint(weight, styles, bias, factor, offset):
    """Return (weight [3, C, 1, 1] * styles [C] * factor as [3, C], bias [3] * factor + offset)."""
    c = find_weighing()
    if c and _fit(weight, styles, bias):
        return c.tint(weight, styles, bias, factor, offset)
    return weight[:, :, 0, 0] * (styles * factor), bias * factor + offset


def mix(one, other, share: float, out):
    """Fill out with what lies between two tensors of its shape: one at share 0, other at 1."""
    c = find_weighing()
    if c and out.numel() > FEW and _fit(one, other, out) and one.stride() == other.stride() == out.stride():
        c.mix(one, other, share, out)
        increment_version(out)                                                      # torch has not seen that it was written to
    else:
        torch.lerp(one, other, share, out=out)


def _fit(*tensors) -> bool:
    """Return whether C can take these: one piece of memory each, in single precision, on a processor."""
    return all(tensor.is_cpu and tensor.dtype == torch.float32 and (tensor.is_contiguous() or _is_packed(tensor)) for tensor in tensors)


def _is_packed(tensor) -> bool:
    return tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def _fit_kernel(weight) -> bool:
    return weight.is_cpu and weight.dtype == torch.float32 and weight.is_contiguous(memory_format=torch.channels_last)
