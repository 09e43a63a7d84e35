"""Latents in other tools' files -> ours: projections, walks, lists of seeds. Executes nothing. Source: SPEC2.md P.8.

Letters: N latents, n = num_ws, W = w_dim.
"""
import logging
import re
from pathlib import Path

import numpy as np
import torch

from engine.checkpoints.arrays import read_arrays, to_floats
from engine.errors import UserError
from engine.kept.data import Kept, load
from engine.names import make_name

log = logging.getLogger(__name__)
SPACES = ("z", "w")
NAMES = {"w", "latent"}              # of tables that hold w and nothing else
NEAR_ONE = 0.2                       # how far the mean square of a z is from 1


def read_foreign(path, generator, space: str | None = None) -> dict[str, Kept]:
    """Return {name: latents} of another tool's file, for a generator. space: "z" or "w", where a file of vectors does not say it.

    UserError: what it is, and why it can't be played.
    """
    if space not in (None, *SPACES):
        raise UserError(f"space {space!r}: expected one of {', '.join(SPACES)}")
    path, noises = Path(path), {}
    try:
        if path.suffix.lower() == ".safetensors":
            return {make_name(path.stem): load(path, generator)}
        if path.suffix.lower() == ".txt":
            found = {path.stem: _from_seeds(_read_numbers(path, path.read_text(encoding="utf-8", errors="replace")), generator)}
        else:
            content = read_arrays(path)
            holds_w = isinstance(content, dict) and bool(NAMES & content.keys() or _list_projected(content))
            found = {name: _to_ws(tensor, generator, space, holds_w) for name, tensor in _find_latents(content, path.stem, generator).items()}
            found = {name: _reorder(ws, path) if path.suffix.lower() == ".npy" else ws for name, ws in found.items()}
            noises = _find_noises(content, path.stem, generator)
        return _name_all({name: _fit(path, Kept(ws, {"source": path.name}, noise=noises.get(name, {})), generator) for name, ws in found.items()})
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None
    except UserError as error:
        raise UserError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None


def _fit(path, kept, generator) -> Kept:
    """Return latents as a generator plays them; says so where they were for a larger one."""
    if (count := kept.ws.shape[1]) > generator.num_ws:
        log.warning("%s: latents for %d ws, of a larger network: the first %d of them play", path, count, generator.num_ws)
    return kept.fit(generator).simplify()


def _name_all(found) -> dict:
    """Return {name: latents} by names that can be part of an address, no two alike."""
    named: dict = {}
    for text, one in found.items():
        name = make_name(text)
        named[next(free for free in (name, *(f"{name}-{n}" for n in range(2, len(found) + 2))) if free not in named)] = one
    return named


def _list_projected(content) -> dict:
    """Return {picture: its latent} of a projector's table."""
    return {name: entry["latent"] for name, entry in content.items() if isinstance(entry, dict) and isinstance(entry.get("latent"), torch.Tensor)}


def _find_latents(content, stem: str, generator) -> dict:
    """Return {name: tensor} of what a file holds."""
    if isinstance(content, torch.Tensor):
        return {stem: content}
    if isinstance(content, list) and content and all(isinstance(one, torch.Tensor) and one.shape == content[0].shape for one in content):
        return {stem: torch.cat([_to_sequence(one) for one in content])}
    if not isinstance(content, dict):
        raise UserError("a whole module or something else that holds no latents; give the file of latents that its tool wrote beside it")
    if isinstance(content.get("w"), torch.Tensor):
        return {stem: content["w"]}
    if "noises" in content and isinstance(content.get("latent"), torch.Tensor):
        return {stem: content["latent"][:1]}
    if projected := _list_projected(content):
        return {_find_stem(name): latent for name, latent in projected.items()}
    lengths = generator.w_dim, generator.z_dim
    for value in content.values():                   # the tools that play them take the first, whatever its name
        if isinstance(value, torch.Tensor) and value.ndim >= 2 and value.shape[-1] in lengths:
            return {stem: value}
    raise UserError(f"no latents in it that we know; it holds {', '.join(str(key)[:30] for key in list(content)[:8]) or 'nothing'}")


