"""Single steps of a synthesis pass at batch 1 in their fast forms. Pure functions of tensors.

Everything is channels-last, so a pixel's channels lie together and pixels beside each other are more channels: a map
[1, C, H, W] is, without a copy, also [1, k C, H, W / k]. That is what makes narrow layers (4 or 8 channels) fast.
Letters: C, I, O channels, h, w the size of the input, H, W that of the output, p, q the parity of its rows and columns.
"""
import numpy as np
import torch
from torch.nn import functional as F

from engine.caching import make_once
from engine.generator import SLOPE, fir

FEW = 2                             # threads up to which NumPy's one turns numbers into bytes sooner than all of torch's
BAND = 3 << 17                      # numbers of a picture that are made bytes at a time: they stay in the processor's cache
WIDE = 16                           # channels that fill a vector register
CHANNELS_LAST = torch.channels_last


def channels_last(x):
    """Return x with its channels last in memory."""
    return x.contiguous(memory_format=CHANNELS_LAST)


def view_rows(x):
    """Return the memory of x [1, C, H, W] as [H, W, C]."""
    return x.permute(0, 2, 3, 1)[0]


def noise_act(y, noise, clamp=None):
    """Return y [1, O, H, W] + noise (None, or maps and their strength), activated and clamped; in place. The gain is in both already."""
    if noise is not None:
        maps, strength = noise
        y.add_(maps, alpha=strength)
    F.leaky_relu_(y, SLOPE)
    return y if clamp is None else y.clamp_(-clamp, clamp)


def spread(noise, channels):
    """Return a noise map [H, W] as it is added fastest: repeated for each channel, [1, C, H, W], where they are few."""
    if channels >= (2 * WIDE if noise.dtype == torch.bfloat16 else WIDE):           # registers hold twice as many halves
        return noise
    return channels_last(noise.expand(1, channels, *noise.shape))


@make_once(16)
def low_pass(device, dtype):
    """Return the FIR [4, 4] with gain 4, made once; not to be written to."""
    return fir(4, device, dtype)


def polyphase(weight):
    """Return an up-convolution weight [O, I, 3, 3] (transposed orientation) with its FIR folded in, [4 O, I, 3, 3].

    Result (p, q, o) is channel o of the output's rows of parity p and columns of parity q.
    Source: SPEC.md A.1 "Up-convolution"; the 6x6 kernel of both steps, taken apart by parity.
    """
    outputs, inputs = weight.shape[:2]
    low = low_pass(weight.device, weight.dtype)[None, None]
    flat = weight.reshape(outputs * inputs, 1, 3, 3)
    kernel = F.conv2d(flat, low, padding=3).reshape(outputs, inputs, 6, 6)          # the FIR is symmetric: its own mirror
    # output row 2 a + p takes input row a + t - 1 through row 4 + p - 2 t of the kernel, t = 0, 1, 2; columns alike
    taps = [[4 + p - 2 * t for t in range(3)] for p in range(2)]
    return torch.cat([kernel[:, :, taps[p]][:, :, :, taps[q]] for p in range(2) for q in range(2)])


def interleave(parts, other, out, times=1.0):
    """Fill out [1, C, 2h, 2w] with parts [1, 4 C, h, w] by parity (see polyphase), and return it.

    other: added `times` times; of out's shape, or [2h, 2w], or None.
    """
    height, width = parts.shape[2:]
    channels = out.shape[1]
    target = view_rows(out).view(height, 2, width, 2 * channels)
    source = view_rows(parts).reshape(height, width, 2, 2 * channels).transpose(1, 2)
    if other is not None and other.dtype != out.dtype and other.ndim == 4 and times == 1:
        out.copy_(other)                                                            # a sum of two dtypes costs more than making them one
        target.add_(source)
    elif other is None or other.dtype == torch.bfloat16:                            # which is not added in strides in vector registers
        _widen(target).copy_(_widen(source))
        if other is not None:
            out.add_(other, alpha=times)
    elif other.ndim == 4:
        torch.add(source, view_rows(other).reshape(target.shape), alpha=times, out=target)
    else:
        torch.add(source.unflatten(3, (2, channels)), other.view(height, 2, width, 2, 1), alpha=times, out=target.unflatten(3, (2, channels)))
    return out


