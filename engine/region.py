"""Places on feature maps where something acts softly: round about parts, in a box, under a drawn mask. Tensors only.

Coordinates are in half map widths from the map's middle, right and down positive (where the picture is continued: half
widths of the network's own picture, which is `share` of the map). Numbers may be Python's or 0-d tensors.
Letters: N samples, K places (two eyes are two), C channels, H, W' size of a map.
"""
from dataclasses import dataclass, field, replace

import torch
from torch.nn import functional as F

from engine.caching import make_once
from engine.easing import smoothstep
from engine.resampling import make_grid, plan_reading
from engine.sampling import read

TIGHT = 0.6                         # of its reach: how much round a part is copied with it
FIRST = 1e-3                        # bonus of a copy over the next one at each pixel: of copies that cover it equally the first is seen, on any device
SMALLEST = 0.02                     # size of a copy
STEEP = 1.7                         # how far a place that is carried away must fade, in ways: less than 1.5 would fold the picture


@dataclass(frozen=True)
class Region:
    """centre [N, K, 2]; shape [N, K, 3]: a, b, c of a distance sqrt(a x^2 + 2 b x y + c y^2) that is 1 at the part's edge,
    or [1, K, 2] half sides of a box; size [N, K]: its radius. reach: where nothing acts any more, in distances; soft: the
    share of the reach over which it fades; pivot: right and down of the centre, in radii; strength: of what moves there.
    mask [1, 1, h, w']: a drawn one, which counts in the place of the distance. home [1, K, 2]: where it is on average.
    share: how much of the map's width is the network's own picture. moved: where move() said to read, of the largest map so far.
    sizes: (height, width) of other maps that will be moved alike; planned: how to read maps of a size.
    """
    centre: torch.Tensor
    shape: torch.Tensor
    size: torch.Tensor
    reach: float | torch.Tensor = 2.4
    soft: float | torch.Tensor = 0.55
    pivot: tuple = (0.0, 0.0)
    strength: float | torch.Tensor = 1.0
    mask: torch.Tensor | None = None
    home: torch.Tensor | None = None
    share: float = 1.0
    sizes: tuple = ()
    moved: dict = field(default_factory=dict, init=False, compare=False, repr=False)
    planned: dict = field(default_factory=dict, init=False, compare=False, repr=False)

    def weights(self, height: int, width: int, offsets=None) -> torch.Tensor:
        """Return how much each place has of each pixel, [N, K, H, W'], together 1 at most. offsets: what find_offsets() says, if known."""
        if self.mask is not None:
            return F.interpolate(self.mask, (height, width), mode="bilinear", align_corners=False)
        return share(self.fade(self.distance(*(offsets or self.find_offsets(height, width)))))

    def find_offsets(self, height: int, width: int):
        """Return where the pixels are from each centre: right [N, K, 1, W'], down [N, K, H, 1]."""
        right, down = pixels(height, width, self.centre.device, self.share)
        centre_right, centre_down = self.centre[..., None, None].unbind(2)
        return right - centre_right, down - centre_down

    def distance(self, across, along) -> torch.Tensor:
        """Return how far places are from each centre, 1 at the part's edge."""
        if self.shape.shape[2] == 2:
            wide, high = self.shape[..., None, None].unbind(2)
            return torch.maximum(across.abs() / wide, along.abs() / high)
        a, b, c = self.shape[..., None, None].unbind(2)
        return ((a * across + (b + b) * along) * across + c * along * along).clamp(min=0).sqrt()

    def fade(self, distance) -> torch.Tensor:
        """Return how much acts at a distance: 1 within, 0 from the reach on."""
        edge = self.reach * self.soft
        edge = edge.clamp(min=1e-3) if isinstance(edge, torch.Tensor) else max(edge, 1e-3)
        return smoothstep(((self.reach - distance) / edge).clamp(0, 1))

    def amount(self, height: int, width: int) -> torch.Tensor:
        """Return how much acts at each pixel, [N, 1, H, W']."""
        return self.weights(height, width).sum(1, keepdim=True)

    def hub(self):
        """Return what things turn about, [N, K, 1, 1] each: right, down."""
        centre, size = self.centre[..., None, None].unbind(2), self.size[..., None, None]
        return tuple(at if _is(way, 0) else at + way * size for at, way in zip(centre, self.pivot))

    def move(self, height: int, width: int, move, numbers, scaled: bool, carries: bool = True):
        """Return where to read, px right and down of the map's middle [2, N, H, W']: `move` about each hub, as far as each place goes.

        scaled: the place is all of the map to `move`; else it only lies elsewhere. carries: whether `move` may carry the hub itself away.
        """
        if scaled or carries or _has_tensors(numbers):
            return self._move(height, width, move, numbers, scaled, carries)
        key = (move, *numbers)
        known = self.moved.get(key)
        times = known.shape[3] // width if known is not None else 0
        if known is None or times < 1 or (height * times, width * times) != tuple(known.shape[2:]):
            known, times = self._move(height, width, move, numbers, scaled, carries), 1
            self.moved[key] = known
        return known if times == 1 else F.avg_pool2d(known, times) / times      # a smaller map of the same: its pixels are as many together

    def plan(self, height: int, width: int, move, numbers, scaled: bool, carries: bool, border: str):
        """Return how to read a map where move() says, for engine.resampling: with that of the other sizes at once, if the same numbers hold there."""
        if scaled or carries or _has_tensors(numbers):
            return plan_reading([self.move(height, width, move, numbers, scaled, carries)], border)[0]
        key = (move, *numbers, border)
        if (height, width, *key) not in self.planned:
            sizes = tuple(dict.fromkeys(((height, width), *self.sizes)))
            plans = plan_reading([self.move(high, wide, move, numbers, scaled, carries) for high, wide in sizes], border)
            self.planned.update({(*size, *key): plan for size, plan in zip(sizes, plans)})
        return self.planned[height, width, *key]

    def _move(self, height, width, move, numbers, scaled, carries):
        """Return what move() says."""
        half, offsets = width * self.share / 2, self.find_offsets(height, width)
        across, along = ((off if _is(way, 0) else off - way * self.size[..., None, None]) * half for off, way in zip(offsets, self.pivot))
        unit = self.size[..., None, None] * self.reach if scaled else 1.0
        across, along = (across / unit, along / unit) if scaled else (across, along)
        to_right, to_down = move(across, along, *numbers)
        share = self._widen(move, numbers, unit / half).weights(height, width) if carries else self.weights(height, width, offsets)
        for times in (self.strength, unit):
            share = share if _is(times, 1) else share * times
        moved = torch.stack([((to - at) * share).sum(1) for to, at in ((to_right, across), (to_down, along))])
        return moved.add_(make_grid(((height, width),), moved.device).own.view(2, 1, height, width))

    def _widen(self, move, numbers, unit) -> "Region":
        """Return the region, made wider where `move` carries the hub itself away: round both places, and fading slowly enough that nothing folds."""
        if self.mask is not None:
            return self
        still = torch.zeros(1, 1, 1, 1, device=self.centre.device)
        shape = (*self.centre.shape[:2], 1, 1)
        carried = torch.stack([-to.expand(shape) * unit for to in move(still, still, *numbers)], -1)[..., 0, 0, :]   # [N, K, 2] half widths
        way = self.distance(carried[..., 0, None, None], carried[..., 1, None, None])
        edge = torch.maximum(way * STEEP, way * 0 + self.reach * self.soft)
        reach = torch.maximum(1 + way / 2 + edge, way * 0 + self.reach)
        reach, soft = torch.where(way > 0, reach, self.reach), torch.where(way > 0, edge / reach, self.soft)
        return replace(self, centre=self.centre + carried / 2, reach=reach, soft=soft)


    def paint_over(self, x, amount):
        """Return x [N, C, H, W'] with the part painted over by so much, 0..1, with the mean of its surroundings."""
        distance = self.distance(*self.find_offsets(*x.shape[2:]))               # [N, K, H, W']
        over, around = (replace(self, reach=self.reach * share).fade(distance) for share in (TIGHT, 1.0))
        ring = (around - over).clamp(min=0)
        mean = torch.einsum("nkhw,nchw->nkc", ring, x.float()) / ring.sum((2, 3)).clamp(min=1e-3)[..., None]
        over = share(over) * amount
        paint = torch.einsum("nkhw,nkc->nchw", over, mean)
        return (x * (1 - over.sum(1, keepdim=True)) + paint).to(x.dtype)

    def paste(self, x, ways, sizes, source=None):
        """Return x [N, C, H, W'] with copies of what is here on top, each carried by one of ways [(right, down), ...] in half widths,
        times its size; numbers, or tensors [N, K, 1, 1]. Where two meet, the one that has more of the pixel is seen.
        source: the maps that the copies are of, if not x.
        """
        height, width = x.shape[2:]
        hub_right, hub_down = self.hub()
        across, along = self.find_offsets(height, width)
        off_right, off_down = hub_right - self.centre[..., 0, None, None], hub_down - self.centre[..., 1, None, None]
        found: list[tuple] = []
        for (right, down), size in zip(ways, sizes):
            near = size.clamp(min=SMALLEST) if isinstance(size, torch.Tensor) else max(size, SMALLEST)
            there_right, there_down = (across - right - off_right) / near + off_right, (along - down - off_down) / near + off_down
            share = replace(self, reach=self.reach * TIGHT).fade(self.distance(there_right, there_down))
            read_right = (self.centre[..., 0, None, None] + there_right).expand_as(share)
            found.append((share - len(found) * FIRST, read_right, (self.centre[..., 1, None, None] + there_down).expand_as(share)))
        shares, rights, downs = (torch.cat(fields, 1) for fields in zip(*found))                # [N, copies * K, H, W']
        share, best = shares.max(1, keepdim=True)
        right, down = (field.gather(1, best)[:, 0] * (width * self.share / 2) for field in (rights, downs))
        return torch.lerp(x, read(x if source is None else source, right, down), share.clamp(min=0).to(x.dtype))


