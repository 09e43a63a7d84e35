"""A generator's styled convolutions made ready for the fast path: forms, styles and noise, each made when it changes.

Knows tensors and one generator; which pictures are asked for is synthesis.py's business.
"""
import math

import torch

from engine.errors import UserError
from engine.fast.forms import candidates, find_usual
from engine.fast.kernels import channels_last, noise_act, spread
from engine.fast.weights import demodulate, lead, sum_squares

CALLS_COUNT = ("cuda", "meta")                      # devices on which each call costs more than what it computes; meta stands in for them in tests
WEIGHT, BIAS, MAPS, STRENGTH = (slice(n, n + 3) for n in range(0, 12, 3))           # in Layer.version()


def read_version(*tensors) -> tuple:
    """Return numbers that change when one of these tensors is replaced or written to; for comparing with ==."""
    found: list[int] = []
    for t in tensors:
        if t is not None:
            found += id(t), t._version, t.data_ptr()
    return tuple(found)


class Styles:
    """All style affines of a synthesis network as one matrix: ws [num_ws, W] -> each affine's styles."""

    weight: torch.Tensor                                                            # [S, W]; S = all styles there are
    bias: torch.Tensor                                                              # [S]

    def __init__(self, affines):
        """affines: [(Linear, the row of ws it reads, a factor for its result)]."""
        self.affines, self._seen = affines, None

    def _join(self, seen):
        """Bring weight and bias up to date with the affines whose versions are not those seen last."""
        if self._seen is None:
            self.sizes = [a.bias.shape[0] for a, _, _ in self.affines]
            first, device = self.affines[0][0].weight, self.affines[0][0].bias.device
            self.weight, self.bias = first.new_empty(sum(self.sizes), first.shape[1]), first.new_empty(sum(self.sizes))
            self.rows = torch.tensor([row for _, row, _ in self.affines], device=device).repeat_interleave(torch.tensor(self.sizes, device=device))[None]
        at = 0
        for (affine, _, factor), size, now, before in zip(self.affines, self.sizes, seen, self._seen or [None] * len(seen)):
            if now != before:
                torch.mul(affine.weight, affine.lr_mul * factor / math.sqrt(affine.weight.shape[1]), out=self.weight[at:at + size])
                torch.mul(affine.bias, affine.lr_mul * factor, out=self.bias[at:at + size])
            at += size

    def __call__(self, ws):
        """Return a list of styles [I], in the order of the affines."""
        self.refresh()
        return self.compute(ws)

    def refresh(self):
        """Join the affines again if one was written to; into the same tensors, which a captured program may be reading."""
        now = [read_version(a.weight, a.bias) for a, _, _ in self.affines]
        if now != self._seen:
            self._join(now)
            self._seen = now

    @property
    def versions(self) -> list[tuple]:
        """Return read_version() of each affine, as they were joined last."""
        return self._seen or []

    def compute(self, ws):
        """Return the styles, from the affines as they were joined last."""
        if (styles := lead(ws, self.weight, self.bias, self.rows)) is not None:
            return styles.split(self.sizes)
        if ws.device.type not in CALLS_COUNT:                                       # elsewhere what is multiplied counts
            parts = zip(self.affines, self.bias.split(self.sizes), self.weight.split(self.sizes))
            return [torch.addmv(bias, weight, ws[row]) for (_, row, _), bias, weight in parts]
        every = ws @ self.weight.T                                                  # [num_ws, S]: one product beats many
        return (every.gather(0, self.rows)[0] + self.bias).split(self.sizes)


class Layer:
    """One styled convolution at batch 1, computed in a dtype; its maps are of that dtype as well. Follows its tensors whenever version() is asked for."""

    def __init__(self, name, conv, form=None, dtype=torch.float32):
        self.name, self.conv, self.form_name, self.dtype = name, conv, form or find_usual(conv, dtype), dtype
        self._form = self._form_seen = self._bias = self._bias_seen = self._energy = self._energy_seen = None
        self._maps = self._maps_seen = self._strength = self._strength_seen = None
        self.version()

    def version(self) -> tuple:
        """Return numbers that change with anything of this layer that the picture depends on; what is made of its tensors goes by them."""
        conv = self.conv
        self._now = read_version(conv.weight, conv.bias, *((conv.noise_const, conv.noise_strength) if conv.noise else ()))
        return self._now

    def form(self):
        """Return the form, computed again if the weight was written to."""
        now = (self.form_name, *self._now[WEIGHT])
        if now != self._form_seen:
            self._form = candidates(self.conv)[self.form_name](self.conv.weight, self.conv.clamp, self.dtype)
            self._form_seen = now
        return self._form

    def bias(self):
        """Return the bias [O], times the gain."""
        now = self._now[BIAS]
        if now != self._bias_seen:
            self._bias, self._bias_seen = self.conv.bias * self.conv.gain, now
        return self._bias

    def modulate(self, styles):
        """Return the form with styles [I] taken in: form(x [1, I, h, w] of its dtype, noise from noise()) -> the activations [1, O, H, W]."""
        form = self.form()
        form.modulate(styles, demodulate(self.energy(), styles, self.conv.gain), self.bias())
        return form

    def energy(self):
        """Return the sums of the squared weight over its window, [O, I]."""
        now = self._now[WEIGHT]
        if now != self._energy_seen:
            self._energy, self._energy_seen = sum_squares(self.conv.weight), now
        return self._energy

    def finish(self, y, noise):
        """Return the activations of features y [1, O, H, W] put in place of the convolution, in a new tensor."""
        y = torch.addcmul(self.bias().view(1, -1, 1, 1), channels_last(y), y.new_full((1, 1, 1, 1), self.conv.gain)).to(self.dtype)
        return noise_act(y, noise, self.conv.clamp)

    def noise(self, source):
        """Return the noise: (maps to add, [H, W], or [1, O, H, W] where channels are few; how strongly, gain included); None = nothing.

        Apart, since a fader or a fade turns the strength, and the maps of 1024 px are large.
        """
        conv = self.conv
        if not conv.noise or source.mode == "none" or source.strength == 0.0:
            return None
        now = self._now[STRENGTH]
        if now != self._strength_seen:
            self._strength, self._strength_seen = float(conv.noise_strength), now
        strength = self._strength * source.strength * conv.gain
        if source.mode == "random":
            return source.draw(conv.size, conv.weight).to(self.dtype), strength
        now = self._now[MAPS]
        if now != self._maps_seen:
            self._maps, self._maps_seen = spread(conv.noise_const.to(self.dtype), conv.weight.shape[0]), now
        return self._maps, strength


class NoiseSource:
    """Where a pass takes its noise from: mode "const", "random" or "none", how strong, and from which seed."""

    def __init__(self, mode, strength=1.0, seed=None):
        if mode not in ("const", "random", "none"):
            raise UserError(f"noise {mode!r}: expected const, random or none")
        self.mode, self.strength, self.seed, self._generator = mode, strength, seed, None

    def draw(self, size, like):
        """Return the next random map [H, W]; the same ones in the same order as the generator's own."""
        if self._generator is None:
            self._generator = torch.Generator(like.device)
            if self.seed is None:
                self._generator.seed()
            else:
                self._generator.manual_seed(self.seed)
        return torch.randn(1, 1, *size, generator=self._generator, device=like.device).to(like.dtype)[0, 0]
