"""Whether clusters are the parts of the picture: for each part of the built-in world, the cluster whose map fits it best.

    python run_live.py bench clusters --instrument presets/masks
    python -m tests.bench.clusters presets/masks presets/masks/clusters.yaml        writes the best method's, named, too

For unseen z the world that an instrument was taught says where each of its regions is. A cluster's map is the mean of its channels' maps,
up-sampled; it is cut at one threshold for all z, the best one, and compared with the part by intersection over union
(sums over all z). `table` has the best cluster of any layer for each part, for either method, and for random groups of
the same sizes; `taught`: the channels that training tied to the world's groups (engine/world/losses.py), which are named in the file where none that was found
fits a part well enough. `ablating` is what ablating a cluster of what one looks at first (FEATURES) changes inside its dilated mask, over outside: for the cluster that fits best, and for the most local one of those that fit at 0.5 or better.
"""
import pathlib
import sys

import numpy as np

SAMPLES, TRUTH_SEED, FIND_SEED, SIZE, BATCH, BINS = 200, 20001, 0, 64, 20, 400
NAMED = 0.4                             # least fit of a cluster that is called by a part
LARGE = 0.04                            # of the picture: from here on a region counts as large
WANTED = {"large": 0.6, "small": 0.4}   # least fit
FEATURES = ("eyes", "eye", "sign")      # the first of them that a world has
LAYERS = ("b16.conv0", "b16.conv1", "b32.conv0", "b32.conv1", "b64.conv0", "b64.conv1", "b128.conv0", "b128.conv1")


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: instrument, samples, find_samples, methods, epochs, layers, k, write."""
    generator, world = _open(options)
    regions, samples = world.regions, options.get("samples") or SAMPLES
    z, truth = _truth(world, samples)
    layers = [layer for layer in options.get("layers") or LAYERS if layer in generator.layers]
    found = {}
    for name in options.get("methods") or ("correlation", "classifier"):
        found[name] = _found(generator, layers, name, options, next(iter(found.values()), None))
    found["random"] = _random(next(iter(found.values())))
    found["taught"] = _find_taught(generator, world, layers)
    scores = _scores(generator, z, found, truth)
    table = {name: {part: max(((round(float(s[n]), 3), *where) for where, s in scores[name].items()), key=lambda row: row[0])
                    for n, part in enumerate(regions)} for name in found}
    method = max((name for name in found if name not in ("random", "taught")), key=lambda name: sum(row[0] for row in table[name].values()))
    wanted = {part: WANTED["large" if area >= LARGE else "small"] for part, area in zip(regions, truth.mean((1, 2, 3)))}
    met = {part: max(table[name][part][0] for name in (method, "taught")) >= least for part, least in wanted.items()}
    if options.get("write"):
        lacking = {part: table["taught"][part] for part, least in wanted.items() if table[method][part][0] < least <= table["taught"][part][0]}
        add_taught(named(generator, world, found[method], samples), found["taught"], lacking).save(options["write"])
    feature = next(name for name in FEATURES if name in regions)
    place = list(regions).index(feature)
    fit = sorted(((s[place], where) for where, s in scores[method].items()), reverse=True)
    fit = [fit[0]] + [pair for pair in fit[1:8] if pair[0] >= 0.5]
    local = [ablating(generator, world, feature, z, layer, found[method].channels(layer, cluster)) | {"iou": round(float(iou), 3)}
             for iou, (layer, cluster) in fit]
    return {
        "samples": len(z), "layers": layers, "clusters": {name: [len(c[layer]) for layer in layers if layer in c] for name, c in found.items()},
        "wanted": wanted, "met": met, "table": table, "best": method,
        "ablating": {"feature": feature, "best": local[0], "most_local": max(local, key=lambda figures: figures["inside_over_outside"])},
    }


def named(generator, world, clusters, samples):
    """The clusters, those that fit a part called by it: the best fit of all first, a name once a layer."""
    z, truth = _truth(world, samples)
    scores = _scores(generator, z, {"": clusters}, truth)[""]
    fits = sorted(((s[n], layer, cluster, name) for (layer, cluster), s in scores.items() for n, name in enumerate(world.regions)), reverse=True)
    done, given = set(), set()
    for iou, layer, cluster, name in fits:
        if iou >= NAMED and (layer, cluster) not in done and (layer, name) not in given:
            clusters = clusters.rename_cluster(layer, cluster, name)
            done.add((layer, cluster))
            given.add((layer, name))
    return clusters


def add_taught(clusters, taught, parts):
    """The clusters with those of {part: (its fit, layer, group)} in them by the part's name, their channels taken from where they were."""
    from dataclasses import replace

    layers = dict(clusters.layers)
    for part, (_, layer, group) in parts.items():
        channels = taught.channels(layer, group)
        rest = {str(n) if name == part else name: tuple(i for i in there if i not in channels) for n, (name, there) in enumerate(layers[layer].items())}
        layers[layer] = {name: there for name, there in rest.items() if there} | {part: channels}
    return replace(clusters, layers=layers)


def _find_taught(generator, world, layers):
    """The runs of channels whose mean told training where each group of the world is."""
    from engine.clusters import Clusters
    from engine.world.losses import FREE
    from engine.world.train import GROUPED

    runs, groups = {}, list(world.groups)
    for layer in (layer for layer in layers if layer in GROUPED):
        each = int(generator.channels(layer) * (1 - FREE)) // len(groups)
        runs[layer] = {name: tuple(range(n * each, (n + 1) * each)) for n, name in enumerate(groups)}
    return Clusters(runs)


