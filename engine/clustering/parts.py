"""Find parts: where each is to be seen in the feature maps of each layer, and which channels draw it.

Two ways. From named clusters, for any network: a part's heat is the sum of its cluster's maps, each normalised by its own
mean and spread over sample pictures, with the sign of its skew (what is rare is the part). From drawn pictures, for the
networks taught by a world of ours: the weights that come nearest to the part's drawn mask. Letters: S samples, C channels, P pixels.
"""
import torch
from torch.nn import functional as F

from engine.bending.parts import Heat, Part, Parts
from engine.checkpoints.native import generator_hash
from engine.clustering.correlation import sample_ws
from engine.errors import UserError
from engine.finding import SHARE, find
from engine.region import pixels
from engine.world import MASKS
from engine.world.latent import Z_DIM

COARSEST, FINEST = 16, 64           # px: layers whose maps show where parts are
SIZE = 32                           # px: where heats are compared
AGREE = 0.5                         # correlation of heats above which two layers mean the same place
JOINS = 0.7                         # the same, for clusters without a name
BEST = 64                           # px: where moving a part looks best
SMALL = 0.25                        # share of the largest place of a part: smaller places are ignored
RIDGE = 1e-3
ISLANDS = (0.45, 0.6)               # shares of a mean heat's maximum: two places that touch above the first may be apart above the second


@torch.no_grad()
def from_clusters(generator, clusters, samples: int = 64, seed: int = 0) -> Parts:
    """Return a part for every named cluster."""
    layers = [layer for layer in generator.layers if layer in clusters and any(not name.isdecimal() for name in clusters[layer])]
    if not layers:
        raise UserError("no cluster has a name yet: `run_live.py cluster --name LAYER:NUMBER=NAME` names one")
    maps = _sample(generator, layers, samples, seed)
    found: dict[str, dict[str, tuple]] = {}
    for layer in layers:
        for name, channels in clusters[layer].items():
            if channels:
                heat = _cluster_heat(maps[layer], channels)
                found.setdefault(name if not name.isdecimal() else f"{layer}:{name}", {})[layer] = (heat, channels)
    named = {name: there for name, there in found.items() if ":" not in name}
    unnamed = {name: there for name, there in found.items() if ":" in name}
    parts = {name: _agree(maps, there, unnamed, generator) for name, there in named.items()}
    return Parts(parts, generator_hash(generator), {"way": "clusters", "samples": samples, "seed": seed})


@torch.no_grad()
def from_drawings(generator, clusters=None, samples: int = 160, seed: int = 3, world=MASKS) -> Parts:
    """Return a part for each of the world's places, by the masks that it draws; clusters say which channels draw them."""
    if generator.z_dim != Z_DIM:
        raise UserError(f"the world draws for z of {Z_DIM} numbers, this network's has {generator.z_dim}: find parts by clusters")
    layers = _list_layers(generator)
    z = torch.randn(samples, Z_DIM, generator=torch.Generator().manual_seed(seed))
    maps: dict[str, list] = {layer: [] for layer in layers}
    masks: dict[str, list] = {name: [] for name in world.places}
    for some in z.split(16):
        for layer, x in generator.activations(generator.map(some), layers).items():
            maps[layer].append(x)
        visible = world.mark_parts(some, 2 * FINEST)
        for name, drawn in world.places.items():
            masks[name].append(sum(visible[part] for part in drawn)[:, None])
    wanted = torch.cat([torch.cat(masks[name]) for name in world.places], 1)           # [S, parts, 128, 128]
    heats = {layer: _fit(torch.cat(maps[layer]), wanted) for layer in layers}
    by_clusters = from_clusters(generator, clusters, 32, seed) if clusters is not None else Parts()
    parts = {}
    for at, name in enumerate(world.places):
        starts, apart = _places(F.adaptive_avg_pool2d(wanted[:, at:at + 1], FINEST))
        channels = by_clusters.parts[name].channels if name in by_clusters else {}
        parts[name] = Part(starts, apart, {layer: heats[layer][at] for layer in layers}, channels, _best(layers))
    return Parts(parts, generator_hash(generator), {"way": "drawings", "samples": samples, "seed": seed})


def _list_layers(generator) -> list[str]:
    a = generator.architecture
    found = [layer for layer in generator.layers if COARSEST <= a.resolution_of(layer) <= FINEST]
    return found or list(generator.layers[-2:])


def _sample(generator, layers, samples, seed) -> dict[str, torch.Tensor]:
    """Return {layer: its maps over sample pictures [S, C, H, W'], at 32 px at most}."""
    found: dict[str, list] = {layer: [] for layer in layers}
    for ws in sample_ws(generator, samples, seed):
        for layer, x in generator.activations(ws, layers).items():
            found[layer].append(F.adaptive_avg_pool2d(x, (min(SIZE, x.shape[2]), min(SIZE, x.shape[3]))))
    return {layer: torch.cat(x) for layer, x in found.items()}