def _to_sequence(one):
    """Return one entry of a list of latents as [N, 1 or n, W]."""
    return one[None] if one.ndim == 2 and len(one) > 1 else one.reshape(-1, 1, *one.shape[-1:]) if one.ndim < 3 else one


def _find_stem(name) -> str:
    """Return the name of a picture's file without its folders and ending, of whatever system."""
    return re.split(r"[\\/]", str(name))[-1].rpartition(".")[0] or str(name)


def _find_noises(content, stem: str, generator) -> dict:
    """Return {name: {layer: maps [1, H, W']}} of a projector's file; all of a latent's maps or none. UserError: they are not one for each layer."""
    if not isinstance(content, dict) or isinstance(content.get("w"), torch.Tensor):
        return {}
    lists = {stem: content["noises"]} if isinstance(content.get("noises"), list) else {
        _find_stem(name): entry["noise"] for name, entry in content.items() if isinstance(entry, dict) and isinstance(entry.get("noise"), list)}
    return {name: _to_maps(maps, generator) for name, maps in lists.items() if maps}


def _to_maps(maps, generator) -> dict:
    """Return {layer: [1, H, W']} of a list of noise maps [1, 1, H, W'], from 4 px up."""
    layers = [layer for layer in generator.layers if generator.layer(layer).noise]
    if len(maps) < len(layers) or (len(maps) - len(layers)) % 2:
        raise UserError(f"{len(maps)} noise maps; this network has {len(layers)}: its fine texture would be another")
    found = {layer: to_floats(one) for layer, one in zip(layers, maps)}
    if any(one.ndim < 2 for one in found.values()):
        raise UserError("noise maps that are no maps")
    return {layer: one.reshape(-1, *one.shape[-2:])[:1] for layer, one in found.items()}


def _to_ws(tensor, generator, space, holds_w=False):
    """Return latents [N, 1 or n, W] of [W], [N, W], [n, W], [N, n, W]. holds_w: vectors are w for sure, even where they look like z."""
    x = to_floats(tensor)
    if x.ndim == 1:
        x = x[None]
    if x.ndim not in (2, 3) or x.shape[-1] not in (generator.w_dim, generator.z_dim):
        raise UserError(f"an array of shape {list(x.shape)}; expected latents of {generator.w_dim} numbers, as this network's w has")
    if x.ndim == 3 and x.shape[1] > 1:
        return x
    if x.ndim == 2 and space is None and len(x) >= generator.num_ws and len(x) % 2 == 0 and len(x) <= 18 and x.shape[1] == generator.w_dim:
        return x[None]                                               # of one picture, a w for each layer
    vectors = x.reshape(-1, x.shape[-1])
    if space == "z" or space is None and not holds_w and _is_like_z(vectors, generator):
        from engine.directions.statistics import map_z

        with torch.no_grad():
            return map_z(generator, vectors)[:, None]
    return vectors[:, None]


def _is_like_z(vectors, generator) -> bool:
    """Return whether vectors that do not say what they are look like z: numbers of a unit spread."""
    square = vectors.square().mean(1)
    return vectors.shape[1] == generator.z_dim and bool(((square - 1).abs() < NEAR_ONE).all())


def _reorder(ws, path):
    """Return latents in the order that a text of the same name beside the file gives: numbers from 0, in its first line."""
    beside = path.with_suffix(".txt")
    if not beside.exists():
        return ws
    order = _read_numbers(beside, beside.read_text(encoding="utf-8", errors="replace").split("\n")[0])
    if any(at >= len(ws) for at in order):
        raise UserError(f"{beside.name} names latent {max(order)}; there are {len(ws)}")
    return ws[order]


def _read_numbers(path, text) -> list[int]:
    words = [word for word in re.split(r"[,\s]+", text) if word]
    if not words or not all(re.fullmatch(r"\d{1,10}", word) for word in words):
        raise UserError(f"{path.name}: expected whole numbers with commas or line by line")
    return [int(word) for word in words]


def _from_seeds(seeds, generator):
    """Return the w [N, 1, W] of seeds."""
    from engine.directions.statistics import map_z

    z = np.stack([np.random.RandomState(seed % 2 ** 32).randn(generator.z_dim) for seed in seeds])
    with torch.no_grad():
        return map_z(generator, torch.from_numpy(z).float())[:, None]
