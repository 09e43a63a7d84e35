"""What is done to weights and styles, in C: for a CPU, in float32, each in one pass. Knows tensors.

find_weighing() says whether there is any on this machine. The numbers are few; called one by one, torch's operations take longer to begin and to wake
their threads than to compute. Letters: O, I channels out and in, T taps of a kernel, W width of w.
"""
import ctypes
from functools import lru_cache

import torch

from engine.compiled.build import load_library
from engine.compiled.functions import DTYPES, Float, Int, Long, Pointer
from engine.generator import EPS, GAIN, SLOPE

MANY = 1 << 18                      # numbers from which on it is worth it to wake a thread
SCATTERED = 1 << 16                 # the same where they come from memory, and three times as many


class Mix(ctypes.Structure):
    """struct mix of styles.h."""
    _fields_ = [("one", Pointer), ("other", Pointer), ("out", Pointer), ("count", Long), ("share", Float)]


ARGUMENTS = {
    "lead": (Pointer, Pointer, Pointer, Pointer, Long, Long, Pointer, Long),
    "connect": (Pointer, Pointer, Pointer, Long, Long, Float, Float, Float, Float, Pointer, Long),
    "demodulate": (Pointer, Pointer, Long, Long, Float, Float, Pointer, Long),
    "sum_squares": (Pointer, Long, Long, Long, Pointer, Long),
    "mix_all": (Pointer, Long, Long),
    "tint": (Pointer, Pointer, Pointer, Long, Float, Float, Pointer),
    "modulate_single": (Pointer, Long, Long, Long, Pointer, Pointer, Long, Int, Pointer, Long),
}
ARGUMENTS["modulate_half"] = ARGUMENTS["modulate_single"]


@lru_cache(maxsize=1)
def find_weighing() -> "Weighing | None":
    """Return this machine's compiled functions of weights, None where there are none."""
    library = load_library()
    return Weighing(library) if library else None


class Weighing:
    """The functions of styles.h and weights.h, on tensors of float32 on a processor, in one piece, kernels channels last."""

    def __init__(self, library):
        self._functions = {}
        for name, arguments in ARGUMENTS.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, None
            self._functions[name] = function
        self._modulate = {dtype: self._functions[f"modulate_{suffix}"] for dtype, suffix in DTYPES.items()}

    def lead(self, ws, weight, bias, rows):
        """Return all styles [S] of ws [num_ws, W]: weight [S, W], bias [S], rows int64 [S]: the row of ws that each reads."""
        out = torch.empty_like(bias)
        self._functions["lead"](ws.data_ptr(), weight.data_ptr(), bias.data_ptr(), rows.data_ptr(), *weight.shape, out.data_ptr(), _count_threads(weight))
        return out

    def connect(self, weight, x, bias, scale, bias_scale):
        """Return a fully connected layer's activations [O]: weight [O, I] @ x [I] * scale + bias [O] * bias_scale, leaky ReLU, and its gain."""
        out = torch.empty(len(bias))
        self._functions["connect"](weight.data_ptr(), x.data_ptr(), bias.data_ptr(), *weight.shape, scale, bias_scale, SLOPE, GAIN, out.data_ptr(),
                                   _count_threads(weight))
        return out

    def demodulate(self, energy, styles, gain):
        """Return gain / sqrt(energy @ styles^2 + EPS), [O]; energy [O, I], styles [I]."""
        out = torch.empty(energy.shape[0])
        self._functions["demodulate"](energy.data_ptr(), styles.data_ptr(), *energy.shape, gain, EPS, out.data_ptr(), _count_threads(energy))
        return out

    def sum_squares(self, weight):
        """Return the sums of a kernel's [O, I, kh, kw] squares over its taps, [O, I]."""
        outputs, inputs, *window = weight.shape
        out = torch.empty(outputs, inputs)
        self._functions["sum_squares"](weight.data_ptr(), outputs, window[0] * window[1], inputs, out.data_ptr(), _count_threads(weight))
        return out

    def mix_all(self, mixes):
        """For each (one, other, share, out) fill out with what lies between two tensors of its shape and layout: one at 0, other at 1."""
        table = (Mix * len(mixes))(*[Mix(one.data_ptr(), other.data_ptr(), out.data_ptr(), out.numel(), share) for one, other, share, out in mixes])
        total = sum(one.count for one in table)
        self._functions["mix_all"](ctypes.addressof(table), total, torch.get_num_threads() if total >= SCATTERED else 1)

    def tint(self, weight, styles, bias, factor, offset):
        """Return (weight [3, C, 1, 1] * styles [C] * factor as [3, C], bias [3] * factor + offset)."""
        channels = weight.shape[1]
        out = torch.empty(4, channels) if channels > 3 else torch.empty(4, 3)
        self._functions["tint"](weight.data_ptr(), styles.data_ptr(), bias.data_ptr(), channels, factor, offset, out.data_ptr())
        return out.view(-1)[:3 * channels].view(3, channels), out.view(-1)[3 * channels:3 * channels + 3]

    def modulate(self, weight, styles, scale, dtype):
        """Return a kernel [O, I, kh, kw] times styles [I] and scale, channels last, in a dtype; None for either: by nothing. scale [O], or for a part of O."""
        return self._multiply(weight, styles, scale, False, torch.empty_like(weight, dtype=dtype))

    def turn(self, weight, dtype):
        """Return a kernel [O, I, kh, kw] as [T, O, I], in a dtype."""
        outputs, inputs, *window = weight.shape
        return self._multiply(weight, None, None, True, torch.empty(window[0] * window[1], outputs, inputs, dtype=dtype))

    def _multiply(self, weight, styles, scale, turned, out):
        outputs, inputs, *window = weight.shape
        given = [None if tensor is None else tensor.data_ptr() for tensor in (styles, scale)]
        scales = outputs if scale is None else len(scale)
        self._modulate[out.dtype](weight.data_ptr(), outputs, window[0] * window[1], inputs, *given, scales, turned, out.data_ptr(), _count_threads(weight))
        return out


def _count_threads(numbers) -> int:
    return torch.get_num_threads() if numbers.numel() >= MANY else 1
