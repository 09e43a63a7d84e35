"""Finding directions in a network: principal components of w, the closed form, measured ones, and those of users' labels.

Sources: SPEC2.md D.2, D.3, D.6. Letters: K directions, W = w_dim, N samples, F factors.
"""
from collections.abc import Callable

import numpy as np
import torch

from engine.checkpoints.native import generator_hash
from engine.device import to_double
from engine.directions.data import Directions, unit_of
from engine.directions.measured import MOST_PICTURES, STATISTICS, Drawn, draw_samples, measure_pictures
from engine.directions.statistics import FOR_UNITS, map_z, measure_spread, sample_w
from engine.errors import UserError
from engine.motion import SPANS

PCA_SAMPLES = 100_000
RIDGE = 1e-3


def find(generator, method: str = "pca", count: int = 10, seed: int = 0, **settings) -> Directions:
    """Return directions of a generator, by a method of METHODS; at most as many as it has. settings: the method's own."""
    if method not in METHODS:
        raise UserError(f"no method {method!r}; there are: {', '.join(METHODS)}")
    if count < 1:
        raise UserError(f"{count} directions: expected 1 or more")
    with torch.no_grad():
        return METHODS[method](generator, count, seed, **settings)


def find_components(generator, count, seed, samples: int = PCA_SAMPLES) -> Directions:
    """Return the principal components of w, the widest first, exactly; each unit is the standard deviation along it."""
    spread = measure_spread(generator, samples, seed)
    values, vectors = torch.linalg.eigh(spread.covariance)
    count = min(count, generator.w_dim)
    rows = _turn_positive(vectors.flip(1).T[:count])
    values = values.flip(0).clamp(min=0.0)
    shares = (values / values.sum().clamp(min=1e-30))[:count]
    return Directions(tuple(f"pc-{n + 1}" for n in range(count)), rows, values[:count].sqrt().clamp(min=1e-6), mean=spread.mean, method="pca",
                      about=tuple(f"principal component {n + 1}: {100 * share:.1f} % of what seeds differ by" for n, share in enumerate(shares.tolist())),
                      generator=generator_hash(generator), explained=tuple(shares.tolist()))


def find_closed_form(generator, count, seed, layers: str = "all") -> Directions:
    """Return the directions that the styles answer to most, from the weights alone. layers: all, or the group that plays them.

    Seeds hardly stray along some of them: those have the unit of an average direction.
    """
    if layers not in ("all", *SPANS):
        raise UserError(f"layers {layers!r}: expected one of all, {', '.join(SPANS)}")
    start, end = SPANS.get(layers, (0, None))
    span = start, min(generator.num_ws if end is None else end, generator.num_ws)
    if span[0] >= span[1]:
        raise UserError(f"this network has {generator.num_ws} ws: no {layers} layers")
    rows = torch.cat([weight / weight.norm(dim=1, keepdim=True).clamp(min=1e-12) for at, weight in list_affines(generator) if span[0] <= at < span[1]])
    values, vectors = torch.linalg.eigh(rows.T @ rows)
    count = min(count, generator.w_dim)
    found = _turn_positive(vectors.flip(1).T[:count])
    values = values.flip(0)[:count]
    word = "closed" if layers == "all" else layers
    _, w = sample_w(generator, FOR_UNITS, seed)
    w = to_double(w).cpu()
    mean, usual = w.mean(0), w.var(0).mean().sqrt()
    return Directions(tuple(f"{word}-{n + 1}" for n in range(count)), found, unit_of(w, found, mean).clamp(min=usual.item()),
                      (None if layers == "all" else span,) * count, mean, "closed form",
                      tuple(f"closed form, {layers} layers, number {n + 1}" for n in range(count)), generator_hash(generator),
                      tuple((values / rows.shape[0]).tolist()))


def list_affines(generator):
    """Return (its place in ws, weight [I, W] float64) of the affine of every convolution, and of the last toRGB, in order."""
    a, found = generator.architecture, []
    for j, r in enumerate(a.resolutions):
        block = generator.block(r)
        if j:
            found.append((2 * j - 1, block.conv0.affine.weight))
        found.append((2 * j, block.conv1.affine.weight))
    found.append((generator.num_ws - 1, generator.block(a.resolution).torgb.affine.weight))
    return [(at, to_double(weight).cpu()) for at, weight in found]


