"""The shape of a StyleGAN2 generator, as data. Knows names and sizes, builds nothing.

Source: SPEC.md A.1-A.3, A.8 (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020).
"""
from dataclasses import dataclass, field
from math import log2

from engine.errors import UserError

PRECISIONS = ("auto", "fp32", "bf16", "fp16")            # numbers a network can be computed in: engine.fast.precision
MAX_RESOLUTION = 1024
MOST_PIXELS = 1 << 23            # of a picture that isn't square


def channel_table(resolution: int, base: int = 32768, most: int = 512) -> dict[int, int]:
    """Return {resolution: channels}: base / r, at most `most`. base 32768 = config-f, 16384 = config-e."""
    return {r: min(base // r, most) for r in resolutions(resolution)}


def resolutions(resolution: int) -> list[int]:
    """Return 4, 8, ... up to `resolution`."""
    return [2 ** k for k in range(2, int(log2(resolution)) + 1)]


@dataclass(frozen=True)
class Architecture:
    """Everything needed to build a Generator.

    resolution: nominal output size; the real one is resolution * const_size / 4 on either axis.
    channels: {r: channels of block r}. mapping_width: hidden width of the mapping network (w_dim if 0).
    kind: "skip", "resnet" or "orig". conditioning: how a label enters, "embed" (ADA) or "concat" (TensorFlow SG2).
    conv_clamp: activations are clamped to +-this after the gain; None = never. noise: whether layers have noise.
    """
    resolution: int = 1024
    z_dim: int = 512
    w_dim: int = 512
    c_dim: int = 0
    mapping_layers: int = 8
    mapping_width: int = 0
    channels: dict[int, int] = field(default_factory=dict)
    const_size: tuple[int, int] = (4, 4)
    kind: str = "skip"
    conditioning: str = "embed"
    embed_dim: int = 0
    conv_clamp: float | None = None
    noise: bool = True

    def __post_init__(self):
        r = self.resolution
        if r < 8 or r > MAX_RESOLUTION or r & (r - 1):
            raise UserError(f"resolution {r}: expected a power of two from 8 to {MAX_RESOLUTION}")
        if self.kind not in ("skip", "resnet", "orig"):
            raise UserError(f"architecture {self.kind!r}: expected skip, resnet or orig")
        if self.pixels()[0] * self.pixels()[1] > MOST_PIXELS:
            raise UserError(f"pictures of {self.pixels()[1]} x {self.pixels()[0]} px: expected at most {MOST_PIXELS} pixels")
        if not self.channels:
            object.__setattr__(self, "channels", channel_table(r))
        missing = [q for q in self.resolutions if q not in self.channels]
        if missing:
            raise UserError(f"no channel count for {missing[0]} px")

    @property
    def resolutions(self) -> list[int]:
        return resolutions(self.resolution)

    @property
    def num_ws(self) -> int:
        return 2 * len(self.resolutions)

    @property
    def layers(self) -> tuple[str, ...]:
        """Styled convolutions in network order: b4.conv1, b8.conv0, b8.conv1, ..."""
        return ("b4.conv1",) + tuple(f"b{r}.conv{k}" for r in self.resolutions[1:] for k in (0, 1))

    @staticmethod
    def resolution_of(layer: str) -> int:
        """Return r of the block b{r} that a layer such as "b32.conv1" is in."""
        return int(layer.split(".")[0][1:])

    def pixels(self, r: int | None = None) -> tuple[int, int]:
        """Return (height, width) of block r (of the output if None)."""
        r = r or self.resolution
        return r * self.const_size[0] // 4, r * self.const_size[1] // 4
