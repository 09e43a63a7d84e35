"""What a picture needs besides its convolutions, each in one pass over the maps, in C. Knows tensors on a processor.

find_passes() says whether there are any on this machine; maps that they can't take (fits()) are left to torch's operations.
Letters: C channels, h, w size of a map, H, W that of one twice as large. Everything is channels last, one picture.
"""
import ctypes
import math
from functools import lru_cache

import torch

from engine.compiled.build import load_library
from engine.generator import SLOPE

DTYPES = {torch.float32: "single", torch.bfloat16: "half"}
FEW = 4                             # channels of the one convolution there is: libraries fill such up to 16
NARROW = (4, 8)                     # channels below 16 that fill a vector register with whole pixels
WIDE = 16                           # channels, and their multiples

Pointer, Long, Float, Int = ctypes.c_void_p, ctypes.c_long, ctypes.c_float, ctypes.c_int


class Activation(ctypes.Structure):
    """struct activation of passes.c."""
    _fields_ = [("maps", Pointer), ("spread", ctypes.c_int32), ("strength", Float), ("slope", Float), ("clamp", Float), ("scale", Pointer), ("bias", Pointer)]


class Picture(ctypes.Structure):
    """struct picture of passes.c."""
    _fields_ = [("weight", Pointer), ("bias", Pointer), ("low", Float), ("high", Float), ("below", Pointer), ("factor", Float), ("whole", Pointer),
                ("bytes", Pointer)]


ARGUMENTS = {
    "finish": (Pointer, Long, Long, Pointer, Long),
    "blur": (Pointer, Pointer, Long, Long, Long, Long, Pointer, Pointer, Long),
    "weave": (Pointer, Long, Long, Long, Pointer, Pointer, Long),
    "draw": (Pointer, Long, Long, Long, Pointer, Int, Pointer, Long),
    "collect": (Pointer, Long, Long, Long, Pointer, Long),
    "convolve": (Pointer, Long, Long, Pointer, Pointer, Pointer, Long),
}


CARRY = (Pointer, Long, Long, Pointer, Long, Long, Float, Float, Float, Int, Pointer, Pointer, Long)       # of pictures, not of maps
LAY = (Pointer, Long, Long, Pointer, Long, Long, Float, Int, Long)
ENLARGE = (Pointer, Long, Long, Pointer, Long, Long, Long)


@lru_cache(maxsize=1)
def find_passes() -> "Passes | None":
    """Return this machine's compiled passes, None where there are none."""
    library = load_library()
    return Passes(library) if library else None


def fits(x) -> bool:
    """Return whether the passes can take these maps [1, C, H, W]."""
    return (x.dtype in DTYPES and x.is_cpu and x.shape[0] == 1 and x.shape[3] % 4 == 0 and (x.shape[1] % WIDE == 0 or x.shape[1] in NARROW)
            and x.is_contiguous(memory_format=torch.channels_last))