def _open(options):
    """(generator, the world it was taught)."""
    import torch

    from engine import checkpoints, world
    from live.instrument import folder as instruments

    if options.get("threads"):
        torch.set_num_threads(options["threads"])
    folder = instruments.find(options.get("instrument") or instruments.BUILT_IN)
    return checkpoints.load(folder.generator), world.find(folder.world or "masks")


def _truth(world, samples):
    """(z [S, 64], masks bool [region, S, SIZE, SIZE]) of unseen z."""
    import torch

    z = torch.from_numpy(np.random.RandomState(TRUTH_SEED).randn(samples, 64)).float()
    masks = []
    for some in z.split(BATCH):
        there = world.mark_parts(some, SIZE)
        masks.append(torch.stack([sum(there[part] for part in which) > 0.5 for which in world.regions.values()]))
    return z, torch.cat(masks, 1).numpy()


def _found(generator, layers, name, options, other):
    """The clusters by one method; as many as the other one found, if there is one, so that they can be compared."""
    from engine.clustering.classifier import Classifier
    from engine.clusters import Clusters, find

    method = name
    if name == "classifier":
        method = Classifier(epochs=options.get("epochs") or 8, rate=1e-3, batch=256, progress=_say)
    clusters = Clusters()
    for layer in layers:
        k = len(other[layer]) if other else options.get("k") or "auto"
        clusters = clusters.merge(find(generator, layer, k, options.get("find_samples") or 100, FIND_SEED, method))
    return clusters


def _say(event):
    sys.stderr.write(f"{event}\n")


def _random(clusters):
    """Groups of the same sizes, by lot."""
    from dataclasses import replace

    source, layers = np.random.RandomState(0), {}
    for layer, groups in clusters.layers.items():
        order = source.permutation(sum(len(channels) for channels in groups.values())).tolist()
        layers[layer] = {name: tuple(sorted(order.pop() for _ in channels)) for name, channels in groups.items()}
    return replace(clusters, layers=layers)


def _scores(generator, z, found, truth):
    """{method: {(layer, cluster): [part] intersection over union}}."""
    scores = {name: {} for name in found}
    for layer in next(iter(found.values())):
        maps = {(name, cluster): [] for name, clusters in found.items() if layer in clusters for cluster in clusters[layer]}
        for activations in _activations(generator, z, layer):
            for name, cluster in maps:
                maps[name, cluster].append(cluster_map(activations, found[name].channels(layer, cluster)))
        for (name, cluster), pieces in maps.items():
            scores[name][layer, cluster] = best_iou(np.concatenate(pieces), truth)
    return scores


def _activations(generator, z, layer):
    import torch

    with torch.no_grad():
        for some in z.split(BATCH):
            yield generator.activations(generator.map(some), [layer])[layer]


def cluster_map(activations, channels):
    """[N, C, H, W] -> [N, SIZE, SIZE]: the mean of the cluster's maps, up-sampled (averaged where they are larger)."""
    from torch.nn import functional as F

    x = activations[:, list(channels)].mean(1, keepdim=True)
    if x.shape[2] > SIZE:
        return F.adaptive_avg_pool2d(x, SIZE)[:, 0].numpy()
    return F.interpolate(x, (SIZE, SIZE), mode="bilinear", align_corners=False)[:, 0].numpy()


def best_iou(maps, truth):
    """maps [S, H, W], truth [part, S, H, W] -> [part]: the best intersection over union of maps > threshold, one threshold
    for all; the thresholds tried are quantiles, closer to each other towards either end.
    """
    shares = np.sin(np.linspace(0, np.pi / 2, BINS)) ** 2
    edges = np.unique(np.quantile(maps.ravel()[::7], shares))
    level = np.searchsorted(edges, maps.ravel())
    every = np.bincount(level, minlength=len(edges) + 1)
    above = every[::-1].cumsum()[::-1]
    best = []
    for mask in truth:
        inside = np.bincount(level, weights=mask.ravel(), minlength=len(edges) + 1)
        hit = inside[::-1].cumsum()[::-1]
        best.append((hit / (above + mask.sum() - hit)).max())
    return np.array(best)


def ablating(generator, world, feature, z, layer, channels, count=32, size=64):
    """Mean absolute change of the picture inside a region's mask, dilated by an eighth of the picture, over outside."""
    import torch
    from torch.nn import functional as F

    from engine.bending import Bend

    inside = outside = 0.0
    with torch.no_grad():
        for some in z[:count].split(8):
            ws = generator.map(some)
            there = world.mark_parts(some, size)
            mask = (sum(there[name] for name in world.regions[feature]) > 0.5).float()[:, None]
            mask = F.max_pool2d(mask, size // 8 + 1, 1, size // 16)[:, 0] > 0
            change = (generator.synthesize(ws, size=size, bends=[Bend("e", layer, tuple(channels), "ablate")])
                      - generator.synthesize(ws, size=size)).abs().mean(1)
            inside, outside = inside + float(change[mask].mean()), outside + float(change[~mask].mean())
    return {"layer": layer, "channels": len(channels), "inside_over_outside": round(inside / max(outside, 1e-9), 2)}


if __name__ == "__main__":
    import json

    sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
    sys.stdout.write(json.dumps(bench(dict(zip(("instrument", "write"), sys.argv[1:])) | {"methods": ["correlation"]}), indent=1) + "\n")
