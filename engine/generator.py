"""The StyleGAN2 generator: mapping network, synthesis network, nothing about files, scenes or time.

Letters: N samples, Z = z_dim, W = w_dim, C/I/O channels (in, out), H, W' height and width of a feature map.
Written from the published formulas (Karras et al. 2019, 2020; SPEC.md A). Parameters carry the names of NVIDIA's
PyTorch release, so a state dict of theirs fits. Up-convolution weights are stored in transposed-convolution orientation.
"""
import math
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

from engine.architecture import Architecture
from engine.around import Around
from engine.bending import bend_both, group_by_layer
from engine.errors import UserError

EPS = 1e-8
GAIN = math.sqrt(2)              # of the leaky ReLU, so that it keeps the variance
SLOPE = 0.2


def fir(gain: float, device=None, dtype=None) -> torch.Tensor:
    """Return the low-pass [4, 4] used for up-sampling: outer([1, 3, 3, 1]) / 64, times `gain`."""
    row = torch.tensor([1.0, 3.0, 3.0, 1.0], device=device, dtype=dtype)
    return torch.outer(row, row) * (gain / 64)


def normal(*shape, scale=1.0) -> torch.Tensor:
    """Return normal numbers [*shape] times `scale`: what training begins with.

    None are drawn on the meta device, where loading compares shapes: that would import all of torch's compiler first.
    """
    numbers = torch.empty(shape)
    return numbers if numbers.is_meta else numbers.normal_().mul_(scale)


