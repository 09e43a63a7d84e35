"""What lies between convolutions on a GPU, each in one pass over the maps: Triton kernels.

cuDNN leaves bias, noise and activation as passes of their own, each of which reads and writes the whole map; it is slow at
the FIR of many channels, and every small step is a launch. Triton is optional: unfused.py does the same with torch's own
operations, and operations.py says which of the two plays. Letters: I, O channels in and out, H, W size. Arithmetic is in
float32, whatever the maps are.
"""
import torch
import triton
from triton import language as tl

from engine.fast import unfused
from engine.fast.kernels import view_rows
from engine.generator import EPS, SLOPE

BLOCK, SMALL = 1024, 256            # numbers that one program works on, and of those with many registers
PIXELS = 64                         # likewise, of toRGB
CHUNK = 64                          # channels it reads at a time
ROWS, COLUMNS = 16, 64              # outputs and inputs that one program modulates


def bias_noise_act(y, scale, bias, noise=None, strength=None, bound=None):
    """See unfused.bias_noise_act."""
    if not _has_channels_last(y):
        return unfused.bias_noise_act(y, scale, bias, noise, strength, bound)
    numbers = y.numel()
    _bias_noise_act[(triton.cdiv(numbers, BLOCK),)](y, scale, bias, noise, strength, bound, numbers, y.shape[1])
    return y


def fir_act(y, bias, noise=None, strength=None, bound=None):
    """See unfused.fir_act."""
    if not _has_channels_last(y):
        return unfused.fir_act(y, bias, noise, strength, bound)
    channels, height, width = y.shape[1], y.shape[2] - 1, y.shape[3] - 1
    out = torch.empty((1, channels, height, width), dtype=y.dtype, device=y.device, memory_format=torch.channels_last)
    _fir_act[(triton.cdiv(out.numel(), SMALL),)](y, out, bias, noise, strength, bound, height, width, channels)
    return out


def modulate(weight, energy, styles, gain, dtype, up=False):
    """See unfused.modulate; what is given back is channels last, as cuDNN wants it."""
    outputs, inputs = weight.shape[:2]
    if not (weight.is_contiguous(memory_format=torch.channels_last) and energy.is_contiguous() and styles.is_contiguous()):
        return unfused.modulate(weight, energy, styles, gain, dtype, up)
    shape = (inputs, outputs, 3, 3) if up else (outputs, inputs, 3, 3)
    out = torch.empty(shape, dtype=dtype, device=weight.device, memory_format=torch.channels_last)
    grid = (triton.cdiv(outputs, ROWS), triton.cdiv(inputs, COLUMNS))
    _modulate[grid](weight, energy, styles, out, gain, outputs, inputs, UP=up)
    return out


def add_rgb(x, weight, bias, bound=None, picture=None, around=None):
    """See unfused.add_rgb."""
    if around is not None or not _has_channels_last(x):
        return unfused.add_rgb(x, weight, bias, bound, picture, around)
    out = torch.empty((1, 3, *x.shape[2:]), device=x.device, memory_format=torch.channels_last)
    _launch_rgb(x, weight, bias, (None, None), bound, picture, out)
    return out


def finish_rgb(x, weight, bias, levels, out, bound=None, picture=None, around=None):
    """See unfused.finish_rgb."""
    if around is not None or not (_has_channels_last(x) and out.is_contiguous()):
        unfused.finish_rgb(x, weight, bias, levels, out, bound, picture, around)
        return
    _launch_rgb(x, weight, bias, levels, bound, picture, out)


def _launch_rgb(x, weight, bias, levels, bound, picture, out):
    channels, height, width = x.shape[1:]
    small = None if picture is None else view_rows(picture).contiguous()
    chunk = min(CHUNK, triton.next_power_of_2(channels))
    _to_rgb[(triton.cdiv(height * width, PIXELS),)](x, weight.contiguous(), bias, small, out, *levels, bound, height, width, channels,
                                                    WIDTH=chunk)


def _has_channels_last(x):
    return x.is_contiguous(memory_format=torch.channels_last)


LEAK, LEAST = tl.constexpr(SLOPE), tl.constexpr(EPS)
SIZE, FEW, AT_ONCE, OUTPUTS, INPUTS = (tl.constexpr(number) for number in (BLOCK, SMALL, PIXELS, ROWS, COLUMNS))


@triton.jit
def _clamp(value, bound):
    """NaN stays, as torch's clamp leaves it: whoever looks for it later finds it."""
    return tl.where(value == value, tl.minimum(tl.maximum(value, -bound), bound), value)


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
        value = _clamp(value, bound)
    tl.store(y + at, value.to(y.dtype.element_ty), mask=inside)