def make_everywhere(device, strength) -> Region:
    """Return all of a map, where things move by only so much."""
    centre, shape, size = _middle(device)
    return Region(centre, shape, size, mask=_all(device), strength=strength)


def box(x, y, width, height, device, **how) -> Region:
    """Return a box with a middle at (x, y), its sides in half map widths."""
    middle = torch.stack([_number(x, device), _number(y, device)]).view(1, 1, 2)
    sides = torch.stack([_number(width, device), _number(height, device)]).view(1, 1, 2).clamp(min=0.02) / 2
    return Region(middle, sides, sides.mean(2), **how)


def make_middle(device) -> Region:
    """Return the middle of a map, for what acts about a part where none is named."""
    centre, shape, size = _middle(device)
    return Region(centre, shape * 9, size / 3)


def share(weights):
    """Return weights [N, K, H, W'] that add up to 1 at most over K."""
    return weights if weights.shape[1] == 1 else weights / weights.sum(1, keepdim=True).clamp(min=1)


@make_once(128)
def pixels(height: int, width: int, device, share: float = 1.0):
    """Return where a map's pixels are: right [W'], down [H, 1]. share: as in Region."""
    right = (torch.arange(width, device=device, dtype=torch.float32) - (width - 1) / 2) * (2 / (width * share))
    down = (torch.arange(height, device=device, dtype=torch.float32) - (height - 1) / 2) * (2 / (width * share))
    return right, down[:, None]


def _is(value, number) -> bool:
    """Return whether a value is known to be the number: of a 0-d tensor it is not."""
    return not isinstance(value, torch.Tensor) and value == number


def _has_tensors(numbers) -> bool:
    return any(isinstance(number, torch.Tensor) for number in numbers)


def change_region(region: Region, **changes) -> Region:
    """Return the region with some of it changed."""
    return replace(region, **changes)


@make_once(8)
def _middle(device):
    return torch.zeros(1, 1, 2, device=device), torch.ones(1, 1, 3, device=device), torch.ones(1, 1, device=device)


@make_once(8)
def _all(device):
    return torch.ones(1, 1, 2, 2, device=device)


def _number(value, device):
    return value.float() if isinstance(value, torch.Tensor) else torch.full((), float(value), device=device)
