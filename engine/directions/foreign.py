"""Directions in other tools' files -> ours. GANSpace's caches and exports, closed-form factors, boundaries, Autolume's, lists of edits.

Source: SPEC2.md D.2, D.5, D.8, D.9. Letters: K directions, W = w_dim, n = num_ws.
"""
import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from engine.checkpoints.arrays import read_arrays, to_floats
from engine.checkpoints.native import generator_hash
from engine.device import to_double
from engine.directions.data import Directions, join, unit_of
from engine.directions.statistics import FOR_UNITS, sample_w
from engine.errors import UserError
from engine.names import make_name

MOST = 128                           # directions that are taken from one file
ALIKE = 1e-3                         # how far lengths of rows differ that are all units
COLUMNS = {"component", "layers", "strength", "name"}


@dataclass(frozen=True)
class _Part:
    """What a file says of its directions. unit: None = to be measured."""
    names: tuple[str, ...]
    rows: torch.Tensor
    method: str
    unit: torch.Tensor | None = None
    mean: torch.Tensor | None = None
    ranges: tuple = ()
    explained: tuple = ()

    def build(self, generator, seed) -> Directions:
        """Return them as directions, their units measured where the file has none."""
        unit, mean = self.unit, self.mean
        if unit is None:
            w = to_double(sample_w(generator, FOR_UNITS, seed)[1]).cpu()
            own = w.mean(0)
            unit, mean = unit_of(w, to_double(self.rows), own), own if mean is None else mean
        about = tuple(f"{self.method}, {name}" for name in self.names)
        return Directions(self.names, self.rows, unit, self.ranges, mean, self.method, about, generator_hash(generator), self.explained)


def read_foreign(path, generator, seed: int = 0) -> Directions:
    """Return the directions in another tool's file, for a generator. UserError: what it is, and why it can't be played."""
    path = Path(path)
    found = read_arrays(path)
    try:
        part = _find_part(found, path.stem, generator)
        if part.rows.shape[-1] != generator.w_dim:
            raise UserError(f"directions of {part.rows.shape[-1]} numbers; this network's w has {generator.w_dim}")
        return part.build(generator, seed).fit(generator)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _find_part(found, stem, generator) -> _Part:
    name = make_name(stem)
    if isinstance(found, torch.Tensor):
        return _from_rows(to_floats(found), name, generator)
    if not isinstance(found, dict):
        raise UserError("no directions in it that we know")
    if "lat_comp" in found and "component_index" in found:
        return _from_export(found, name)
    if "lat_comp" in found:
        return _from_cache(found, name)
    if "eigvec" in found:
        rows = to_floats(found["eigvec"]).T
        return _make(rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12), name, "closed form of another tool")
    if {"mean", "comp", "std"} <= found.keys():
        rows = _flatten(to_floats(found["comp"]))
        return _make(rows, name, "principal components of another tool", to_floats(found["std"]).flatten(), to_floats(found["mean"]).flatten())
    raise UserError(f"no directions in it that we know; it holds {', '.join(map(str, list(found)[:8])) or 'nothing'}")


def _from_rows(x, name, generator) -> _Part:
    """Return the directions in an array of one or several boundaries: [W], [1, W], [K, W], [n, W] of one, [1, n, W], [K, n, W]."""
    if x.ndim == 1:
        x = x[None]
    if x.ndim == 3 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim not in (2, 3) or x.shape[-1] != generator.w_dim:
        raise UserError(f"an array of shape {list(x.shape)}; expected rows of {generator.w_dim} numbers, as this network's w has")
    if x.ndim == 2 and len(x) > 1 and len(x) >= generator.num_ws and not _are_apart(x):
        x = x[None]                                                  # a direction for each of the ws
    if x.ndim == 2:
        lengths = x.norm(dim=1, keepdim=True)
        if (lengths <= 0).any():
            raise UserError("a direction whose numbers are all 0")
        return _make(x / lengths, name, "from another tool")
    lengths = x.norm(dim=2)
    most = lengths.amax(1).clamp(min=1e-12)
    alike = bool((lengths - lengths.mean()).abs().max() < ALIKE * lengths.mean())
    return _make(x / most[:, None, None], name, "from another tool", None if alike else most)