@triton.jit
def _fir_act(y, out, bias, noise, strength, bound, height, width, channels):
    """y [H + 1, W + 1, O] -> out [H, W, O]."""
    at = tl.program_id(0) * FEW + tl.arange(0, FEW)
    inside = at < height * width * channels
    channel, pixel = at % channels, at // channels
    row, column = pixel // width, pixel % width
    value = tl.load(bias + channel, mask=inside, other=0.0)
    for a in tl.static_range(4):
        for b in tl.static_range(4):
            r, q = row + (a - 1), column + (b - 1)
            there = inside & (r >= 0) & (r <= height) & (q >= 0) & (q <= width)
            share = (0.75 if a == 1 or a == 2 else 0.25) * (0.75 if b == 1 or b == 2 else 0.25)
            value += share * tl.load(y + (r * (width + 1) + q) * channels + channel, mask=there, other=0.0).to(tl.float32)
    if noise is not None:
        value += tl.load(noise + pixel, mask=inside, other=0.0) * tl.load(strength)
    value = tl.where(value < 0, value * LEAK, value)
    if bound is not None:
        value = _clamp(value, bound)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _modulate(weight, energy, styles, out, gain, outputs, inputs, UP: tl.constexpr):
    """weight [O, 9, I] -> out, the same shape, or [I, 9, O] where UP. A program has a block of it, and the energy of all its rows."""
    o, i = tl.program_id(0) * OUTPUTS + tl.arange(0, OUTPUTS), tl.program_id(1) * INPUTS + tl.arange(0, INPUTS)
    total = tl.zeros((OUTPUTS,), tl.float32)
    for start in range(0, inputs, INPUTS):
        k = start + tl.arange(0, INPUTS)
        style = tl.load(styles + k, mask=k < inputs, other=0.0)
        rows = tl.load(energy + o[:, None] * inputs + k[None, :], mask=(o[:, None] < outputs) & (k[None, :] < inputs), other=0.0)
        total += tl.sum(rows * (style * style)[None, :], 1)
    inside = (o[:, None] < outputs) & (i[None, :] < inputs)
    times = (gain / tl.sqrt(total + LEAST))[:, None] * tl.load(styles + i, mask=i < inputs, other=0.0)[None, :]
    for tap in range(9):
        value = tl.load(weight + (o[:, None] * 9 + tap) * inputs + i[None, :], mask=inside, other=0.0) * times
        if UP:
            there = out + (i[None, :] * 9 + tap) * outputs + o[:, None]
        else:
            there = out + (o[:, None] * 9 + tap) * inputs + i[None, :]
        tl.store(there, value.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _to_rgb(x, weight, bias, small, out, factor, offset, bound, height, width, channels, WIDTH: tl.constexpr):
    """x [H, W, I], weight [3, I], small [H / 2, W / 2, 3] or None -> out [H, W, 3]; with a factor, in levels of 0 to 255."""
    pixel = tl.program_id(0) * AT_ONCE + tl.arange(0, AT_ONCE)
    inside = pixel < height * width
    row, column = pixel // width, pixel % width
    red, green, blue = tl.zeros((AT_ONCE,), tl.float32), tl.zeros((AT_ONCE,), tl.float32), tl.zeros((AT_ONCE,), tl.float32)
    for start in range(0, channels, WIDTH):
        channel = start + tl.arange(0, WIDTH)
        known = channel < channels
        place = x + pixel[:, None].to(tl.int64) * channels + channel[None, :]
        maps = tl.load(place, mask=inside[:, None] & known[None, :], other=0.0).to(tl.float32)
        red += tl.sum(maps * tl.load(weight + channel, mask=known, other=0.0)[None, :], 1)
        green += tl.sum(maps * tl.load(weight + channels + channel, mask=known, other=0.0)[None, :], 1)
        blue += tl.sum(maps * tl.load(weight + 2 * channels + channel, mask=known, other=0.0)[None, :], 1)
    red, green, blue = red + tl.load(bias), green + tl.load(bias + 1), blue + tl.load(bias + 2)
    if bound is not None:
        red, green, blue = _clamp(red, bound), _clamp(green, bound), _clamp(blue, bound)
    if small is not None:
        near_row, near_column = row // 2, column // 2
        for a in tl.static_range(2):
            for b in tl.static_range(2):
                r = near_row + a * ((row % 2) * 2 - 1)
                q = near_column + b * ((column % 2) * 2 - 1)
                there = inside & (r >= 0) & (r < height // 2) & (q >= 0) & (q < width // 2)
                share = (0.75 if a == 0 else 0.25) * (0.75 if b == 0 else 0.25)
                near = small + (r * (width // 2) + q) * 3
                red += share * tl.load(near, mask=there, other=0.0)
                green += share * tl.load(near + 1, mask=there, other=0.0)
                blue += share * tl.load(near + 2, mask=there, other=0.0)
    if factor is not None:
        times, plus = tl.load(factor), tl.load(offset)
        red, green, blue = _to_level(red * times + plus), _to_level(green * times + plus), _to_level(blue * times + plus)
    tl.store(out + pixel * 3, red.to(out.dtype.element_ty), mask=inside)
    tl.store(out + pixel * 3 + 1, green.to(out.dtype.element_ty), mask=inside)
    tl.store(out + pixel * 3 + 2, blue.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _to_level(value):
    """Return the value within 0 and 255; NaN is 0."""
    return tl.minimum(tl.maximum(tl.where(value == value, value, 0.0), 0.0), 255.0)
