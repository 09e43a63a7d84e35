"""The encoder's network: the live preset, and the frame around either. Knows shapes, no files and no training.

Letters: N pictures, C channels, O the layer's channels, H, W pixels, h, w features.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

from engine.checkpoints.native import generator_hash
from engine.encoder.plan import Plan, make_plan
from engine.encoder.published import Published

SLOPE = 0.2
SAMPLES = 64                             # pictures that a fresh encoder's features are centred on
NARROWEST, FULL = 8, 16                  # the most channels are had where a side has FULL features, or fewer


class Encoder(nn.Module):
    """Pictures [N, 3, H, W] in -1..1 -> features [N, O, h, w] for `splice`: before noise, bias and activation.

    .layer: whose features. .size: (height, width) of the pictures looked at; others are brought to it by area.
    .cells: maps [K, O, h, w] of the generator's own that features may be brought back to, see engine/encoder/cells.py; None = it has none.
    """
    cells: torch.Tensor | None

    def __init__(self, plan: Plan):
        super().__init__()
        self.plan, self.layer, self.size = plan, plan.layer, plan.size
        self.body: nn.Module = Live(plan) if plan.preset == "live" else Published(plan)
        self.register_buffer("cells", None, persistent=False)
        self.to(memory_format=torch.channels_last)      # type: ignore[call-overload]  # torch knows this form, its annotations do not
        self.eval()

    @classmethod
    def fresh(cls, generator, layer: str, preset: str = "live", size=None, seed: int = 0, width: int = 128) -> "Encoder":
        """Return an untrained encoder for a generator's layer; what a seed makes is always the same.

        The live preset's answers already have the mean and the spread of the layer's features.
        """
        plan = make_plan(generator, layer, preset, size, generator_hash(generator), width)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = cls(plan)
        if isinstance(encoder.body, Live):
            encoder.body.settle(*usual_features(generator, layer, seed))
        return encoder

    def forward(self, pictures):
        return self.body(fit(pictures, self.size))


def fit(pictures, size):
    """Return pictures [N, 3, H, W] at `size` (height, width), by area where they shrink; what is not a number turns grey."""
    pictures = pictures.nan_to_num(0.0, 1.0, -1.0)
    if tuple(pictures.shape[2:]) == tuple(size):
        return pictures
    return resize(pictures, size)


def resize(pictures, size):
    """Return pictures [N, C, H, W] at another size, [N, C, *size]: each new pixel is the mean of what it covers, or between its neighbours if it grows."""
    height, width = size
    if pictures.shape[2] > height or pictures.shape[3] > width:
        pictures = F.adaptive_avg_pool2d(pictures, (min(height, pictures.shape[2]), min(width, pictures.shape[3])))
    if tuple(pictures.shape[2:]) != (height, width):
        pictures = F.interpolate(pictures, (height, width), mode="bilinear", align_corners=False)
    return pictures


@torch.no_grad()
def usual_features(generator, layer, seed):
    """Return (the mean map [O, h, w] of a layer's features over seeded pictures, how far each channel strays from it [O])."""
    z = torch.randn(SAMPLES, generator.z_dim, generator=torch.Generator().manual_seed(seed)).to(generator.device)
    c = torch.eye(generator.c_dim, device=z.device)[torch.arange(SAMPLES) % generator.c_dim] if generator.c_dim else None
    kept = [generator.features(generator.map(some, c=None if c is None else c[8 * i:8 * i + 8]), [layer])[layer].float()
            for i, some in enumerate(z.split(8))]
    features = torch.cat(kept)
    mean = features.mean(0)
    return mean.cpu(), (features - mean).square().mean((0, 2, 3)).sqrt().clamp_min(1e-4).cpu()


class Live(nn.Module):
    """The default: few and wide steps down, then blocks that know the whole picture; no normalisation over batches.

    Pixels are folded into channels first, as that costs nothing, and most of the work is done at the features' own size.
    """

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self, plan: Plan):
        super().__init__()
        halvings = plan.halvings
        fold = 2 ** min(2, halvings)
        sides = [(plan.features[0] << k, plan.features[1] << k) for k in range(halvings - int(math.log2(fold)), -1, -1)]
        widths = [count_channels(side, plan.width) for side in sides]
        layers = [nn.PixelUnshuffle(fold), convolution(3 * fold * fold, widths[0])]
        for i, here in enumerate(widths):
            if i:
                layers += [nn.PixelUnshuffle(2), convolution(4 * widths[i - 1], here)]
            layers += [Block(here) for _ in range(4 if i == len(widths) - 1 else 2 if i == len(widths) - 2 else 1)]
        self.trunk = nn.Sequential(*layers)
        self.head = convolution(widths[-1], plan.channels, 1)
        self.register_buffer("mean", torch.zeros(plan.channels, *plan.features))
        self.register_buffer("spread", torch.ones(plan.channels))

    def settle(self, mean, spread):
        """Set the mean of the answers, [O, h, w], and their unit, [O]."""
        self.mean.copy_(mean)
        self.spread.copy_(spread)

    def forward(self, x):
        x = self.trunk(x.clamp(-1, 1).contiguous(memory_format=torch.channels_last))     # [N, C, h, w]
        return torch.addcmul(self.mean, self.head(F.leaky_relu(x, SLOPE)), self.spread.view(-1, 1, 1))


class Block(nn.Module):
    """x + convolutions of x, [N, C, h, w]; between the two comes what the picture's mean says, so that light and colour
    are known everywhere at once."""

    def __init__(self, channels):
        super().__init__()
        self.first, self.second = convolution(channels, channels), convolution(channels, channels, gain=0.3)
        self.context = nn.Linear(channels, channels)
        draw_weight(self.context.weight, channels ** -0.5)
        nn.init.zeros_(self.context.bias)

    def forward(self, x):
        y = F.leaky_relu(x, SLOPE)
        y = self.first(y) + self.context(y.mean((2, 3)))[:, :, None, None]
        return x + self.second(F.leaky_relu(y, SLOPE))


def count_channels(side, most):
    """Return how many channels there are at feature maps of (height, width): fewer where there are more places."""
    r = math.sqrt(side[0] * side[1])
    return max(NARROWEST, 8 * round(most * min(1.0, FULL / r) / 8))


def convolution(inputs, outputs, kernel=3, gain=1.0):
    """Return a convolution that keeps the size; its weights keep the variance, times gain squared."""
    made = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    draw_weight(made.weight, gain * math.sqrt(1 / (inputs * kernel * kernel)))
    nn.init.zeros_(made.get_parameter("bias"))
    return made


def draw_weight(weight, spread):
    """Draw a weight anew, in place. On the meta device, where loading compares shapes, it stays a shape: drawing there would
    import all of torch's compiler first."""
    if not weight.is_meta:
        nn.init.normal_(weight, std=spread)
