"""The forms a styled convolution can be computed in, and which of them to take. Knows tensors and one layer.

A form is made from a layer's stored weight, told a style with modulate(), and then turns maps into activations with
form(x, noise), noise being None or (maps, their strength). The activation's gain is inside weight, bias and noise, since
the leaky ReLU lets it through. A form computes in the dtype it is made for; styles meet weights in the stored one.
Letters: I, O channels in and out, h, w size of the input.
"""
import torch
from torch.nn import functional as F

from engine.fast.kernels import channels_last, polyphase, view_rows
from engine.fast.passes import Ending, collect_taps, convolve_few, finish, finish_blurred, finish_parts, finish_woven
from engine.fast.weights import modulate, turn

NARROW = 8 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 4     # channels: half a vector register
LARGE = 1 << 19                     # numbers in a map that transposed convolutions slow down at: beyond the cache


class Form:
    """What all forms are made from: the stored weight [O, I, 3, 3], the clamp or None, and the dtype to compute in."""

    def __init__(self, weight, clamp, dtype=torch.float32):
        self.weight, self.clamp, self.dtype = channels_last(weight), clamp, dtype
        self._given = self._taken = None

    def _take_bias(self, bias, times=1):
        """Return a bias [O] so many times, in the dtype this form computes in; the same one as before while it is the same bias."""
        if bias is not self._given:
            self._given, self._taken = bias, bias.repeat(times).to(self.dtype)
        return self._taken


class Plain(Form):
    """A convolution that keeps the size: convolve(x) alone, and what is left to be done to its result."""

    def convolve(self, x):
        """Return the convolution [1, O, h, w] of x, which ending() belongs to."""
        raise NotImplementedError

    def ending(self, noise) -> Ending:
        """Return what is left to be done."""
        return Ending(noise, self.clamp)

    def __call__(self, x, noise):
        return finish(self.convolve(x), self.ending(noise))


class Weights(Plain):
    """Styles on the weight: fewer numbers than the maps have where those are large."""

    def modulate(self, styles, scale, bias):
        """Take a style in: styles [I], scale [O] (demodulation and gain), bias [O] (gain included)."""
        self.modulated, self.bias = modulate(self.weight, styles, scale, self.dtype), self._take_bias(bias)

    def convolve(self, x):
        y = convolve_few(x, self.modulated, self.bias)
        return F.conv2d(x, self.modulated, self.bias, padding=1) if y is None else y


class Maps(Plain):
    """Styles on the maps: where they are small and the weight is large."""

    def __init__(self, weight, clamp, dtype=torch.float32):
        super().__init__(weight.to(dtype), clamp, dtype)

    def modulate(self, styles, scale, bias):
        self.styles, self.scale, self.bias = styles.view(1, -1, 1, 1).to(self.dtype), scale, bias

    def convolve(self, x):
        return F.conv2d(x * self.styles, self.weight, padding=1)

    def ending(self, noise):
        return Ending(noise, self.clamp, self.scale, self.bias)


class Transposed(Form):
    """Up: transposed convolution, then the FIR, which also scales and adds the bias."""

    def modulate(self, styles, scale, bias):
        self.modulated, self.scale, self.bias = modulate(self.weight, styles, None, self.dtype).transpose(0, 1), scale, bias

    def __call__(self, x, noise):
        y = F.conv_transpose2d(x, self.modulated, stride=2)                         # [1, O, 2h + 1, 2w + 1]
        return finish_blurred(y, Ending(noise, self.clamp, self.scale, self.bias))


class TransposedMaps(Transposed):
    """The same with the styles on the maps."""

    def __init__(self, weight, clamp, dtype=torch.float32):
        super().__init__(weight.to(dtype), clamp, dtype)

    def modulate(self, styles, scale, bias):
        self.styles, self.scale, self.bias = styles.view(1, -1, 1, 1).to(self.dtype), scale, bias
        self.modulated = self.weight.transpose(0, 1)

    def __call__(self, x, noise):
        return super().__call__(x * self.styles, noise)


