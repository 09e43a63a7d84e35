"""Which numbers a network is computed in: float32, or a half precision where it is fast here and does this checkpoint no harm.

On processors that multiply bfloat16 (AVX-512 BF16, AMX, ARM BF16) convolutions take half the time in it; on others they
take longer. Both are measured, not looked up: the speed with the caller's clock, the harm on pictures of this checkpoint.
"""
import contextlib
import hashlib
import json
import math
from pathlib import Path

import torch
from torch.nn import functional as F

from engine.architecture import PRECISIONS
from engine.bending import Bend
from engine.checkpoints.native import generator_hash
from engine.compiled.functions import find_passes
from engine.errors import UserError
from engine.fast.graph_renderer import FP16_BOUND, FP16_FROM, FP16_SAFE
from engine.fast.kernels import channels_last
from engine.fast.synthesis import HALF_FROM, Synthesis
from engine.files import find_cache, write_text

FASTER = 1.25                       # times, at which half precision is worth its rounding
MEAN, WORST, SHARE = 2.0, 8.0, 0.999        # levels of 255 that pictures may differ by: on average, and for this share of all numbers
SEEDS = 3
LARGEST = 512                       # px: harm is measured at this size where the network draws larger ones, which cost seconds


def choose_precision(generator, asked="auto", size=None, cost=None, folder=None) -> str:
    """Return "fp32", "bf16" (processors) or "fp16" (CUDA) for a generator that draws at a size in pixels.

    asked: one of PRECISIONS. cost(function) -> seconds, without which a processor's speed is not known and auto is fp32.
    folder: where what was measured of a checkpoint is kept, and found again at the next start; None = nowhere.
    UserError where this device or this network has no such precision.
    """
    kind, device = generator.architecture.kind, generator.device.type
    half = {"cpu": "bf16", "cuda": "fp16"}.get(device)
    if asked not in PRECISIONS:
        raise UserError(f"precision {asked!r}: expected {', '.join(PRECISIONS)}")
    if asked in ("bf16", "fp16") and asked != half:
        raise UserError(f"precision {asked}: not on {device}; there: auto, fp32" + (f", {half}" if half else ""))
    if asked in ("bf16", "fp16") and kind != "skip":
        raise UserError(f"precision {asked}: only for skip networks, and this one's architecture is {kind}; there: fp32")
    if asked != "auto":
        return asked
    if half is None or kind != "skip":
        return "fp32"
    if device == "cuda":
        return half if is_half_safe(generator) else "fp32"
    return half if cost and is_fast(cost) and is_harmless(generator, size, folder) else "fp32"


@torch.no_grad()
def is_fast(cost) -> bool:
    """Return whether this processor convolves clearly faster in bfloat16, by cost(function) -> seconds."""
    x, weight = channels_last(torch.ones(1, 64, 64, 64)), channels_last(torch.ones(64, 64, 3, 3))
    halves = x.bfloat16(), weight.bfloat16()
    slow, fast = (lambda: F.conv2d(x, weight, padding=1)), (lambda: F.conv2d(*halves, padding=1))
    slow(), fast()                                                                  # what the library makes on first use
    return cost(slow) > FASTER * cost(fast)


def is_harmless(generator, size=None, folder=None) -> bool:
    """Return whether pictures in bfloat16 are near enough those in float32: measured with and without bends at work, or found in a folder."""
    mean, worst = harm(generator, size) if folder is None else _find_harm(generator, size, Path(folder))
    return mean <= MEAN and worst <= WORST


def default_folder() -> Path:
    """Return the folder that measured harm is kept in: the user's cache folder."""
    return find_cache("precision")


def _find_harm(generator, size, folder) -> tuple[float, float]:
    """Return what harm() does, from the folder if it was measured before: of these weights, at this size, by this torch and passes on such a processor."""
    what = [generator_hash(generator), min(size or generator.resolution, LARGEST), torch.__version__, torch.backends.cpu.get_cpu_capability(), SEEDS,
            find_passes() is not None]
    path = folder / f"{hashlib.sha256(repr(what).encode()).hexdigest()[:32]}.json"
    try:
        mean, worst = map(float, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        mean, worst = harm(generator, size)
        if math.isfinite(mean):
            with contextlib.suppress(UserError):                    # a disk that takes nothing: it is measured again
                write_text(path, json.dumps([mean, worst]), make_folder=True)
    return mean, worst


@torch.no_grad()
def harm(generator, size=None) -> tuple[float, float]:
    """Return by how many levels of 255 pictures in bfloat16 differ from those in float32: on average, and for SHARE of all numbers."""
    size = min(size or generator.resolution, LARGEST)
    whole, half = Synthesis(generator), Synthesis(generator, half=True)
    apart = []
    for seed, bends in zip(range(SEEDS), _bends(generator, size)):
        z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(seed))
        ws = generator.map(z, psi=1.0, c=torch.eye(1, generator.c_dim) if generator.c_dim else None)
        drawn = [synthesis(ws, size=size, bends=bends).clamp(-1, 1) for synthesis in (whole, half)]
        apart.append((drawn[0] - drawn[1]).abs().flatten() * 127.5)
    every = torch.cat(apart)
    mean, worst = float(every.mean()), float(every.kthvalue(math.ceil(SHARE * len(every))).values)
    return (mean, worst) if math.isfinite(mean) and math.isfinite(worst) else (math.inf, math.inf)


def _bends(generator, size):
    """Return the bends of each picture: none, maps made twice as strong, maps turned."""
    layer = next((name for name in generator.layers if HALF_FROM <= generator.architecture.resolution_of(name) <= size), generator.layers[-1])
    return (), (Bend("stronger", layer, None, "scalar_multiply", {"factor": 2.0}),), (Bend("turned", layer, None, "rotate", {"angle": 30.0}),)


@torch.no_grad()
def is_half_safe(generator, seeds=8) -> bool:
    """Return whether this checkpoint's activations stay small enough for half precision: measured, not assumed; truncation at 2 as well."""
    z = torch.randn(seeds, generator.z_dim, generator=torch.Generator().manual_seed(0)).to(generator.device)
    names = [n for n in generator.layers if generator.architecture.resolution_of(n) >= FP16_FROM]
    c = torch.eye(1, generator.c_dim, device=z.device) if generator.c_dim else None
    for psi, most in ((1.0, FP16_SAFE), (2.0, FP16_BOUND / 1.5)):
        for one in z:
            maps = generator.activations(generator.map(one[None], psi=psi, c=c), names)
            if not all(float(x.abs().max()) < most for x in maps.values()):
                return False
    return True
