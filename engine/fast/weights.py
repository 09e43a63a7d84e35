"""What is done to weights and styles before maps are drawn: in C where this machine could compile that, else by torch.

Pure functions of tensors, but for mix_all(), which fills some. Letters: O, I channels out and in, T taps of a kernel.
"""
import math

import torch
from torch.autograd.graph import increment_version

from engine.compiled.functions import DTYPES
from engine.compiled.weights import find_weighing
from engine.fast.kernels import channels_last
from engine.generator import EPS


def lead(ws, weight, bias, rows):
    """Return all styles [S] of ws [num_ws, W]; None where there is no C. weight [S, W], bias [S], rows int64 [1, S]: the row of ws that each reads."""
    weighing = find_weighing()
    return weighing.lead(ws, weight, bias, rows) if weighing and _fit(ws, weight, bias) else None


def demodulate(energy, styles, gain):
    """Return what demodulation and gain scale each channel by, [O]: energy [O, I], styles [I]."""
    weighing = find_weighing()
    if weighing and _fit(energy, styles):
        return weighing.demodulate(energy, styles, gain)
    return torch.rsqrt(energy @ styles.square() + EPS) * gain


def sum_squares(weight):
    """Return the energy [O, I] of a kernel [O, I, kh, kw]: its squares, summed over the taps."""
    weighing = find_weighing()
    if weighing and _fit_kernel(weight):
        return weighing.sum_squares(weight)
    return weight.square().sum((2, 3))


def modulate(weight, styles, scale, dtype):
    """Return a kernel [O, I, kh, kw] times styles [I], and scale if it is not None, in a dtype. scale [O], or for a part of O, again and again."""
    weighing = find_weighing()
    if weighing and dtype in DTYPES and _fit_kernel(weight) and _fit(styles) and (scale is None or _fit(scale)):
        return weighing.modulate(weight, styles, scale, dtype)
    factors = styles.view(1, -1, 1, 1)
    if scale is not None:
        factors = factors * scale.repeat(len(weight) // len(scale)).view(-1, 1, 1, 1)
    return channels_last((weight * factors).to(dtype))


def turn(weight, dtype):
    """Return a kernel [O, I, kh, kw] as [T * O, I, 1, 1], tap by tap, in a dtype."""
    weighing = find_weighing()
    outputs, inputs, *window = weight.shape
    if weighing and dtype in DTYPES and _fit_kernel(weight):
        return weighing.turn(weight, dtype).view(-1, inputs, 1, 1)
    return weight.to(dtype).permute(2, 3, 0, 1).reshape(window[0] * window[1] * outputs, inputs, 1, 1)


def tint(weight, styles, bias, factor, offset):
    """Return (weight [3, C, 1, 1] * styles [C] * factor as [3, C], bias [3] * factor + offset)."""
    weighing = find_weighing()
    if weighing and _fit(weight, styles, bias):
        return weighing.tint(weight, styles, bias, factor, offset)
    return weight[:, :, 0, 0] * (styles * factor), bias * factor + offset


def map_one(mapping, z, c=None):
    """Return w [1, W] of z [1, Z], and of a label c [1, c_dim] if there are any: by a mapping network (engine.generator)."""
    weighing, layers = find_weighing(), [getattr(mapping, f"fc{i}") for i in range(mapping.depth)]
    if not weighing or not all(_fit(layer.weight, layer.bias) for layer in layers) or not _fit(z):
        return mapping(z, c)
    x = mapping.enter(z, c)[0]
    for layer in layers:
        x = weighing.connect(layer.weight, x, layer.bias, layer.lr_mul / math.sqrt(len(x)), layer.lr_mul)
    return x[None]


def mix_all(mixes: list[tuple]):
    """For each (one, other, share, out) fill out with what lies between two tensors of its shape: one at share 0, other at 1."""
    weighing = find_weighing()
    fitting: list[tuple] = []
    others: list[tuple] = []
    for mix in mixes:
        (fitting if weighing and _fit_mix(mix[0], mix[1], mix[3]) else others).append(mix)
    if weighing and fitting:
        weighing.mix_all(fitting)
        increment_version([mix[3] for mix in fitting])                              # torch has not seen that they were written to
    for one, other, share, out in others:
        torch.lerp(one, other, share, out=out)


def _fit_mix(one, other, out) -> bool:
    alike = all(tensor.is_cpu and tensor.dtype == torch.float32 and tensor.shape == out.shape and tensor.stride() == out.stride() for tensor in (one, other))
    return alike and _fit(out)


def _fit(*tensors) -> bool:
    """Return whether C can take these: one piece of memory each, in single precision, on a processor."""
    return all(tensor.is_cpu and tensor.dtype == torch.float32 and (tensor.is_contiguous() or _is_packed(tensor)) for tensor in tensors)


def _is_packed(tensor) -> bool:
    return tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def _fit_kernel(weight) -> bool:
    return weight.is_cpu and weight.dtype == torch.float32 and weight.is_contiguous(memory_format=torch.channels_last)