def _widen(x):
    """Return x as numbers of 16 bytes each where its last axis, which is dense, has whole ones of them: fewer and larger ones to copy in strides."""
    return x.view(torch.complex128) if x.dtype == torch.bfloat16 and x.shape[-1] % 8 == 0 else x


def empty(channels, height, width, like):
    """Return an uninitialised map [1, C, H, W], channels last."""
    return torch.empty((1, channels, height, width), dtype=like.dtype, device=like.device, memory_format=CHANNELS_LAST)


def blur(y, scale, bias):
    """Return y [1, O, 2h + 1, 2w + 1], as a transposed convolution left it, under the FIR: [1, O, 2h, 2w], times scale [O], + bias [O]."""
    kernel = low_pass(y.device, y.dtype) * scale.view(-1, 1, 1, 1)
    return F.conv2d(y, kernel, bias, padding=1, groups=y.shape[1])


def to_rgb(x, weight, bias):
    """Return the 1x1 convolution [1, 3, H, W] of x [1, I, H, W] with weight [3, I] and bias [3], in x's dtype; neighbours count as channels if I is small."""
    inputs, height, width = x.shape[1:]
    weight, bias = weight.to(x.dtype), bias.to(x.dtype)
    fold = 1
    while inputs * fold < WIDE and width % (2 * fold) == 0:
        fold *= 2
    if fold == 1:
        return F.conv2d(x, weight[:, :, None, None], bias)
    blocks = torch.block_diag(*[weight] * fold)                                     # [3 fold, I fold]
    folded = view_rows(x).reshape(1, height, width // fold, fold * inputs).permute(0, 3, 1, 2)
    y = F.conv2d(folded, blocks[:, :, None, None], bias.repeat(fold))               # [1, 3 fold, H, W / fold]
    return view_rows(y).reshape(1, height, width, 3).permute(0, 3, 1, 2)


def up_rgb(picture, rgb, kernel):
    """Return the picture [1, 3, h, w] at twice its size + rgb [1, 3, 2h, 2w], if any: the skip path. kernel: from skip_kernel()."""
    return interleave(F.conv2d(picture, kernel, padding=1), rgb, empty(3, 2 * picture.shape[2], 2 * picture.shape[3], picture))


@make_once(64)
def skip_kernel(device, dtype, scale=1.0):
    """Return the kernel [12, 3, 3, 3] for up_rgb: the FIR by parity of row and column, and channel; times scale. Not to be written to."""
    row = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]], device=device, dtype=dtype)
    kernel = torch.einsum("py,qx->pqyx", row, row) * scale                          # [2, 2, 3, 3]
    each = torch.eye(3, device=device, dtype=dtype)
    return channels_last(torch.einsum("pqyx,ci->pqciyx", kernel, each).reshape(12, 3, 3, 3))


def levels(dark: float = 0.0) -> tuple[float, float]:
    """Return the (factor, offset) that bring a picture to 0..255 + 0.5, rounding as NVIDIA's scripts do, faded to black by `dark`."""
    light = 127.5 * (1 - dark)
    return light, light + 0.5


def to_bytes(picture, out):
    """Fill out, uint8 [H, W, 3], with a picture [1, 3, H, W] at its levels() already; NaN becomes 0. Writes into picture."""
    rows = view_rows(picture)
    if not (out.is_cpu and rows.is_cpu and torch.get_num_threads() <= FEW):
        out.copy_(rows.nan_to_num_(0.0).clamp_(0, 255))
        return
    count = max(1, BAND // (rows.shape[1] * rows.shape[2]))
    for some, into in zip(rows.split(count), out.split(count)):
        np.copyto(into.numpy(), some.nan_to_num_(0.0).clamp_(0, 255).numpy(), casting="unsafe")
