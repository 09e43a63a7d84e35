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
from engine.rewriting.request import Mark, Picture, Request
from engine.yaml_file import shown

FORMAT, SCHEMA = "latent-jockey request", 1
PUBLISHED = ("query", "object", "paste", "key")
OWN = ("format", "schema", "settings", "query", "object", "paste", "key", "fill")
PREFIX = "data:image/png;base64,"
LARGEST = 64 * 2 ** 20              # bytes of a request file


def read_request(path) -> Request:
    """The request in a JSON file, published or ours. UserError: where in it, what was expected, what was found."""
    try:
        content = _json(path)
        return from_plain(content)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def write_request(path, request: Request) -> Path:
    """Write a request as a file of our own."""
    return write_text(path, json.dumps(to_plain(request), indent=1))


def read_mask(path) -> torch.Tensor:
    """A PNG file as a mask [H, W]: how opaque it is where that varies, else how red (grey is as red as it is bright)."""
    try:
        picture = png.read(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    alpha = picture[:, :, 3]
    return _mask(np.maximum(picture[:, :, 0], alpha) if alpha.min() < alpha.max() else picture[:, :, 0])


def to_plain(request: Request) -> dict:
    """Return a request as plain data, for files and recipes."""
    marks = {"object": request.objects, "paste": request.pastes, "key": request.contexts}
    query = {} if request.query is None else {"query": _mark_to_plain(request.query)}
    return {"format": FORMAT, "schema": SCHEMA, "settings": request.settings, "fill": request.fill, **query,
            **{name: [_mark_to_plain(mark) for mark in there] for name, there in marks.items()}}


def from_plain(content) -> Request:
    """A request out of plain data, published or ours."""
    if not isinstance(content, dict):
        raise UserError(f"expected a JSON object with {', '.join(PUBLISHED)}, found {shown(content)}")
    if "format" in content:
        return _own(content)
    unknown = [name for name in content if name not in PUBLISHED]
    if unknown and isinstance(content[unknown[0]], dict) and "intervention" in content[unknown[0]]:
        raise UserError("a list of interventions on units (as posneg.json), not an edit of a rule: it has no masks to read")
    if unknown:
        raise UserError(f"unknown entry {shown(unknown[0])}: expected {', '.join(PUBLISHED)}")
    marks = {name: _mark(content[name], name) for name in PUBLISHED[:3] if content.get(name) is not None}
    keys = [] if content.get("key") is None else content["key"]
    if not isinstance(keys, list):
        raise UserError(f"key: expected a list of [image number, mask], found {shown(keys)}")
    contexts = tuple(_mark(pair, f"key {n}") for n, pair in enumerate(keys))
    one = {name: (mark,) for name, mark in marks.items()}
    return Request(one.get("object", ()), one.get("paste", ()), contexts, marks.get("query"))


def _own(content) -> Request:
    if content["format"] != FORMAT:
        raise UserError(f"format {shown(content['format'])}: expected {FORMAT!r}")
    if content.get("schema") != SCHEMA:
        raise UserError(f"schema version {shown(content.get('schema'))}: this version reads {SCHEMA}")
    unknown = [name for name in content if name not in OWN]
    if unknown:
        raise UserError(f"unknown entry {shown(unknown[0])}: expected {', '.join(OWN)}")
    settings, fill = content.get("settings", {}), content.get("fill", False)
    if not isinstance(settings, dict):
        raise UserError(f"settings: expected an object, found {shown(settings)}")
    if not isinstance(fill, bool):
        raise UserError(f"fill: expected true or false, found {shown(fill)}")
    marks = []
    for name in ("object", "paste", "key"):
        there = content.get(name, [])
        if not isinstance(there, list):
            raise UserError(f"{name}: expected a list, found {shown(there)}")
        marks.append(tuple(_own_mark(entry, f"{name} {n}") for n, entry in enumerate(there)))
    query = None if content.get("query") is None else _own_mark(content["query"], "query")
    objects, pastes, contexts = marks
    return Request(objects, pastes, contexts, query, fill, settings)


def _mark(pair, where) -> Mark:
    """Return the mark of [image number, data URL]; the published tool looked at red alone, painted white on nothing."""
    if not isinstance(pair, list) or len(pair) != 2:
        raise UserError(f"{where}: expected [image number, mask], found {shown(pair)}")
    try:
        return Mark(Picture(pair[0]), _decoded(pair[1]))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _own_mark(entry, where) -> Mark:
    try:
        if not isinstance(entry, dict) or set(entry) - {"image", "seed", "factors", "mask"} or ("image" in entry) == ("seed" in entry):
            raise UserError(f"expected {{image or seed, mask}}, found {shown(entry)}")
        factors = entry.get("factors", {})
        if not isinstance(factors, dict) or not all(isinstance(v, (int, float)) for v in factors.values()):
            raise UserError(f"factors: expected {{name: number}}, found {shown(factors)}")
        seeded = "seed" in entry
        return Mark(Picture(entry["seed" if seeded else "image"], seeded, tuple(factors.items())), _decoded(entry.get("mask")))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _mark_to_plain(mark: Mark) -> dict:
    picture = mark.picture
    mask = png.write(mark.mask.mul(255).round().to(torch.uint8).numpy())
    plain = {"seed" if picture.seeded else "image": picture.number, "mask": PREFIX + base64.b64encode(mask).decode()}
    return plain | ({"factors": dict(picture.factors)} if picture.factors else {})


def _decoded(url) -> torch.Tensor:
    if not isinstance(url, str) or not url.startswith(PREFIX):
        raise UserError(f"mask: expected a data URL, {PREFIX}..., found {shown(url)}")
    try:
        data = base64.b64decode(url[len(PREFIX):], validate=True)
    except ValueError as error:                                             # beyond ASCII too
        raise UserError(f"mask: not base64: {error}") from None
    picture = png.read(data)
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
