"""Requests as JSON: the published tool's edit files as users have them, and our own with a schema version around them.

Published: {"query": [number, mask], "object": ..., "paste": ..., "key": [[number, mask], ...]}, all optional, a mask being
a PNG data URL. Ours: {"format", "schema", "settings", "object": [mark, ...], "paste": [...], "key": [...]}. SPEC.md C.5.
"""
import base64
import json
from pathlib import Path

import numpy as np
import torch

from engine import png
from engine.errors import UserError
from engine.files import write_text
from engine.rewriting.request import BUILT_IN, Mark, Picture, Request
from engine.yaml_file import shorten

FORMAT, SCHEMA = "latent-jockey request", 1
PUBLISHED = ("query", "object", "paste", "key")
OWN = ("format", "schema", "settings", "query", "object", "paste", "key", "fill")
PREFIX = "data:image/png;base64,"
LARGEST = 64 * 2 ** 20              # bytes of a request file


def read_request(path) -> Request:
    """Return the request in a JSON file, published or ours. UserError: where in it, what was expected, what was found."""
    try:
        content = _json(path)
        return from_plain(content)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def write_request(path, request: Request) -> Path:
    """Write a request as a file of our own."""
    return write_text(path, json.dumps(to_plain(request), indent=1))


def read_mask(path) -> torch.Tensor:
    """Return a PNG file as a mask [H, W]: its opacity where that varies, else its red (grey is as red as it is bright)."""
    try:
        picture = png.read(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    alpha = picture[:, :, 3]
    return _mask(np.maximum(picture[:, :, 0], alpha) if alpha.min() < alpha.max() else picture[:, :, 0])


def read_drawing(path) -> torch.Tensor:
    """Return a PNG file's pixels [H, W, 4] in 0..1: red, green, blue and how much of each pixel is there. UserError: nothing is, or all."""
    try:
        pixels = png.read(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None
    if pixels[:, :, 3].min() == 255 or not pixels[:, :, 3].any():
        raise UserError(f"{path}: expected a picture with transparency around what is to be copied")
    return torch.from_numpy(pixels.astype(np.float32) / 255)


def to_plain(request: Request) -> dict:
    """Return a request as plain data, for files and recipes."""
    marks = {"object": request.objects, "paste": request.pastes, "key": request.contexts}
    query = {} if request.query is None else {"query": _mark_to_plain(request.query)}
    return {"format": FORMAT, "schema": SCHEMA, "settings": request.settings, "fill": request.fill, **query,
            **{name: [_mark_to_plain(mark) for mark in there] for name, there in marks.items()}}


def from_plain(content) -> Request:
    """Return a request out of plain data, published or ours."""
    if not isinstance(content, dict):
        raise UserError(f"expected a JSON object with {', '.join(PUBLISHED)}, found {shorten(content)}")
    if "format" in content:
        return _read_own(content)
    unknown = [name for name in content if name not in PUBLISHED]
    if unknown and isinstance(content[unknown[0]], dict) and "intervention" in content[unknown[0]]:
        raise UserError("a list of interventions on units (as posneg.json), not an edit of a rule: it has no masks to read")
    if unknown:
        raise UserError(f"unknown entry {shorten(unknown[0])}: expected {', '.join(PUBLISHED)}")
    marks = {name: _mark(content[name], name) for name in PUBLISHED[:3] if content.get(name) is not None}
    keys = [] if content.get("key") is None else content["key"]
    if not isinstance(keys, list):
        raise UserError(f"key: expected a list of [image number, mask], found {shorten(keys)}")
    contexts = tuple(_mark(pair, f"key {n}") for n, pair in enumerate(keys))
    one = {name: (mark,) for name, mark in marks.items()}
    return Request(one.get("object", ()), one.get("paste", ()), contexts, marks.get("query"))


def _read_own(content) -> Request:
    if content["format"] != FORMAT:
        raise UserError(f"format {shorten(content['format'])}: expected {FORMAT!r}")
    if content.get("schema") != SCHEMA:
        raise UserError(f"schema version {shorten(content.get('schema'))}: this version reads {SCHEMA}")
    unknown = [name for name in content if name not in OWN]
    if unknown:
        raise UserError(f"unknown entry {shorten(unknown[0])}: expected {', '.join(OWN)}")
    settings, fill = content.get("settings", {}), content.get("fill", False)
    if not isinstance(settings, dict):
        raise UserError(f"settings: expected an object, found {shorten(settings)}")
    if not isinstance(fill, bool):
        raise UserError(f"fill: expected true or false, found {shorten(fill)}")
    marks = []
    for name in ("object", "paste", "key"):
        there = content.get(name, [])
        if not isinstance(there, list):
            raise UserError(f"{name}: expected a list, found {shorten(there)}")
        marks.append(tuple(_read_own_mark(entry, f"{name} {n}") for n, entry in enumerate(there)))
    query = None if content.get("query") is None else _read_own_mark(content["query"], "query")
    objects, pastes, contexts = marks
    return Request(objects, pastes, contexts, query, fill, settings)


def _mark(pair, where) -> Mark:
    """Return the mark of [image number, data URL]; the published tool looked at red alone, painted white on nothing."""
    if not isinstance(pair, list) or len(pair) != 2:
        raise UserError(f"{where}: expected [image number, mask], found {shorten(pair)}")
    try:
        return Mark(Picture(pair[0]), _decode(pair[1]))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _read_own_mark(entry, where) -> Mark:
    try:
        if isinstance(entry, dict) and set(entry) == {"drawing"}:
            pixels = _decode_png(entry["drawing"], "drawing").astype(np.float32) / 255
            return Mark(Picture(0), torch.from_numpy(pixels[:, :, 3]), torch.from_numpy(pixels[:, :, :3]).permute(2, 0, 1) * 2 - 1)
        if not isinstance(entry, dict) or set(entry) - {"image", "seed", "factors", "world", "mask"} or ("image" in entry) == ("seed" in entry):
            raise UserError(f"expected {{image or seed, mask}}, or {{drawing}}, found {shorten(entry)}")
        if not isinstance(entry.get("world", BUILT_IN), str):
            raise UserError(f"world: expected a name, found {shorten(entry['world'])}")
        factors = entry.get("factors", {})
        if not isinstance(factors, dict) or not all(isinstance(v, (int, float)) for v in factors.values()):
            raise UserError(f"factors: expected {{name: number}}, found {shorten(factors)}")
        seeded = "seed" in entry
        return Mark(Picture(entry["seed" if seeded else "image"], seeded, tuple(factors.items()), entry.get("world", BUILT_IN)), _decode(entry.get("mask")))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _mark_to_plain(mark: Mark) -> dict:
    if mark.drawing is not None:
        pixels = torch.cat([(mark.drawing + 1) / 2, mark.mask[None]]).permute(1, 2, 0)
        return {"drawing": PREFIX + base64.b64encode(png.write(pixels.mul(255).round().to(torch.uint8).numpy())).decode()}
    picture = mark.picture
    mask = png.write(mark.mask.mul(255).round().to(torch.uint8).numpy())
    plain = {"seed" if picture.seeded else "image": picture.number, "mask": PREFIX + base64.b64encode(mask).decode()}
    world = {"world": picture.world} if picture.world != BUILT_IN else {}
    return plain | world | ({"factors": dict(picture.factors)} if picture.factors else {})


def _decode_png(url, what: str) -> np.ndarray:
    if not isinstance(url, str) or not url.startswith(PREFIX):
        raise UserError(f"{what}: expected a data URL, {PREFIX}..., found {shorten(url)}")
    try:
        data = base64.b64decode(url[len(PREFIX):], validate=True)
    except ValueError as error:                                             # beyond ASCII too
        raise UserError(f"{what}: not base64: {error}") from None
    return png.read(data)


def _decode(url) -> torch.Tensor:
    picture = _decode_png(url, "mask")
    red, alpha = picture[:, :, 0], picture[:, :, 3]
    return _mask(red if red.any() or alpha.min() == 255 else alpha)         # black paint has its mask in alpha alone


def _mask(numbers) -> torch.Tensor:
    return torch.from_numpy(numbers.astype(np.float32) / 255)


def _json(path):
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path.stat().st_size} bytes: expected a request, {LARGEST} at most")
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError("there is no such file") from None
    except OSError as error:
        raise UserError(f"can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UserError("not a text file") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"not JSON: {error}") from None
