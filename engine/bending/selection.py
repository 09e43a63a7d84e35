"""Which channels of a layer a bend takes, in words; resolved to indices once, when a bend is made.

    all                     every channel
    eyes, cluster:eyes      a cluster by its name, or its number (cluster:2)
    random:0.3, random:0.3:7    a share of the channels drawn by lot, by a seed (0 if left out); a larger share adds to it
    0,4,7-9                 these
"""
import re

import numpy as np

from engine.errors import UserError

INDICES = re.compile(r"\s*\d+(\s*-\s*\d+)?(\s*,\s*\d+(\s*-\s*\d+)?)*\s*")
WORDS = "all, a cluster's name, cluster:NAME, random:SHARE[:SEED] or indices such as 0,4,7-9"


def resolve(selection, generator, layer: str, clusters=None) -> tuple[int, ...] | None:
    """Return the indices a selection means in a layer, ascending; None = all. A list of indices is a selection, too."""
    count = generator.channels(layer)
    if isinstance(selection, (list, tuple)):
        return check_indices(selection, count, layer)
    if not isinstance(selection, str) or not selection.strip():
        raise UserError(f"channels {selection!r}: expected {WORDS}")
    kind, _, rest = selection.strip().partition(":")
    if selection.strip() == "all":
        return None
    if kind == "random":
        return _draw(rest, count)
    if kind == "cluster" and rest:
        return cluster_channels(clusters, layer, rest, count)
    if INDICES.fullmatch(selection):
        return check_indices(parse_indices(selection), count, layer)
    return cluster_channels(clusters, layer, selection.strip(), count)


def names_cluster(selection: str) -> bool:
    """Return whether the selection is a cluster."""
    return selection != "all" and not selection.startswith("random:") and not INDICES.fullmatch(selection)


def check_indices(indices, count: int, layer: str) -> tuple[int, ...]:
    """Return the indices in ascending order; UserError for one that is not, or is there twice."""
    for i in indices:
        if isinstance(i, bool) or not isinstance(i, int):
            raise UserError(f"channel {i!r} of {layer}: expected a whole number")
        if not 0 <= i < count:
            raise UserError(f"channel {i} of {layer}: it has {count}, 0 to {count - 1}")
    if len(set(indices)) < len(indices):
        twice = next(i for n, i in enumerate(indices) if i in indices[:n])
        raise UserError(f"channel {twice} of {layer} is there twice")
    return tuple(sorted(indices))


def parse_indices(text: str) -> list[int]:
    """Return the indices that a text such as '0,4,7-9' lists."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if int(last or first) - int(first) > 10000:
            raise UserError(f"channels {part.strip()}: that is more than any layer has")
        found += range(int(first), int(last or first) + 1)
    return found


def format_indices(channels) -> str:
    """Return ascending indices as a text such as '0,4,7-9'."""
    runs: list[list[int]] = []
    for i in channels:
        if runs and i == runs[-1][1] + 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def draw_channels(share: float, count: int, seed: int) -> tuple[int, ...]:
    """Return int(count * share) different channels by lot, ascending."""
    order = np.random.RandomState(seed).permutation(count)
    return tuple(sorted(int(i) for i in order[:int(count * share)]))


def cluster_channels(clusters, layer: str, name, count: int) -> tuple[int, ...]:
    """Return a cluster's channels, by its name or number."""
    if clusters is None:
        raise UserError(f"cluster {name!r}: no clusters are loaded; {WORDS}")
    return check_indices(clusters.channels(layer, name), count, layer)


def _draw(text, count):
    share, _, seed = text.partition(":")
    try:
        share, seed = float(share), int(seed or 0)
    except ValueError:
        raise UserError(f"random:{text}: expected random:SHARE or random:SHARE:SEED, such as random:0.3:7") from None
    if not 0 <= share <= 1:
        raise UserError(f"random share {share:g}: expected 0 to 1")
    if not 0 <= seed < 2 ** 32:
        raise UserError(f"random seed {seed}: expected 0 to {2 ** 32 - 1}")
    return draw_channels(share, count, seed)