def find_measured(generator, count, seed, samples: int | None = None, progress: Callable | None = None, drawn: Drawn | None = None) -> Directions:
    """Return the directions of what can be measured of any network's pictures: light, warmth, edges, symmetry, colour, area.

    drawn: its pictures, where they are there already.
    """
    drawn = drawn or draw_samples(generator, samples or MOST_PICTURES, seed, progress)
    w, (values, hue) = drawn.w, measure_pictures(drawn.pictures)
    told = [about.format(hue=hue) for about in STATISTICS.values()]
    return find_supervised(generator, w, dict(zip(STATISTICS, values.T)), seed, dict(zip(STATISTICS, told))).choose(tuple(STATISTICS)[:count])


def find_supervised(generator, w, factors: dict, seed: int = 0, about: dict | None = None) -> Directions:
    """Return a direction for each of {name: values [N]} of pictures of w [N, W]: the pattern by which w goes with it, all of them together.

    Not the filter, which predicts the factor from w: moving along that changes all others as well (SPEC2.md D.6).
    """
    names, values = list(factors), torch.stack([torch.as_tensor(value, dtype=torch.float64) for value in factors.values()], 1)
    if len(w) < 3 or not values.isfinite().all():
        raise UserError(f"{len(w)} labelled pictures: expected 3 or more, each with a number")
    w, spread = to_double(w).cpu(), measure_spread(generator, FOR_UNITS, seed)
    rows, fit = find_patterns(w, values, spread)
    unit = unit_of(to_double(sample_w(generator, FOR_UNITS, seed)[1]).cpu(), rows, spread.mean)
    lines = [(about or {}).get(name, name) for name in names]
    return Directions(tuple(names), rows, unit, mean=spread.mean, method="supervised", about=tuple(lines), generator=generator_hash(generator),
                      explained=tuple(fit))


def find_rated(generator, rated, name: str, seed: int = 0) -> Directions:
    """Return the direction along which seeds differ by the values somebody gave them. rated: [(seed, value)]."""
    z = [np.random.RandomState(one % 2 ** 32).randn(generator.z_dim) for one, _ in rated]
    with torch.no_grad():
        w = map_z(generator, torch.from_numpy(np.stack(z)).float())
    return find_supervised(generator, w, {name: [value for _, value in rated]}, seed, {name: f"{len(rated)} rated seeds"})


def find_patterns(w, values, spread):
    """Return (unit rows [F, W], R^2 of each): how w changes with one of values [N, F] while the others stay.

    Where there are far more samples than numbers in w, straight from them. Where there are few, the w of a factor's samples differ by
    chance more than by the factor: then by way of a ridge regression of the factors and the covariance of all seeds (Haufe et al. 2014).
    """
    mean, scale = values.mean(0), values.std(0).clamp(min=1e-12)
    u = (values - mean) / scale
    x = w - (w.mean(0) if len(w) > 20 else spread.mean)
    u = u * (values.std(0) > 1e-9)
    ridge = RIDGE if len(w) >= 8 * w.shape[1] else 0.1
    sigma = spread.sigma.to(x)
    white = x / sigma
    if len(w) < white.shape[1]:
        filters = white.T @ torch.linalg.solve(white @ white.T + ridge * len(w) * torch.eye(len(w)).to(x), u)
    else:
        filters = torch.linalg.solve(white.T @ white + ridge * len(w) * torch.eye(white.shape[1]).to(x), white.T @ u)
    read = white @ filters
    fit = 1 - (u - read).square().sum(0) / u.square().sum(0).clamp(min=1e-12)
    if len(w) >= 8 * w.shape[1]:
        shared = u.T @ x / len(w)
        own = u.T @ u / len(w)
    else:
        real = filters / sigma[:, None]
        shared = (spread.covariance.to(x) @ real).T
        own = real.T @ spread.covariance.to(x) @ real
    own = own + RIDGE * own.diagonal().mean().clamp(min=1e-9) * torch.eye(len(own)).to(x)
    rows = torch.linalg.solve(own, shared)
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12), fit.clamp(0, 1).tolist()


def _turn_positive(rows):
    """Return rows [K, W], each turned so that its largest number is positive: one of two equal answers."""
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    return rows * torch.where(largest < 0, -1.0, 1.0).to(rows)


METHODS: dict[str, Callable] = {"pca": find_components, "closed": find_closed_form, "measured": find_measured}
