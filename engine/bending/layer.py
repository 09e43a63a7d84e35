"""Network bending at one layer: pick channels, transform, dry/wet, at a place. Knows tensors and Bends, no scenes and no files.

Source: Broad, Leymarie, Grierson, "Network Bending", EvoMUSART 2021; SPEC.md B.
"""
from dataclasses import dataclass, field, replace

import torch

from engine.bending.place import EVERYWHERE, FADES, Place, list_knobs
from engine.bending.selection import format_indices, names_cluster
from engine.bends import TRANSFORMS
from engine.caching import make_once
from engine.parameter import Parameter
from engine.region import change_region, make_everywhere
from engine.sampling import act_at

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

    layer: or several, joined by "+": the same in each of them. settings: {setting: plain value}, options and the place's
    knobs too; those left out have their defaults. mix: 0 dry .. 1 wet. selection: how the channels were chosen, in words
    (engine.bending.selection); empty = by their indices. where: in words, see engine.bending.place. fade: what the mix
    does, "setting" or "picture". place: `where`, looked up.
    own: how much of the maps' height and width is the network's own picture, where it is continued.
    """
    name: str
    layer: str
    channels: tuple[int, ...] | None
    transform: str
    settings: dict = field(default_factory=dict)
    mix: float = 1.0
    selection: str = ""
    where: str = EVERYWHERE
    fade: str = "picture"
    memory: BendState | None = field(default=None, compare=False, repr=False)
    place: Place | None = field(default=None, compare=False, repr=False)
    strength: float = field(default=1.0, compare=False, repr=False)
    own: tuple[float, float] = field(default=(1.0, 1.0), compare=False, repr=False)

    def list_knobs(self) -> dict[str, Parameter]:
        """Return its knobs by name: the transform's, the place's and those of every bend."""
        transform = TRANSFORMS[self.transform]
        fade = {"fade": FADES} if transform.neutral or transform.moves else {}
        return transform.settings | list_knobs(self.where) | fade | EVERY

    def parameters(self) -> dict[str, Parameter]:
        """Return the parameters of this bend, by address; the defaults are this bend's own settings."""
        own = self.settings | {"mix": self.mix, "fade": self.fade}
        return {f"/bends/{self.name}/{name}": _change_default(p, own.get(name, p.default)) for name, p in self.list_knobs().items()}

    def settings_names(self) -> tuple[str, ...]:
        """Return the last parts of this bend's addresses."""
        return tuple(self.list_knobs())

    def with_values(self, settings: dict, mix, memory: BendState | None = None, own: tuple[float, float] | None = None) -> "Bend":
        """Return this bend with other values; settings may be 0-d tensors, and so may mix. own: None leaves it."""
        return replace(self, settings=self.settings | settings, mix=mix, memory=memory, own=own or self.own)

    def with_fade(self, fade: str) -> "Bend":
        """Return this bend with its mix in its settings too, where `fade` and the transform let it change how far things move."""
        transform = TRANSFORMS[self.transform]
        if fade != "setting" or self.mix == 1 or not (transform.neutral or transform.moves):
            return self
        if transform.neutral:
            return replace(self, settings=transform.fade_settings(self.settings, self.mix), mix=1.0)
        return replace(self, strength=self.mix, mix=1.0)

    @property
    def moves(self) -> bool:
        """Return whether it only reads the maps at other places."""
        return TRANSFORMS[self.transform].moves

    def regions(self, x, sizes=()) -> list:
        """Return the places it acts at on feature maps x [N, C, H, W] of its layer; none where it acts everywhere.

        sizes: (height, width) of other maps that will be moved alike.
        """
        if self.place is not None and self.where != EVERYWHERE:
            knobs = {name: p.default for name, p in list_knobs(self.where).items()} | self.settings
            found = self.place.regions(x, self.layer, knobs, self.own[1])
            return [change_region(found[0], strength=self.strength, sizes=sizes), *found[1:]]
        if self.moves and (isinstance(self.strength, torch.Tensor) or self.strength != 1):
            return [make_everywhere(x.device, self.strength)]
        return []

    def run(self, dry, regions=(), given=None, spare=False):
        """Run the transform alone, its moves kept to the first of the places: dry [N, K, H, W] -> wet; dry itself if nothing changes.

        given: what the transform wants besides its settings. spare: dry may be written over.
        """
        transform = TRANSFORMS[self.transform]
        of_place = list_knobs(self.where)
        settings = {name: p.default for name, p in transform.settings.items()}
        settings |= {name: value for name, value in self.settings.items() if name not in of_place}
        places = dict(zip(("place", "target"), regions))
        given = (given or {}) | {name: places.get(name) for name in ("place", "target") if name in transform.wants}
        if transform.sized and self.own != (1.0, 1.0):
            given["own"] = tuple(round(side * share) for side, share in zip(dry.shape[2:], self.own))
        try:
            with act_at(regions[0] if regions else None, spare and transform.once and not any(isinstance(value, torch.Tensor) for value in settings.values())):
                return transform.function(dry, **settings, **given)
        except TRANSFORM_ERRORS as error:
            raise BendFailed(self.name, f"{type(error).__name__}: {error}") from error

    def apply(self, dry, regions=(), spare=False):
        """Return dry [N, K, H, W] transformed as by run(), and note what the bend keeps from frame to frame. spare: dry may be written over."""
        transform, memory = TRANSFORMS[self.transform], self.memory
        kept = tuple(name for name in transform.wants if name in ("previous", "other"))
        wet = self.run(dry, regions, {name: getattr(memory, name) for name in kept} if memory else {}, spare)
        if regions and not self.moves and wet is not dry:
            wet = torch.lerp(dry, wet, regions[0].amount(*dry.shape[2:]).to(dry.dtype))
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
        if self.where != EVERYWHERE:
            data["where"] = self.where
        if self.fade != "picture":
            data["fade"] = self.fade
        if self.channels is not None and not self.selection:
            data["channels"] = format_indices(self.channels) or []
        elif self.channels is not None and names_cluster(self.selection):
            data["indices"] = format_indices(self.channels)
        return data