class Passes:
    """The functions of passes.c, on tensors that fit(). ending, colours: see engine.fast.passes."""

    def __init__(self, library):
        self._functions = {}
        for name, arguments in ARGUMENTS.items():
            for dtype, suffix in DTYPES.items():
                function = getattr(library, f"{name}_{suffix}")
                function.argtypes, function.restype = arguments, Int if name == "draw" else None
                self._functions[name, dtype] = function
        self._carry, self._lay, self._enlarge = library.carry, library.lay, library.enlarge
        self._carry.argtypes, self._lay.argtypes, self._enlarge.argtypes = CARRY, LAY, ENLARGE
        self._carry.restype = self._lay.restype = self._enlarge.restype = None

    def convolve(self, x, weight, bias):
        """Return the convolution [1, 4, H, W] of x [1, 4, H, W] with weight [3, 3, 4 in, 4 out] and bias [4], which are in float32."""
        y = torch.empty_like(x)
        self._functions["convolve", x.dtype](x.data_ptr(), *x.shape[2:], weight.data_ptr(), bias.data_ptr(), y.data_ptr(), torch.get_num_threads())
        return y

    def collect(self, products):
        """Return an up-convolution's result [1, C, 2h + 1, 2w + 1] of products [h, w, 3, 3, C] of each pixel with every tap; C is a multiple of 16."""
        height, width, _, _, channels = products.shape
        y = torch.empty((1, channels, 2 * height + 1, 2 * width + 1), dtype=products.dtype, memory_format=torch.channels_last)
        self._functions["collect", y.dtype](products.data_ptr(), height, width, channels, y.data_ptr(), torch.get_num_threads())
        return y

    def finish(self, y, ending):
        """Return maps y [1, C, H, W] with their ending, in place."""
        activation = _to_struct(ending, y)
        self._functions["finish", y.dtype](y.data_ptr(), y.shape[2] * y.shape[3], y.shape[1], ctypes.addressof(activation), torch.get_num_threads())
        return y

    def blur(self, parts, ending):
        """Return maps [1, C, 2h, 2w], C a multiple of 16, under the FIR and with their ending.

        parts: of the result of an up-convolution [1, C, 2h + 1, 2w + 1] what lies in rows and columns of parity (0, 0), (0, 1), (1, 0), (1, 1).
        """
        channels, height, width = parts[3].shape[1:]
        out = _make_twice_as_large(parts[3], channels)
        pointers, strides = (Pointer * 4)(*(part.data_ptr() for part in parts)), (Long * 4)(*(part.stride(2) for part in parts))
        activation = _to_struct(ending, out)
        self._functions["blur", out.dtype](ctypes.addressof(pointers), ctypes.addressof(strides), parts[3].stride(3), height, width, channels,
                                           out.data_ptr(), ctypes.addressof(activation), torch.get_num_threads())
        return out

    def weave(self, parts, ending):
        """Return maps [1, C, 2h, 2w], C one of NARROW, of parts [1, 4 C, h, w] put in place by parity (engine.fast.kernels.polyphase), with their ending."""
        channels, (height, width) = parts.shape[1] // 4, parts.shape[2:]
        out = _make_twice_as_large(parts, channels)
        activation = _to_struct(ending, out)
        self._functions["weave", out.dtype](parts.data_ptr(), height, width, channels, out.data_ptr(), ctypes.addressof(activation), torch.get_num_threads())
        return out

    def draw(self, x, colours, ending=None, keep=True, out=None):
        """Return (the picture [1, 3, H, W] of maps x [1, C, H, W], True), or (out, whether the picture was finite).

        ending: what is done to the maps first, None = nothing; keep: x is changed by that, else it is not written to.
        out: uint8 [H, W, 3] to put the picture in.
        """
        height, width = x.shape[2:]
        picture = torch.empty((1, 3, height, width), memory_format=torch.channels_last) if out is None else out
        weight, bias = colours.weight.contiguous(), colours.bias.contiguous()
        below = None if colours.below is None else colours.below.contiguous(memory_format=torch.channels_last)
        pointers = (None if tensor is None else tensor.data_ptr() for tensor in (weight, bias, below, picture if out is None else None, out))
        struct = Picture(next(pointers), next(pointers), *(colours.limits or (-math.inf, math.inf)), next(pointers), colours.factor, *pointers)
        activation = None if ending is None else _to_struct(ending, x)
        finite = self._functions["draw", x.dtype](x.data_ptr(), height, width, x.shape[1], None if activation is None else ctypes.addressof(activation), keep,
                                                  ctypes.addressof(struct), torch.get_num_threads())
        return picture, bool(finite)

    def carry(self, trail, pixels, matrix, left, over):
        """Return (a trail float32 [h, w, 4], moved and dimmed; the same with a picture in it, uint8 [H, W, 3]); see engine.echo.

        matrix: (cosine, sine) of how far it is turned, over how much larger it becomes. left: of its light; over: whether it covers the picture.
        """
        before, after = torch.empty_like(trail), torch.empty_like(trail)
        self._carry(pixels.data_ptr(), *pixels.shape[:2], trail.data_ptr(), *trail.shape[:2], *matrix, left, over,
                    before.data_ptr(), after.data_ptr(), torch.get_num_threads())
        return before, after

    def lay(self, pixels, trail, amount, over):
        """Bring a picture uint8 [H, W, 3], W a multiple of 4, so far towards a trail [h, w, 4], in place: where that is brighter, or everywhere if over."""
        self._lay(pixels.data_ptr(), *pixels.shape[:2], trail.data_ptr(), *trail.shape[:2], amount, over, torch.get_num_threads())

    def enlarge(self, small, pixels):
        """Fill pixels, uint8 [H, W, 3], W a multiple of 4, with a picture, uint8 [h, w, 3], bilinear."""
        self._enlarge(small.data_ptr(), *small.shape[:2], pixels.data_ptr(), *pixels.shape[:2], torch.get_num_threads())


def _make_twice_as_large(like, channels):
    """Return uninitialised maps [1, channels, 2h, 2w], channels last."""
    return torch.empty((1, channels, 2 * like.shape[2], 2 * like.shape[3]), dtype=like.dtype, memory_format=torch.channels_last)


def _to_struct(ending, maps) -> Activation:
    """Return the ending of these maps as C reads it; it keeps the noise that it points to."""
    noise, strength = ending.noise or (None, 0.0)
    spread = noise is not None and (noise.ndim == 4 or maps.shape[1] < WIDE)
    if noise is not None:
        noise = noise.to(maps.dtype)
        noise = noise.expand(maps.shape).contiguous(memory_format=torch.channels_last) if spread else noise.contiguous()
    clamp = math.inf if ending.clamp is None else ending.clamp
    pointers = (None if tensor is None else tensor.data_ptr() for tensor in (noise, ending.scale, ending.bias))
    struct = Activation(next(pointers), spread, strength, SLOPE, clamp, *pointers)
    struct.kept = noise
    return struct
