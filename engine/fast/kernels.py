"""Single steps of a synthesis pass at batch 1 in their fast forms. Pure functions of tensors.

Everything is channels-last, so a pixel's channels lie together and pixels beside each other are more channels: a map
[1, C, H, W] is, without a copy, also [1, k C, H, W / k]. That is what makes narrow layers (4 or 8 channels) fast.
Letters: C, I, O channels, h, w the size of the input, H, W that of the output, p the parity of an output row.
"""
import torch
from torch.nn import functional as F

from engine.generator import SLOPE, fir

WIDE = 16                           # channels that fill a vector register
CHANNELS_LAST = torch.channels_last


def last(x):
    """x with its channels last in memory."""
    return x.contiguous(memory_format=CHANNELS_LAST)


def rows_of(x):
    """x [1, C, H, W] -> its memory as [H, W, C]."""
    return x.permute(0, 2, 3, 1)[0]


def settle(y, noise, clamp=None):
    """y [1, O, H, W] + noise (None: none), leaky ReLU, clamp; writes into y. The gain is in y and noise already."""
    if noise is not None:
        y.add_(noise)
    F.leaky_relu_(y, SLOPE)
    return y if clamp is None else y.clamp_(-clamp, clamp)


def spread(noise, channels):
    """A noise map [H, W] as it is added fastest: repeated for each channel, [1, C, H, W], where they are few."""
    if channels >= WIDE:
        return noise
    return last(noise.expand(1, channels, *noise.shape))


def polyphase(weight):
    """Up-convolution weight [O, I, 3, 3] (transposed orientation) -> [2, 2 O, I, 3, 3], the same with its FIR folded in.

    Result p gives the output rows of parity p; of its 2 O channels the first O are the even columns.
    Source: SPEC.md A.1 "Up-convolution"; the 6x6 kernel of both steps, taken apart by parity.
    """
    outputs, inputs = weight.shape[:2]
    low = fir(4, weight.device, weight.dtype)[None, None]
    flat = weight.reshape(outputs * inputs, 1, 3, 3)
    kernel = F.conv2d(flat, low, padding=3).reshape(outputs, inputs, 6, 6)          # the FIR is symmetric: its own mirror
    # output row 2 a + p takes input row a + t - 1 through row 4 + p - 2 t of the kernel, t = 0, 1, 2; columns alike
    taps = [[4 + p - 2 * t for t in range(3)] for p in range(2)]
    parts = [torch.stack([kernel[:, :, taps[p]][:, :, :, taps[q]] for q in range(2)]) for p in range(2)]
    return torch.stack(parts).reshape(2, 2 * outputs, inputs, 3, 3)


def interleaved(parts, other, out):
    """out [1, C, 2h, 2w] = rows p::2 from parts[p] [1, 2C, h, w] (see polyphase), + other of out's shape or [2h, 2w] or None."""
    height, width = parts[0].shape[2:]
    channels = out.shape[1]
    target = rows_of(out).view(height, 2, width, 2, channels)
    if other is not None:
        thin = other.ndim == 2
        other = (other[..., None] if thin else rows_of(other)).reshape(height, 2, width, 2, 1 if thin else channels)
        if not thin:
            other = other.reshape(height, 2, width * 2 * channels)
            target = target.view(height, 2, width * 2 * channels)
    for p in range(2):
        part = rows_of(parts[p]).reshape(height, *target.shape[2:])
        if other is None:
            target[:, p].copy_(part)
        else:
            torch.add(part, other[:, p], out=target[:, p])
    return out


def empty(channels, height, width, like):
    """An uninitialised map [1, C, H, W], channels last."""
    return torch.empty((1, channels, height, width), dtype=like.dtype, device=like.device, memory_format=CHANNELS_LAST)


def blur(y, scale, bias):
    """The FIR after a transposed convolution, y [1, O, 2h + 1, 2w + 1] -> [1, O, 2h, 2w], times scale [O], + bias [O]."""
    kernel = fir(4, y.device, y.dtype) * scale.view(-1, 1, 1, 1)
    return F.conv2d(y, kernel, bias, padding=1, groups=y.shape[1])


def to_rgb(x, weight, bias):
    """1x1 convolution x [1, I, H, W], weight [3, I], bias [3] -> [1, 3, H, W]; neighbours count as channels if I is small."""
    inputs, height, width = x.shape[1:]
    fold = 1
    while inputs * fold < WIDE and width % (2 * fold) == 0:
        fold *= 2
    if fold == 1:
        return F.conv2d(x, weight[:, :, None, None], bias)
    blocks = torch.block_diag(*[weight] * fold)                                     # [3 fold, I fold]
    folded = rows_of(x).reshape(1, height, width // fold, fold * inputs).permute(0, 3, 1, 2)
    y = F.conv2d(folded, blocks[:, :, None, None], bias.repeat(fold))               # [1, 3 fold, H, W / fold]
    return rows_of(y).reshape(1, height, width, 3).permute(0, 3, 1, 2)


def up_rgb(picture, rgb, kernels):
    """The skip path: picture [1, 3, h, w] at twice its size + rgb [1, 3, 2h, 2w]. kernels: from skip_kernels()."""
    parts = [F.conv2d(picture, kernels[p], padding=1) for p in range(2)]
    return interleaved(parts, rgb, torch.empty_like(rgb, memory_format=CHANNELS_LAST))


def skip_kernels(like, scale=1.0):
    """[2, 6, 3, 3, 3] for up_rgb: the FIR by parity of row (first axis) and column (first half of the second), * scale."""
    row = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]], device=like.device, dtype=like.dtype)
    kernel = torch.einsum("py,qx->pqyx", row, row) * scale                          # [2, 2, 3, 3]
    each = torch.eye(3, device=like.device, dtype=like.dtype)
    return torch.einsum("pqyx,ci->pqciyx", kernel, each).reshape(2, 6, 3, 3, 3)


def levels(dark: float = 0.0) -> tuple[float, float]:
    """(factor, offset) that bring a picture to 0..255 + 0.5, rounding as NVIDIA's scripts do, faded to black by `dark`."""
    light = 127.5 * (1 - dark)
    return light, light + 0.5


def to_bytes(picture, out):
    """picture [1, 3, H, W], brought to its levels() already, -> out uint8 [H, W, 3]; NaN becomes 0. Writes into picture."""
    picture.nan_to_num_(0.0).clamp_(0, 255)
    out.copy_(rows_of(picture))
