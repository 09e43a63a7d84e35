"""k-means, seeded: points into groups. Knows numbers only. Letters: P points, D dimensions."""
import numpy as np

RESTARTS = 10
TURNS = 100
CRITERION = tuple(range(2, 25))                 # the k that "auto" chooses among


def group(points, k: int, seed: int = 0) -> np.ndarray:
    """Return the labels [P] of points [P, D], 0 the largest group. The best of several k-means++ starts; the same for the same seed."""
    points = np.asarray(points, dtype=np.float64)
    k = max(1, min(k, len(points)))
    source = np.random.RandomState(seed)
    tries = [_settle(points, _start(points, k, source)) for _ in range(RESTARTS)]
    labels = min(tries, key=lambda found: found[1])[0]
    return _sort_by_size(labels, k)


def silhouette(points, labels) -> float:
    """Return how well groups keep apart, -1..1: mean of (b - a) / max(a, b), a, b mean distances to the own and the next group."""
    distances = np.sqrt(_measure_distances(np.asarray(points, dtype=np.float64), np.asarray(points, dtype=np.float64)))
    members = labels[:, None] == np.unique(labels)                              # [P, k]
    sums, counts = distances @ members, members.sum(0)
    own = sums[members] / np.maximum(counts[members.argmax(1)] - 1, 1)
    other = np.where(members, np.inf, sums / counts).min(1)
    scores = np.where(counts[members.argmax(1)] > 1, (other - own) / np.maximum(np.maximum(own, other), 1e-12), 0.0)
    return float(scores.mean())


def best_k(points, ks, seed: int = 0) -> int:
    """Return the k whose groups keep apart best."""
    ks = [k for k in ks if 2 <= k < len(points)]
    return max(ks, key=lambda k: silhouette(points, group(points, k, seed)), default=1)


def _start(points, k, source):
    """Return starting centres by k-means++: each a point, drawn with the squared distance to the nearest one before."""
    centres = [points[source.randint(len(points))]]
    for _ in range(1, k):
        away = _measure_distances(points, np.array(centres)).min(1)
        total = away.sum()
        draw = source.random_sample() * total
        centres.append(points[min(int(np.searchsorted(np.cumsum(away), draw)), len(points) - 1)])
    return np.array(centres)


def _settle(points, centres):
    """Return (labels, sum of squared distances)."""
    labels = None
    for _ in range(TURNS):
        distances = _measure_distances(points, centres)
        found = distances.argmin(1)
        nearest = distances.min(1)
        for empty in set(range(len(centres))) - set(found.tolist()):            # an empty group takes the loneliest point
            lonely = int(nearest.argmax())
            found[lonely], nearest[lonely] = empty, 0.0
        if labels is not None and (found == labels).all():
            break
        labels = found
        centres = np.array([points[labels == i].mean(0) if (labels == i).any() else centre for i, centre in enumerate(centres)])
    return labels, float(nearest.sum())


def _sort_by_size(labels, k):
    first = [np.flatnonzero(labels == i)[0] if (labels == i).any() else len(labels) for i in range(k)]
    order = sorted(range(k), key=lambda i: (-(labels == i).sum(), first[i]))
    return np.argsort(order)[labels]


def _measure_distances(a, b):
    """Return [P, Q] squared distances."""
    return np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T, 0.0)