def pixel_norm(x):
    """Return x [N, D] over its root mean square: the zero vector stays finite."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + EPS)


class Linear(nn.Module):
    """Fully connected with equalized learning rate: weight [O, I], bias [O]; lr_mul scales both (SPEC.md A.1)."""

    def __init__(self, inputs, outputs, lr_mul=1.0, bias=0.0, activate=False):
        super().__init__()
        self.weight = nn.Parameter(normal(outputs, inputs, scale=1 / lr_mul))
        self.bias = nn.Parameter(torch.full((outputs,), bias / lr_mul))
        self.lr_mul, self.activate = lr_mul, activate

    def forward(self, x):
        y = F.linear(x, self.weight * (self.lr_mul / math.sqrt(self.weight.shape[1])), self.bias * self.lr_mul)  # [N, O]
        return F.leaky_relu(y, SLOPE) * GAIN if self.activate else y


class MappingNetwork(nn.Module):
    """z [N, Z] (and a label c [N, c_dim]) -> w [N, W]."""

    w_avg: torch.Tensor

    def __init__(self, a: Architecture):
        super().__init__()
        self.c_dim, self.conditioning = a.c_dim, a.conditioning
        inputs, width = a.z_dim, a.mapping_width or a.w_dim
        if a.c_dim and a.conditioning == "embed":
            self.embed = Linear(a.c_dim, a.embed_dim or a.w_dim)
            inputs += len(self.embed.bias)
        elif a.c_dim:
            self.label = nn.Parameter(normal(a.c_dim, a.embed_dim or a.z_dim))
            inputs += self.label.shape[1]
        sizes = [inputs] + [width] * (a.mapping_layers - 1) + [a.w_dim]
        self.depth = a.mapping_layers
        for i, (m, n) in enumerate(zip(sizes, sizes[1:])):
            self.add_module(f"fc{i}", Linear(m, n, lr_mul=0.01, activate=True))
        self.register_buffer("w_avg", torch.zeros(a.w_dim))

    def enter(self, z, c=None):
        """Return what the first layer is given, [N, Z and what is made of the label]."""
        if not self.c_dim:
            return pixel_norm(z)
        if c is None:
            raise UserError(f"this network is class-conditional: it needs a label of {self.c_dim} numbers")
        if self.conditioning == "embed":
            return torch.cat([pixel_norm(z), pixel_norm(self.embed(c))], 1)     # each normed alone
        return pixel_norm(torch.cat([c @ self.label, z], 1))                    # normed together, label first

    def forward(self, z, c=None):
        x = self.enter(z, c)                                                    # [N, I]
        for i in range(self.depth):
            x = getattr(self, f"fc{i}")(x)
        return x                                                                # [N, W]


class StyledConv(nn.Module):
    """Modulated 3x3 convolution, demodulated, + noise + bias, leaky ReLU * sqrt(2), clamp (SPEC.md A.1, steps 1-6).

    weight [O, I, 3, 3], bias [O], noise_const [H, W'], noise_strength [] ; affine: w -> styles [N, I].
    up: the input is half the size of the output.
    """

    def __init__(self, inputs, outputs, size, a: Architecture, up=False, gain=1.0):
        super().__init__()
        self.affine = Linear(a.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(normal(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        if a.noise:
            self.register_buffer("noise_const", normal(*size))
            self.noise_strength = nn.Parameter(torch.zeros([]))
        self.up, self.size, self.noise = up, size, a.noise
        self.gain = GAIN * gain
        self.clamp = a.conv_clamp * gain if a.conv_clamp is not None else None
        self._energy: tuple | None = None           # (what it was made of, the energy)

    def energy(self):
        """Return the sum of the squared weight over its window, [O, I]; kept while the weight stays as it is."""
        if torch.is_grad_enabled() and self.weight.requires_grad:
            return self.weight.square().sum((2, 3))
        key = (self.weight.data_ptr(), self.weight._version, self.weight.dtype)
        if self._energy is None or self._energy[0] != key:
            self._energy = (key, self.weight.detach().square().sum((2, 3)))
        return self._energy[1]

    def modulation(self, w):
        """Return (styles [N, I], demodulation [N, O]) for w [N, W]."""
        styles = self.affine(w)
        return styles, torch.rsqrt(styles.square() @ self.energy().T + EPS)

    def convolve(self, x, styles, demodulation):
        """Return the demodulated convolution [N, O, H, W'] of x [N, I, h, w'], before noise, bias and activation.

        The modulation is put on whichever is smaller, the weights or the feature maps.
        """
        outputs, inputs = self.weight.shape[:2]
        if x.shape[0] == 1 and outputs * 9 < x.shape[2] * x.shape[3]:
            weight = self.weight * (styles.view(1, inputs, 1, 1) * demodulation.view(outputs, 1, 1, 1))
            return self.plain(x, weight)
        return self.plain(x * styles[:, :, None, None], self.weight) * demodulation[:, :, None, None]

    def plain(self, x, weight):
        """Return the convolution alone, [N, O, H, W'], of x [N, I, h, w'] with any weight [O, I, 3, 3]; with its up-sampling."""
        if not self.up:
            return F.conv2d(x, weight, padding=1)                               # [N, O, H, W']
        y = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)             # [N, O, 2h + 1, 2w' + 1]
        kernel = fir(4, x.device, x.dtype).expand(y.shape[1], 1, 4, 4)
        return F.conv2d(y, kernel, padding=1, groups=y.shape[1])                # [N, O, H, W']

    def finish(self, y, noise):
        """Return y [N, O, H, W'] + noise + bias, activated and clamped; writes into y when no gradient is wanted.

        noise: [H, W'] or [N, 1, H, W'], strength included; None = none.
        """
        bias = self.bias.view(1, -1, 1, 1)
        if torch.is_grad_enabled():
            y = y + bias if noise is None else y + bias + noise
            y = F.leaky_relu(y, SLOPE) * self.gain
            return y if self.clamp is None else y.clamp(-self.clamp, self.clamp)
        y.add_(bias)
        if noise is not None:
            y.add_(noise)
        F.leaky_relu_(y, SLOPE).mul_(self.gain)
        return y if self.clamp is None else y.clamp_(-self.clamp, self.clamp)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to RGB, not demodulated, no noise, linear: weight [3, I, 1, 1], bias [3]."""

    def __init__(self, inputs, a: Architecture):
        super().__init__()
        self.affine = Linear(a.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(normal(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.clamp = a.conv_clamp

    def forward(self, x, w):
        styles = self.affine(w) * (1 / math.sqrt(self.weight.shape[1]))         # [N, I]
        if x.shape[0] == 1:
            y = F.conv2d(x, self.weight * styles.view(1, -1, 1, 1), self.bias)
        else:
            y = F.conv2d(x * styles[:, :, None, None], self.weight, self.bias)
        y = y.float() if y.dtype in (torch.float16, torch.bfloat16) else y
        return y if self.clamp is None else y.clamp(-self.clamp, self.clamp)    # [N, 3, H, W']


class Skip(nn.Module):
    """The resnet shortcut: 1x1 convolution, then x2 up-sampling. weight [O, I, 1, 1]."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(normal(outputs, inputs, 1, 1))

    def forward(self, x):
        y = F.conv2d(x, self.weight * math.sqrt(0.5 / self.weight.shape[1]))
        return upsample(y)


class Block(nn.Module):
    """One resolution: conv0 (up) and conv1, toRGB; 4 px has a constant instead of conv0."""

    def __init__(self, r, a: Architecture):
        super().__init__()
        here, last = a.channels[r], r == a.resolution
        if r == 4:
            self.const = nn.Parameter(normal(here, *a.const_size))
        else:
            self.conv0 = StyledConv(a.channels[r // 2], here, a.pixels(r), a, up=True)
            if a.kind == "resnet":
                self.skip = Skip(a.channels[r // 2], here)
        residual = a.kind == "resnet" and r > 4
        self.conv1 = StyledConv(here, here, a.pixels(r), a, gain=math.sqrt(0.5) if residual else 1.0)
        if a.kind == "skip" or last:
            self.torgb = ToRGB(here, a)


def upsample(picture):
    """Return a picture [N, C, H, W'] at twice its size, as in the skip path: zero-insert, FIR with gain 4.

    Equal to bilinear with half-pixel centres and zeros beyond the border; this form runs as one transposed convolution.
    """
    channels = picture.shape[1]
    kernel = fir(4, picture.device, picture.dtype).expand(channels, 1, 4, 4)
    return F.conv_transpose2d(picture, kernel, stride=2, padding=1, groups=channels)


class Generator(nn.Module):
    """StyleGAN2. All tensors float32 unless moved; pictures are [N, 3, H, W'], nominal range -1..1, unclamped."""

    def __init__(self, architecture: Architecture):
        super().__init__()
        self.architecture = a = architecture
        self.resolution, self.z_dim, self.w_dim, self.c_dim, self.num_ws = a.resolution, a.z_dim, a.w_dim, a.c_dim, a.num_ws
        self.layers = list(a.layers)
        self.around: Around | None = None           # of a continued network: what lies around the picture in its middle
        self.mapping = MappingNetwork(a)
        self.synthesis = nn.Module()
        for r in a.resolutions:
            self.synthesis.add_module(f"b{r}", Block(r, a))

    @property
    def w_avg(self):
        """Return the w that truncation leads to, [w_dim]."""
        return self.mapping.w_avg

    @property
    def device(self):
        return self.mapping.w_avg.device

    def layer(self, name: str) -> StyledConv:
        """Return the styled convolution of that name; UserError listing the names if there is none."""
        if name not in self.layers:
            raise UserError(f"no layer {name!r}; this network has {', '.join(self.layers)}")
        return getattr(self.block(self.architecture.resolution_of(name)), name.split(".")[1])

    def block(self, r: int) -> Block:
        """Return the block of resolution r; its toRGB, shortcut and convolutions are attributes."""
        return getattr(self.synthesis, f"b{r}")

    def channels(self, layer: str) -> int:
        """Return how many feature maps the layer has."""
        return self.layer(layer).weight.shape[0]

    def weights(self, layer: str) -> torch.Tensor:
        """Return the stored convolution weight [O, I, 3, 3]."""
        return self.layer(layer).weight

    def map(self, z, psi: float = 1.0, cutoff: int | None = None, c=None):
        """Return ws [N, num_ws, w_dim] for z [N, z_dim]; psi (any number) truncates the first `cutoff` (None: all) of them."""
        ws = self.mapping(z, c)[:, None].repeat(1, self.num_ws, 1)
        return truncate(ws, self.w_avg, psi, cutoff)

    def synthesize(self, ws, noise="const", size=None, bends=(), splice=None, noise_strength=1.0, noise_seed=None):
        """Return the picture [N, 3, H, W'] float32 of ws [N, num_ws, w_dim].

        noise: "const" (stored maps), "random" (per sample; repeatable if noise_seed is given) or "none".
        size: stop at this resolution (the skip picture there; area-averaged where the network has none).
        bends: engine.bending.Bend, applied after activation, in order.
        splice: {layer: features [N, O, H, W'] in place of its convolution's output, before noise, bias, activation}.
        """
        run = _Pass(_Noise(noise, noise_strength, noise_seed), group_by_layer(bends), splice or {}, around=self.around)
        picture = None
        for _, picture in self._blocks(ws, run, size):
            pass
        return self._resize(picture, size)

    def skips(self, ws, noise="const", size=None, noise_strength=1.0, noise_seed=None) -> dict[int, torch.Tensor]:
        """Return {resolution: the skip picture there}, up to `size`; with gradients, for training and projection."""
        run = _Pass(_Noise(noise, noise_strength, noise_seed))
        return {r: picture for r, picture in self._blocks(ws, run, size) if picture is not None}

    def activations(self, ws, layers, noise="const") -> dict[str, torch.Tensor]:
        """Return {layer: [N, C, H, W']} after activation, before bends. Runs no further than the last layer asked for."""
        return self._record(ws, layers, noise, "activated")

    def features(self, ws, layers, noise="const", noise_seed=None) -> dict[str, torch.Tensor]:
        """Return {layer: [N, O, H, W']} before noise, bias and activation, as `splice` takes them and an encoder predicts them."""
        return self._record(ws, layers, noise, "convolved", noise_seed)

    def inputs(self, ws, layers, noise="const") -> dict[str, torch.Tensor]:
        """Return {layer: the input [N, I, h, w'] of its convolution}, before the style scales it: times the styles, its keys."""
        return self._record(ws, layers, noise, "received")

    def _record(self, ws, layers, noise, stage, noise_seed=None):
        for name in layers:
            self.layer(name)
        run = _Pass(_Noise(noise, 1.0, noise_seed), around=self.around, **{stage: dict.fromkeys(layers)})
        last = max((self.layers.index(name) for name in layers), default=0)
        for r, _ in self._blocks(ws, run, None):
            if r == self.architecture.resolution_of(self.layers[last]):
                break
        return getattr(run, stage)

    def _blocks(self, ws, run, size):
        """Run the synthesis network block by block, yielding (resolution, skip picture or None)."""
        a = self.architecture
        if ws.ndim != 3 or ws.shape[1:] != (a.num_ws, a.w_dim):
            raise UserError(f"ws: expected [N, {a.num_ws}, {a.w_dim}], got {list(ws.shape)}")
        picture = None
        for j, r in enumerate(a.resolutions):
            block = self.block(r)
            shortcut = None
            if r == 4:
                x = block.const[None].expand(ws.shape[0], -1, -1, -1)           # [N, C, 4, 4]
                x = x.contiguous(memory_format=torch.channels_last)
            else:
                shortcut = run.up_sample(x, block.skip) if a.kind == "resnet" else None
                x, picture = run.layer(f"b{r}.conv0", block.conv0, x, ws[:, 2 * j - 1], picture)
            x, picture = run.layer(f"b{r}.conv1", block.conv1, x, ws[:, 2 * j], picture)
            x = x if shortcut is None else x + shortcut
            if hasattr(block, "torgb"):
                rgb = block.torgb(x, ws[:, 2 * j + 1])
                picture = rgb if picture is None else run.up_sample(picture, upsample) + rgb
            yield r, picture
            if a.kind == "skip" and r == size:
                return

    def _resize(self, picture, size):
        if size is None:
            return picture
        if size not in self.architecture.resolutions:
            raise UserError(f"size {size}: expected one of {', '.join(map(str, self.architecture.resolutions))}")
        wanted = self.architecture.pixels(size)
        return picture if tuple(picture.shape[2:]) == wanted else F.adaptive_avg_pool2d(picture, wanted)


@dataclass
class _Pass:
    """One run through the synthesis network: its inputs beside ws, and the maps it keeps on the way."""
    noise: "_Noise"
    bends: dict = field(default_factory=dict)           # layer -> bends, in order
    splice: dict = field(default_factory=dict)          # layer -> features [N, O, H, W']
    received: dict = field(default_factory=dict)        # layer -> wanted: what its convolution is given
    convolved: dict = field(default_factory=dict)       # layer -> wanted: features before noise, bias, activation
    activated: dict = field(default_factory=dict)       # layer -> wanted: feature maps after activation
    around: Around | None = None

    def up_sample(self, x, upsample):
        """Return x [N, C, h, w'] at twice its size by upsample(x)."""
        return upsample(x) if self.around is None else self.around.up_sample(x, upsample)

    def layer(self, name, layer, x, w, picture=None):
        """Return (the feature maps [N, O, H, W'] of one styled convolution of x [N, I, h, w'], with its splice and bends; the picture so far)."""
        if name in self.received:
            self.received[name] = x.clone()
        noise, around = self.noise.at(layer, x), self.around
        if name in self.splice:
            y = self._finish(name, layer, self.splice[name].clone(), noise)   # finish() may write into it
        else:
            modulation = layer.modulation(w)
            activate = lambda x, noise: self._finish(name, layer, layer.convolve(x, *modulation), noise)
            y = activate(x, noise) if around is None else around.draw(Architecture.resolution_of(name), layer.up, x, noise, activate)
        if name in self.activated:
            self.activated[name] = y.clone()
        return bend_both(y, picture, self.bends[name], owned=True) if name in self.bends else (y, picture)

    def _finish(self, name, layer, y, noise):
        if name in self.convolved:
            self.convolved[name] = y.clone()
        return layer.finish(y, noise)


class _Noise:
    """Where a synthesis pass takes its noise maps from."""

    def __init__(self, mode, strength, seed):
        if mode not in ("const", "random", "none"):
            raise UserError(f"noise {mode!r}: expected const, random or none")
        self.mode, self.strength, self.seed, self.generator = mode, strength, seed, None

    def at(self, layer: StyledConv, x):
        """Return the noise to add at this layer of inputs x, [H, W'] or [N, 1, H, W'], strength included; None = none."""
        if not layer.noise or self.mode == "none" or self.strength == 0.0:
            return None
        if self.mode == "const":
            return layer.noise_const * (layer.noise_strength * self.strength)
        if self.generator is None:
            self.generator = torch.Generator(x.device)
            if self.seed is None:
                self.generator.seed()
            else:
                self.generator.manual_seed(self.seed)
        noise = torch.randn(x.shape[0], 1, *layer.size, generator=self.generator, device=x.device)
        return noise.to(x.dtype) * (layer.noise_strength * self.strength)


def truncate(ws, w_avg, psi: float, cutoff: int | None = None):
    """Return w_avg + psi * (w - w_avg) for the first `cutoff` (None: all) of ws [N, num_ws, W]; psi above 1 exaggerates."""
    if psi == 1.0:
        return ws
    n = ws.shape[1] if cutoff is None else cutoff
    return torch.cat([w_avg + psi * (ws[:, :n] - w_avg), ws[:, n:]], 1)


def quantize(picture) -> torch.Tensor:
    """Return a picture [1, 3, H, W'] in -1..1 as uint8 [H, W', 3], rounded as NVIDIA's scripts do; NaN becomes 0.

    Writes into `picture`. Source: SPEC.md A.1 "To 8 bit".
    """
    levels = picture[0].permute(1, 2, 0).mul_(127.5).add_(128).nan_to_num_(0.0).clamp_(0, 255)
    return levels.to(torch.uint8)
