"""A look inside the network as a picture: the feature maps of a layer, or of a cluster of its channels, in false colours.

Blended, each channel shines in a hue of its own where it is stronger than usual; as tiles, each has a picture of its own; as a key, all together are
white where they are strongest and black where they are weakest, as much of the picture light as dark: for mixing two pictures by it.
Knows tensors, layers and clusters; no outputs. Letters: C channels, H, W' size of a map.
"""
import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from engine.caching import make_once
from engine.errors import UserError

TURN = 0.6180339887                 # of the colour circle from one channel to the next: neighbours are never alike
MOST_TILES = 64                     # the strongest channels are shown
KEY = 64                            # places along a side that are told apart in a key
LIGHT, DEEP = 0.9, 1.6              # of blended pictures: how bright, and how far colours keep apart


@dataclass(frozen=True)
class Inside:
    """One such picture. channels: None = all of the layer's."""
    layer: str
    channels: tuple[int, ...] | None = None
    tiled: bool = False
    key: bool = False


class Looking:
    """Which pictures of the inside are watched. pictures: all there are, by name; layers: those that the watched ones are of."""

    def __init__(self, generator, clusters=None):
        self.pictures = pictures_inside(generator, clusters)
        self.layers: frozenset[str] = frozenset()
        self._chosen: dict[str, frozenset[str]] = {}         # layers, by who looks at them

    def choose(self, names, who: str) -> bool:
        """Watch these and no others for one of those who look; return whether other layers are needed than before."""
        self._chosen[who] = frozenset(self.pictures[name].layer for name in names)
        layers = frozenset().union(*self._chosen.values())
        changed, self.layers = layers != self.layers, layers
        return changed

    @torch.no_grad()
    def picture(self, name: str, seen: dict, pixels: tuple[int, int], view=None):
        """Return a picture as an array, uint8 [*pixels, 3], of what was seen of its layer; None: nothing. view: of a continued picture."""
        inside = self.pictures[name]
        maps = seen.get(inside.layer)
        if maps is None:
            return None
        if view is None or inside.tiled:
            return false_colours(maps, inside, pixels).cpu().numpy()
        shown = torch.empty(*pixels, 3, dtype=torch.uint8)
        view.show(shown, view.turned, false_colours(maps, inside, view.whole.shape[:2]).cpu())
        return shown.numpy()


def pictures_inside(generator, clusters=None) -> dict[str, Inside]:
    """Return every picture of the inside there is, by its name: "layer b64.conv1", "cluster b64.conv1 eyes", "... tiles", "... key"."""
    found = {f"layer {layer}": Inside(layer) for layer in generator.layers}
    for layer, named in (clusters.layers if clusters else {}).items():
        found |= {f"cluster {layer} {name}": Inside(layer, tuple(channels)) for name, channels in named.items()}
    tiles = {f"{name} tiles": Inside(one.layer, one.channels, True) for name, one in found.items()}
    keys = {f"{name} key": Inside(one.layer, one.channels, key=True) for name, one in found.items()}
    return found | tiles | keys


def false_colours(maps, inside: Inside, size: tuple[int, int]):
    """Return maps [1, C, H, W'] of a layer as uint8 [height, width, 3] of the size."""
    if maps.ndim != 4 or not maps.isfinite().all():
        raise UserError(f"{inside.layer}: feature maps that are not finite")
    channels = inside.channels
    picked = maps.float() if channels is None else maps[:, list(channels)].float()
    strength = _strength(picked)
    picture = _key(strength, size) if inside.key else _tiles(strength, size) if inside.tiled else _blend(strength, size)
    return (picture[0].permute(1, 2, 0) * 255 + 0.5).clamp_(0, 255).to(torch.uint8)


def _strength(maps):
    """Return how far each place is above its channel's mean, in standard deviations of it: [1, C, H, W']."""
    spread, mean = torch.std_mean(maps, (2, 3), keepdim=True, correction=0)
    return (maps - mean) / (spread + 1e-3 * spread.amax() + 1e-6)


def _blend(strength, size):
    """Return all channels over each other, [1, 3, *size]."""
    hues = _hues(strength.shape[1], strength.device)
    weight = hues - hues.mean(0, keepdim=True) * (1 - 1 / DEEP)
    light = F.conv2d(strength, weight.T[:, :, None, None]) * (LIGHT / math.sqrt(strength.shape[1]))
    light = F.interpolate(light, size, mode="bilinear", align_corners=False)
    return torch.sigmoid(light * 2.4 - 1.4)


def _key(strength, size):
    """Return grey, [1, 3, *size]: the share of all places where the channels are together weaker than here."""
    energy = strength.clamp_min(0).square().mean(1, keepdim=True)
    energy = F.adaptive_avg_pool2d(energy, (min(energy.shape[2], KEY), min(energy.shape[3], KEY)))
    flat = energy.flatten()
    order = flat.sort().values
    rank = (torch.searchsorted(order, flat) + torch.searchsorted(order, flat, right=True) - 1) / (2 * max(1, len(flat) - 1))
    return F.interpolate(rank.reshape(energy.shape).to(strength), size, mode="bilinear", align_corners=False).expand(1, 3, *size)


def _tiles(strength, size):
    """Return the channels side by side, [1, 3, *size]: those that vary most first where there are many."""
    count = min(strength.shape[1], MOST_TILES)
    across, down = _grid(count)
    high, wide = size[0] // down, size[1] // across
    maps = F.interpolate(strength[:, :count].transpose(0, 1), (high, wide), mode="bilinear", align_corners=False)      # [count, 1, high, wide]
    hues = _hues(count, strength.device)[:, :, None, None]
    glow = torch.sigmoid(maps * 1.6 - 0.8)
    colours = (hues * glow + (glow - 0.75).clamp_min(0) * 2.4).clamp(0, 1)
    picture = strength.new_zeros(1, 3, *size)
    above, before = (size[0] - down * high) // 2, (size[1] - across * wide) // 2
    for n in range(count):
        top, left = above + n // across * high, before + n % across * wide
        picture[0, :, top:top + high, left:left + wide] = colours[n]
    return picture


def _grid(count):
    """Return (across, down) of tiles: no place stays empty where that can be."""
    usual = math.sqrt(count)
    across = min((n for n in range(1, count + 1) if usual <= n <= 2 * usual and count % n == 0), default=math.ceil(usual))
    return across, -(-count // across)


@make_once(64)
def _hues(count, device):
    """Return colours [count, 3], 0 to 1, as far from each other around the circle of hues as they can be."""
    at = (torch.arange(count) * TURN) % 1.0
    parts = torch.stack([((at + shift) % 1.0 * 6 - 3).abs() - 1 for shift in (0.0, 2 / 3, 1 / 3)], 1)
    return parts.clamp(0, 1).to(device)