class Parities(Form):
    """Up: four plain convolutions, one for each parity of rows and columns, then the FIR over all four."""

    CUTS = tuple((rows, columns) for rows in ((2, 0), (1,)) for columns in ((2, 0), (1,)))      # taps an even, an odd place gets

    def __init__(self, weight, clamp, dtype=torch.float32):
        super().__init__(weight, clamp, dtype)
        self.weights = [channels_last(weight[:, :, rows][:, :, :, columns]) for rows, columns in self.CUTS]

    def modulate(self, styles, scale, bias):
        self.modulated = [modulate(weight, styles, None, self.dtype) for weight in self.weights]
        self.scale, self.bias = scale, bias

    def __call__(self, x, noise):
        parts = [F.conv2d(x, weight, padding=(len(rows) - 1, len(columns) - 1)) for weight, (rows, columns) in zip(self.modulated, self.CUTS)]
        return finish_parts(parts, Ending(noise, self.clamp, self.scale, self.bias))


class Taps(Form):
    """Up: one matrix product for all nine taps of the kernel, added up where they belong, then the FIR. For small maps."""

    def __init__(self, weight, clamp, dtype=torch.float32):
        super().__init__(weight, clamp, dtype)
        self.outputs = weight.shape[0]
        self.matrix = turn(channels_last(weight), dtype)

    def modulate(self, styles, scale, bias):
        self.styles, self.scale, self.bias = styles.to(self.dtype), scale, bias

    def __call__(self, x, noise):
        height, width = x.shape[2:]
        products = F.conv2d(x * self.styles.view(1, -1, 1, 1), self.matrix)         # libraries do this faster than a product of matrices
        y = collect_taps(view_rows(products).reshape(height, width, 3, 3, self.outputs))
        return finish_blurred(y, Ending(noise, self.clamp, self.scale, self.bias))


class Polyphase(Form):
    """Up: one 3x3 convolution for all four parities of rows and columns, the FIR folded into its weight. For few channels."""

    def __init__(self, weight, clamp, dtype=torch.float32):
        super().__init__(polyphase(weight), clamp, dtype)
        self.outputs = weight.shape[0]

    def modulate(self, styles, scale, bias):
        self.modulated, self.bias = modulate(self.weight, styles, scale, self.dtype), self._take_bias(bias, times=4)

    def __call__(self, x, noise):
        parts = F.conv2d(x, self.modulated, self.bias, padding=1)                   # [1, 4 O, h, w]
        return finish_woven(parts, Ending(noise, self.clamp))


PLAIN = {form.__name__: form for form in (Weights, Maps)}
UP = {form.__name__: form for form in (Transposed, TransposedMaps, Parities, Taps, Polyphase)}


def candidates(conv) -> dict:
    """Return the forms that a layer can be computed in, by name."""
    return UP if conv.up else PLAIN


def find_usual(conv, dtype=torch.float32) -> str:
    """Return the name of the form that was fastest for such a layer on the machines it was measured on (docs/speed.md)."""
    outputs, inputs = conv.weight.shape[:2]
    pixels = conv.size[0] * conv.size[1] // (4 if conv.up else 1)                   # of the input
    if not conv.up:
        return "Weights" if outputs * 9 < pixels else "Maps"
    if pixels <= 16 * 16:
        return "Taps"
    if outputs <= NARROW:
        return "Polyphase"
    if outputs >= (32 if dtype == torch.float32 else 64) and inputs * pixels >= LARGE:
        return "Parities"
    return "Transposed" if outputs * 9 < pixels else "TransposedMaps"


def find_fastest(conv, cost, margin=0.85, dtype=torch.float32) -> str:
    """Return the name of the form that measures fastest here, cost(function) -> seconds; the usual one, unless another is clearly faster."""
    scale = 2 if conv.up else 1
    outputs, inputs = conv.weight.shape[:2]
    x = channels_last(torch.randn(1, inputs, conv.size[0] // scale, conv.size[1] // scale, device=conv.weight.device)).to(dtype)
    costs = {}
    for name, form in candidates(conv).items():
        ready = form(conv.weight, conv.clamp, dtype)
        ready.modulate(torch.ones(inputs, device=x.device), torch.ones(outputs, device=x.device), conv.bias)
        ready(x, None)
        costs[name] = cost(lambda ready=ready: ready(x, None))
    best = min(costs, key=lambda name: costs[name])
    preferred = find_usual(conv, dtype)
    return best if costs[best] < margin * costs[preferred] else preferred