def _cluster_heat(maps, channels) -> Heat:
    """Return the heat of a cluster: about 1 where it is strongest in each picture."""
    x = maps[:, list(channels)]
    mean, spread = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True).clamp(min=1e-6)
    normal = (x - mean) / spread
    sign = torch.where(normal.pow(3).mean((0, 2, 3)) < 0, -1.0, 1.0)
    each = sign / (spread.flatten() * len(channels))
    heat = (x * each.view(1, -1, 1, 1)).sum(1) - (each * mean.flatten()).sum()
    most = heat.flatten(1).amax(1).mean().clamp(min=1e-6)
    weights = torch.zeros(maps.shape[1])
    weights[list(channels)] = (each / most).cpu()
    return Heat(tuple(weights.tolist()), float(-(each * mean.flatten()).sum() / most))


def _agree(maps, there, unnamed, generator) -> Part:
    """Return the part that a name means: where most layers that have it agree it is."""
    pictures = {layer: _compare(heat.on(maps[layer])) for layer, (heat, _) in there.items()}
    likeness = {layer: sum(_measure_likeness(picture, other) for other in pictures.values()) for layer, picture in pictures.items()}
    leader = max(likeness, key=lambda layer: likeness[layer])
    kept = [layer for layer in there if _measure_likeness(pictures[layer], pictures[leader]) >= AGREE]
    channels = {layer: there[layer][1] for layer in kept}
    for name, other in unnamed.items():
        layer = name.partition(":")[0]
        if layer in channels and _measure_likeness(_compare(other[layer][0].on(maps[layer])), pictures[leader]) >= JOINS:
            channels[layer] = tuple(sorted({*channels[layer], *other[layer][1]}))
    a = generator.architecture
    finest = max(kept, key=lambda layer: (min(a.resolution_of(layer), SIZE), likeness[layer]))      # where two eyes are two
    starts, apart = _places(there[finest][0].on(maps[finest]))
    places = [layer for layer in kept if a.resolution_of(layer) >= 8] or kept
    return Part(starts, apart, {layer: there[layer][0] for layer in places}, channels, _best(places))


def _best(layers) -> str:
    """Return the layer where moving a part looks best: the last one of 64 px, or the nearest to it."""
    def from_best(layer):
        side = int(layer[1:].partition(".")[0])
        return max(side, BEST) / min(side, BEST), layer.endswith("0")

    return min(layers, key=from_best)


def _compare(heat):
    return F.interpolate(heat, size=SIZE, mode="bilinear", align_corners=False).flatten(1)


def _measure_likeness(a, b) -> float:
    """Return the mean correlation of maps [S, P]."""
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return float(((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp(min=1e-9)).mean())


def _fit(maps, wanted) -> list[Heat]:
    """Return the heat of each part: the weighted sum of maps [S, C, H, W'] that is nearest to its mask in wanted [S, parts, h, w']."""
    target = F.adaptive_avg_pool2d(wanted, maps.shape[2:]).permute(0, 2, 3, 1).flatten(0, 2).cpu().double()
    x = maps.permute(0, 2, 3, 1).flatten(0, 2).cpu().double()
    x = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    square = x.T @ x
    solved = torch.linalg.solve(square + torch.eye(len(square), dtype=x.dtype) * (RIDGE * square.diagonal().mean()), x.T @ target)
    return [Heat(tuple(column[:-1].tolist()), float(column[-1])) for column in solved.T]


def _places(heat) -> tuple[tuple, float]:
    """Return (the mean place of a part, how far it strays and reaches from there), by its heat over samples [S, 1, H, W']."""
    most = heat.amax((2, 3), keepdim=True).clamp(min=1e-6)
    shares = ((heat / most - SHARE) / 0.3).clamp(0, 1)
    mean = shares.mean(0, keepdim=True)
    starts = max((_islands(mean[0, 0], share) for share in ISLANDS), key=len)
    found = find(heat, starts, 2.0, False)
    centre = found.centre                                                       # [S, K, 2]
    stray = float((centre - centre.mean(0)).norm(dim=2).square().mean().sqrt())
    return tuple((float(right), float(down)) for right, down in centre.mean(0)), stray + float(found.size.mean())


def _islands(mean, share: float) -> tuple:
    """Return the middles of the islands [(right, down), ...] of a map [H, W'] above a share of its top; two at most, the largest first."""
    above = (mean > share * mean.max()).float()
    height, width = mean.shape
    labels = above * torch.arange(1.0, height * width + 1, device=mean.device).view(height, width)
    for _ in range(height + width):                                             # the highest label floods its island
        labels = F.max_pool2d(labels[None, None], 3, 1, 1)[0, 0] * above
    right, down = pixels(height, width, mean.device)
    islands = []
    for label in labels[labels > 0].unique():
        here = (labels == label) * mean
        islands.append((float(here.sum()), (float((here * right).sum() / here.sum()), float((here * down).sum() / here.sum()))))
    islands.sort(reverse=True)
    return tuple(middle for size, middle in islands[:2] if size >= SMALL * islands[0][0])
