"""Where a bend acts: everywhere, at a part, in a box or under a drawn mask, in words; and the knobs that go with it.

    everywhere              all of the map
    part:eyes               where the eyes are now; part:mouth,crown names two, and some transforms lead from one to the other
    box                     a rectangle, see the box's knobs
    mask:NAME               masks/NAME.png in the instrument's folder: white where it acts

Knows a layer's feature maps and what is said of parts in engine/bending/parts.py; no scenes.
"""
from dataclasses import dataclass, field

import torch

from engine.bending.parts import Parts
from engine.errors import UserError
from engine.finding import find
from engine.parameter import Parameter
from engine.region import Region, box, change_region

EVERYWHERE = "everywhere"
WORDS = "everywhere, part:NAME, part:NAME,OTHER, box or mask:NAME"
FADES = Parameter("setting", choices=("setting", "picture"), about="what the mix does: turns the setting up from nothing, or blends two pictures")
REACH = Parameter(2.4, 0.3, 8.0, curve="log", unit="radii", about="how far from the part's middle it still acts")
SOFT = Parameter(0.55, 0.02, 1.0, about="the share of the reach over which it fades out")
PIVOTS = {f"pivot_{axis}": Parameter(0.0, -4.0, 4.0, unit="radii", about=f"what things turn about, {way} of the part's middle")
          for axis, way in (("x", "to the right"), ("y", "downwards"))}
KNOBS = {
    "part": {"reach": REACH, "soft": SOFT,
             "blobs": Parameter("each", choices=("each", "together"), about="two eyes turn each about its own middle, or as one"), **PIVOTS},
    "box": {"box_x": Parameter(0.0, -1.0, 1.0, about="its middle: -1 = left, 1 = right"),
            "box_y": Parameter(0.0, -1.0, 1.0, about="its middle: -1 = above, 1 = below"),
            "box_width": Parameter(1.0, 0.02, 2.0, about="2 = as wide as the picture"),
            "box_height": Parameter(1.0, 0.02, 2.0, about="2 = as high as the picture is wide"),
            "soft": SOFT, **PIVOTS},
    "mask": dict(PIVOTS),
}
SEEN = 32                           # px of the network's own width in which a part's place is looked for, if the layer has more
BOX = ("box_x", "box_y", "box_width", "box_height")


def find_kind(where: str) -> str:
    """Return which kind of place the words mean: everywhere, part, box or mask."""
    return where.partition(":")[0]


def list_names(where: str) -> tuple[str, ...]:
    """Return the names in the words: of parts, or of a mask."""
    return tuple(name.strip() for name in where.partition(":")[2].split(",") if name.strip())


def list_knobs(where: str) -> dict[str, Parameter]:
    """Return the knobs of a place, by name."""
    return KNOBS.get(find_kind(where), {})


def check_where(where, layers, places: "Places") -> str:
    """Return the words in order; UserError where there is no such place in the layers."""
    if not isinstance(where, str):
        raise UserError(f"where: expected {WORDS}, got {where!r}")
    words = "".join(where.split())
    kind, names = find_kind(words), list_names(words)
    if words in (EVERYWHERE, "box"):
        return words
    if kind == "mask" and len(names) == 1:
        if names[0] not in places.masks:
            raise UserError(f"where: no mask {names[0]!r}; there are {', '.join(places.masks) or 'none: draw one into masks/ in the instrument folder'}")
        return words
    if kind != "part" or not 1 <= len(names) <= 2:
        raise UserError(f"where {where!r}: expected {WORDS}")
    if places.parts is None:
        raise UserError("where: this instrument knows no parts; `run_live.py parts` finds them")
    for name in names:
        places.parts.heats(name, layers)
    return words


@dataclass(frozen=True)
class Places:
    """The places that an instrument's bends may act at: its parts, and {name: Mask}."""
    parts: Parts | None = None
    masks: dict = field(default_factory=dict)


NO_PLACES = Places()


@dataclass(frozen=True)
class Place:
    """A bend's place, looked up: the parts or the mask of its words."""
    where: str
    places: Places = NO_PLACES

    def regions(self, x, layer: str, settings: dict, share: float = 1.0) -> list[Region]:
        """Return where to act on feature maps x [N, C, H, W'] of a layer, and the place of the second part if two are named.

        share: how much of the maps' width is the network's own picture.
        """
        how: dict = {"share": share, "pivot": (settings.get("pivot_x", 0.0), settings.get("pivot_y", 0.0))}
        kind, names = find_kind(self.where), list_names(self.where)
        if kind == "box":
            x_at, y_at, wide, high = (settings[name] for name in BOX)
            return [box(x_at, y_at, wide, high, x.device, reach=1.0, soft=settings["soft"], **how)]
        if kind == "mask":
            mask = self.places.masks[names[0]].to(x.device)
            centre, shape, size = mask.middle
            return [change_region(Region(centre, shape, size, mask=mask.share), **how)]
        together = settings.get("blobs") == "together"
        how |= {"reach": settings["reach"], "soft": settings["soft"]}
        return [self._part(x, layer, name, together, how) for name in names]

    def _part(self, x, layer, name, together, how):
        assert self.places.parts is not None            # check_where() has seen to it
        part = self.places.parts[name]
        height, width = x.shape[2:]
        times = round(width * how["share"]) // SEEN                            # a place can still be found in a map so many times smaller
        times = times if times > 1 and height % times == width % times == 0 else 1
        return find(part.heats[layer].on(x), part.starts, part.apart, together, times=times, **how)


@dataclass(frozen=True)
class Mask:
    """A drawn mask: share [1, 1, h, w'] of each pixel, and its middle as Region's first three fields."""
    share: torch.Tensor
    middle: tuple

    @classmethod
    def from_picture(cls, grey) -> "Mask":
        """Return the mask of a picture, an array [h, w'] in 0..1."""
        share = torch.as_tensor(grey, dtype=torch.float32)[None, None]
        found = find(share, ((0.0, 0.0),), 4.0, True)
        return cls(share, (found.centre, found.shape, found.size))

    def to(self, device) -> "Mask":
        """Return the mask on a device."""
        return self if self.share.device == device else Mask(self.share.to(device), tuple(t.to(device) for t in self.middle))