def _are_apart(x) -> bool:
    """Return whether rows are directions of their own: at right angles, or nearly so."""
    rows = x / x.norm(dim=1, keepdim=True).clamp(min=1e-12)
    others = rows @ rows.T - torch.eye(len(rows))
    return bool(others.abs().mean() < 0.1)


def _from_cache(found, name) -> _Part:
    stdev = to_floats(found.get("lat_stdev")).flatten()
    rows = _flatten(to_floats(found["lat_comp"]))
    if bool((stdev == 1).all()):
        raise UserError("components of z, which no StyleGAN2 is played by; make the cache again with --use_w")
    mean = to_floats(found["lat_mean"]).flatten() if "lat_mean" in found else None
    shares = to_floats(found["var_ratio"]).flatten().tolist() if "var_ratio" in found else [0.0] * len(rows)
    return replace(_make(rows, name, "GANSpace", stdev, mean), explained=tuple(shares[:MOST]))


def _from_export(found, name) -> _Part:
    if str(found.get("latent_space", "")).upper() != "W" or found.get("edit_type", "latent") != "latent":
        kind, space = str(found.get("edit_type"))[:20], str(found.get("latent_space"))[:8]
        raise UserError(f"an edit of type {kind!r} in space {space!r}; only latent edits in W can be played")
    vector = _flatten(to_floats(found["lat_comp"]))[:1]
    unit = to_floats(_as_tensor(found.get("lat_stdev", 1.0))).flatten()[:1]
    start, end = (int(found.get(key, fallback)) for key, fallback in (("edit_start", 0), ("edit_end", 10 ** 6)))
    label = make_name(found.get("name") or name)
    return replace(_make(vector, label, "GANSpace", unit), names=(label,), ranges=((start, max(end, start + 1)),))


def read_edits(path, base: Directions, generator) -> Directions:
    """Return the directions that a table of edits names: CSV or TSV with the columns component, layers, strength, name.

    component: a number of `base`, counted from 0. layers: "0-4", both of them in it, or one number. strength: how many standard
    deviations the edit goes: such a direction's unit. UserError: which line is wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t" if "\t" in text.split("\n")[0] else ","))
    found = []
    for number, row in enumerate(rows, 2):
        row = {str(key).strip().lower(): str(value or "").strip() for key, value in row.items()}
        if not COLUMNS <= row.keys():
            raise UserError(f"{path}: expected the columns {', '.join(sorted(COLUMNS))}; found {', '.join(row)}")
        try:
            at, strength = int(row["component"]), float(row["strength"])
            span = re.fullmatch(r"(\d+)(?:\s*(?:-|\.\.|:)\s*(\d+))?", row["layers"])
            if not 0 <= at < len(base) or span is None or not strength:
                raise ValueError
        except ValueError:
            raise UserError(f"{path}: line {number}: expected a component 0..{len(base) - 1}, layers such as 0-4 and a strength; found {row}") from None
        one = base.choose([base.names[at]])
        first, last = int(span[1]), int(span[2] or span[1])
        name = make_name(row["name"] or f"edit-{number - 1}")
        vectors = one.vectors if strength > 0 else -one.vectors
        span_in_ws, unit = (first, max(first, last) + 1), one.unit * abs(strength)
        found.append(replace(one, names=(name,), vectors=vectors, unit=unit, ranges=(span_in_ws,), about=(row["name"] or name,)))
    return join(found).fit(generator)


def _make(rows, name, method, unit=None, mean=None) -> _Part:
    """Return the first MOST of rows by the file's name and their number."""
    rows = rows[:MOST]
    names = (name,) if len(rows) == 1 else tuple(f"{name}-{n + 1}" for n in range(len(rows)))
    return _Part(names, rows, method, None if unit is None else unit[:MOST].clamp(min=1e-6), mean)


def _flatten(x):
    """Return components [K, 1, W] or [K, W] as [K, W]."""
    return x.reshape(len(x), -1) if x.ndim > 1 else x[None]


def _as_tensor(value):
    return value if isinstance(value, torch.Tensor) else torch.tensor(float(value))
