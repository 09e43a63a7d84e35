"""A file of directions: safetensors, with names, ranges and the generator's hash in its metadata. Holds numbers and text only."""
import json
from pathlib import Path

from engine.directions.data import Directions
from engine.errors import UserError
from engine.tensor_files import expect_format, read_table, read_tensors, write_tensors

FORMAT = "latent-jockey directions"
SCHEMA = 1


def save(path, directions: Directions, **about) -> Path:
    """Write directions; `about` is kept as JSON beside them (samples, seed, where they came from, ...)."""
    told = {"names": directions.names, "ranges": directions.ranges, "about": directions.about, "explained": directions.explained}
    header = {"format": FORMAT, "schema": str(SCHEMA), "method": directions.method, "generator": directions.generator,
              "told": json.dumps(told), "recipe": json.dumps(about)}
    tensors = {"directions": directions.vectors, "unit": directions.unit} | ({} if directions.mean is None else {"mean": directions.mean})
    return write_tensors(path, tensors, header, make_folder=True)


def load(path, generator=None) -> Directions:
    """Return the directions in a file of ours. generator: whom they are to move; UserError where they do not fit it."""
    try:
        header, tensors = read_tensors(path, "find them again", _expect_ours)
        found = _build(header, tensors)
        return found if generator is None else found.fit(generator)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _expect_ours(header):
    expect_format(header, FORMAT, SCHEMA, "directions", ", or find them again")


def _build(header, tensors) -> Directions:
    missing = [name for name in ("directions", "unit") if name not in tensors]
    if missing:
        raise UserError(f"no {missing[0]} in it; found {', '.join(sorted(tensors)) or 'nothing'}")
    try:
        told = read_table(header, "told")
        ranges = tuple(None if span is None else (int(span[0]), int(span[1])) for span in told.get("ranges", ()))
        about, explained = tuple(map(str, told.get("about", ()))), tuple(map(float, told.get("explained", ())))
        return Directions(tuple(map(str, told["names"])), tensors["directions"], tensors["unit"], ranges, tensors.get("mean"),
                          header.get("method", ""), about, header.get("generator", ""), explained)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise UserError(f"the file's metadata is damaged: {error}; find them again") from None
