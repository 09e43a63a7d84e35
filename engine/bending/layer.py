"""Network bending at one layer: pick channels, transform, dry/wet. Knows tensors and Bends, no scenes and no files.

Source: Broad, Leymarie, Grierson, "Network Bending", EvoMUSART 2021; SPEC.md B.
"""
from dataclasses import dataclass, field, replace

import torch

from engine.bending.selection import format_indices, names_cluster
from engine.bends import TRANSFORMS
from engine.kept import made_once
from engine.parameter import Parameter

EVERY = {
    "mix": Parameter(1.0, 0.0, 1.0, about="dry / wet: 0 leaves the layer untouched"),
    "mute": Parameter(0.0, 0.0, 1.0, step=1, about="1 silences this bend; its mix stays where it is"),
    "solo": Parameter(0.0, 0.0, 1.0, step=1, about="1 silences all bends that are not solo"),
}
TRANSFORM_ERRORS = (RuntimeError, ArithmeticError, TypeError, ValueError, LookupError)     # what a transform's bug may raise


class BendFailed(RuntimeError):
    """A bend's transform raised an error, or its activations were not finite."""

    def __init__(self, name, why):
        super().__init__(f"bend {name!r}: {why}")
        self.name = name


@dataclass
class BendState:
    """Tensors that a bend is given besides its settings while it is played, and leaves behind; see Transform.wants.

    watch: note the greatest activation the bend gave (`peak`), to find out which one went wrong.
    """
    previous: torch.Tensor | None = None
    other: torch.Tensor | None = None
    watch: bool = False
    peak: float = 0.0


@dataclass(frozen=True)
class Bend:
    """One use of a transform. channels: indices into the layer's feature maps, None = all of them.

    settings: {setting: plain value}, options too; those left out have the transform's defaults. mix: 0 dry .. 1 wet.
    selection: how the channels were chosen, in words (engine.bending.selection); empty = by their indices.
    own: how much of the maps' height and width is the network's own picture, where it is continued.
    """
    name: str
    layer: str
    channels: tuple[int, ...] | None
    transform: str
    settings: dict = field(default_factory=dict)
    mix: float = 1.0
    selection: str = ""
    memory: BendState | None = field(default=None, compare=False, repr=False)
    own: tuple[float, float] = field(default=(1.0, 1.0), compare=False, repr=False)

    def parameters(self) -> dict[str, Parameter]:
        """Return the parameters of this bend, by address; the defaults are this bend's own settings."""
        own = self.settings | {"mix": self.mix}
        declared = TRANSFORMS[self.transform].settings | EVERY
        return {f"/bends/{self.name}/{name}": _with_default(p, own.get(name, p.default)) for name, p in declared.items()}

    def settings_names(self) -> tuple[str, ...]:
        """Return the last parts of this bend's addresses."""
        return (*TRANSFORMS[self.transform].settings, *EVERY)

    def at(self, settings: dict, mix, memory: BendState | None = None, own: tuple[float, float] | None = None) -> "Bend":
        """Return this bend with other values; settings may be 0-d tensors, and so may mix. own: None leaves it."""
        return replace(self, settings=self.settings | settings, mix=mix, memory=memory, own=own or self.own)

    def apply(self, dry):
        """Run the transform alone: dry [N, K, H, W] -> wet, the same shape; dry itself if nothing changes."""
        transform, memory = TRANSFORMS[self.transform], self.memory
        settings = {name: p.default for name, p in transform.settings.items()} | self.settings
        given = {name: getattr(memory, name) for name in transform.wants} if memory else {}
        if transform.sized and self.own != (1.0, 1.0):
            given["own"] = tuple(round(side * share) for side, share in zip(dry.shape[2:], self.own))
        try:
            wet = transform.function(dry, **settings, **given)
        except TRANSFORM_ERRORS as error:
            raise BendFailed(self.name, f"{type(error).__name__}: {error}") from error
        if memory and "previous" in transform.wants:
            memory.previous = wet.detach().clone()
        if memory and memory.watch:
            memory.peak = float(wet.detach().abs().max()) if wet.numel() else 0.0
        return wet

    def to_dict(self) -> dict:
        """Return the bend as plain data for a preset, which bend_from_dict() reads.

        {name, layer, channels, transform, settings, mix}; indices as well where the channels are a cluster's, so that a
        look outlives its cluster file.
        """
        data = {"name": self.name, "layer": self.layer, "channels": self.selection or "all", "transform": self.transform,
                "settings": dict(self.settings), "mix": self.mix}
        if self.channels is not None and not self.selection:
            data["channels"] = format_indices(self.channels) or []
        elif self.channels is not None and names_cluster(self.selection):
            data["indices"] = format_indices(self.channels)
        return data


def bend(x, bends, owned: bool = False):
    """Return x [N, C, H, W] with the layer's bends applied in order; x itself where no bend changes anything.

    owned: x is the caller's to lose, so it may be written to where no gradient is wanted; otherwise it never is.
    """
    owned = owned and not torch.is_grad_enabled()
    for b in bends:
        if b.channels == () or not isinstance(b.mix, torch.Tensor) and b.mix == 0:
            continue
        dry = x if b.channels is None else _take(x, b.channels)               # [N, K, H, W]
        wet = b.apply(dry)
        if wet is dry:
            continue
        wet = _mix(dry, wet, b.mix)
        if b.channels is None:
            x, owned = wet, False                                              # wet may belong to the transform
            continue
        if not owned:
            x, owned = x.clone(), True
        _put(x, b.channels, wet)
    return x


def by_layer(bends) -> dict[str, list[Bend]]:
    """Return {layer: its bends, in order}."""
    grouped: dict[str, list[Bend]] = {}
    for b in bends:
        grouped.setdefault(b.layer, []).append(b)
    return grouped


def _mix(dry, wet, mix):
    if isinstance(mix, torch.Tensor):
        return torch.lerp(dry, wet, mix.to(dry.dtype))
    return wet if mix == 1 else torch.lerp(dry, wet, float(mix))


def _take(x, channels):
    index = index_of(channels, x.device)
    if x.is_contiguous(memory_format=torch.channels_last):                      # there a pixel's channels lie together
        n, _, height, width = x.shape
        return _pixels(x).index_select(1, index).view(n, height, width, -1).permute(0, 3, 1, 2)
    return x[:, index]


def _put(x, channels, wet):
    index = index_of(channels, x.device)
    if torch.is_grad_enabled():
        x[:, index] = wet
    elif not x.is_contiguous(memory_format=torch.channels_last):
        x.index_copy_(1, index, wet)
    elif len(x) == 1 and wet.is_contiguous():                                   # a map after the other: no need to interleave them
        _pixels(x).T.index_copy_(0, index, wet.view(len(index), -1))
    else:
        wet = _pixels(wet.contiguous(memory_format=torch.channels_last))
        _pixels(x).scatter_(1, index.expand(len(wet), -1), wet)


def _pixels(x):
    """Return the memory of x [N, C, H, W], channels last, as [N * H * W, C]."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


@made_once(4096)
def index_of(channels: tuple[int, ...], device) -> torch.Tensor:
    """Return the channels as an index tensor [K], made once for a device."""
    return torch.tensor(channels, dtype=torch.long, device=device)


def _with_default(parameter: Parameter, default) -> Parameter:
    """Return the parameter with another default; its range grows to hold it (published files have no ranges)."""
    if parameter.choices or parameter.curve == "circular" or parameter.low <= default <= parameter.high:
        return replace(parameter, default=default)
    return replace(parameter, default=default, low=min(default, parameter.low), high=max(default, parameter.high))