def bend(x, bends, owned: bool = False):
    """Return x [N, C, H, W] with the layer's bends applied in order; x itself where no bend changes anything.

    owned: x is the caller's to lose, so it may be written to where no gradient is wanted; otherwise it never is.
    """
    return bend_both(x, None, bends, owned)[0]


def bend_both(x, picture, bends, owned: bool = False):
    """Return (x [N, C, H, W] with the layer's bends applied in order, the picture so far with the parts that were moved).

    picture: [N, 3, h, w], what the layers below have drawn; None while there is none. Else as bend().
    """
    owned = owned and not torch.is_grad_enabled()
    for b in bends:
        if b.channels == () or not isinstance(b.mix, torch.Tensor) and b.mix == 0:
            continue
        drawn = picture is not None and b.moves and b.channels is None and b.where != EVERYWHERE
        regions = b.regions(x, (tuple(picture.shape[2:]),) if drawn else ())
        dry = x if b.channels is None else _take(x, b.channels)               # [N, K, H, W]
        spare = (owned or dry is not x) and not torch.is_grad_enabled() and not isinstance(b.mix, torch.Tensor) and b.mix == 1
        wet = b.apply(dry, regions, spare)
        if wet is dry:
            continue
        if drawn:
            picture = _mix(picture, b.run(picture, regions), b.mix)
        wet = _mix(dry, wet, b.mix)
        if b.channels is None:
            x, owned = wet, False                                              # wet may belong to the transform
            continue
        if not owned:
            x, owned = x.clone(), True
        _put(x, b.channels, wet)
    return x, picture


def group_by_layer(bends) -> dict[str, list[Bend]]:
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
    index = make_index(channels, x.device)
    if x.is_contiguous(memory_format=torch.channels_last):                      # there a pixel's channels lie together
        n, _, height, width = x.shape
        return _pixels(x).index_select(1, index).view(n, height, width, -1).permute(0, 3, 1, 2)
    return x[:, index]


def _put(x, channels, wet):
    index = make_index(channels, x.device)
    if torch.is_grad_enabled():
        x[:, index] = wet
    elif not x.is_contiguous(memory_format=torch.channels_last):
        x.index_copy_(1, index, wet)
    elif len(x) == 1 and wet.is_contiguous():                                   # a map after the other: no need to interleave them
        _pixels(x).T.index_copy_(0, index, wet.view(len(index), -1))
    elif _is_written_whole(x, channels):
        place, chosen = make_places(channels, x.shape[1], x.device)
        pixels, wet = _pixels(x), _pixels(wet.contiguous(memory_format=torch.channels_last))
        torch.where(chosen, wet.index_select(1, place), pixels, out=pixels)
    else:
        wet = _pixels(wet.contiguous(memory_format=torch.channels_last))
        _pixels(x).scatter_(1, index.expand(len(wet), -1), wet)


def _is_written_whole(x, channels) -> bool:
    """Return whether all of x is written, and not these channels only: GPUs write single numbers of 2 bytes as slowly as 32."""
    return x.is_cuda and x.element_size() == 2 and 4 * len(channels) > x.shape[1]


def _pixels(x):
    """Return the memory of x [N, C, H, W], channels last, as [N * H * W, C]."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


@make_once(4096)
def make_index(channels: tuple[int, ...], device) -> torch.Tensor:
    """Return the channels as an index tensor [K], made once for a device."""
    return torch.tensor(channels, dtype=torch.long, device=device)


@make_once(4096)
def make_places(channels: tuple[int, ...], count: int, device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (where among the channels each of `count` is, 0 for those that are not, and whether it is one of them), [C] each, made once for a device."""
    place = torch.zeros(count, dtype=torch.long)
    place[list(channels)] = torch.arange(len(channels))
    chosen = torch.zeros(count, dtype=torch.bool)
    chosen[list(channels)] = True
    return place.to(device), chosen.to(device)


def _change_default(parameter: Parameter, default) -> Parameter:
    """Return the parameter with another default; its range grows to hold it (published files have no ranges)."""
    if parameter.choices or parameter.curve == "circular" or parameter.low <= default <= parameter.high:
        return replace(parameter, default=default)
    return replace(parameter, default=default, low=min(default, parameter.low), high=max(default, parameter.high))
