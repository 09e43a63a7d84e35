"""A request in words: a YAML file with the flags of `rewrite` in it, so that an edit can be solved again. Knows the file's form only."""
import re
from pathlib import Path

from live.files.config import Model, read_yaml

SUFFIXES = (".yaml", ".yml")
DRAWN = re.compile(r"[^:]+\.png(@\d+)?", re.IGNORECASE)


class Words(Model):
    """copy, paste, context: marks as they are typed; a drawing's path goes from the file's folder. The others: the flags of that name.

    instrument: a path from the file's folder.
    """
    about: str = ""
    copy_: list[str] = []
    paste: list[str] = []
    context: list[str] = []
    fill: bool = False
    instrument: str | None = None
    layer: str | None = None
    rank: int | None = None
    solver: str | None = None
    colour: str | None = None
    truncation: float | None = None
    restraint: float | None = None
    polish: int | None = None
    gain: float | None = None
    erase: int | None = None

    model_config = Model.model_config | {"alias_generator": lambda name: name.rstrip("_"), "validate_by_name": False}


def is_words(path) -> bool:
    """Return whether a request's name says that it is one in words."""
    return Path(path).suffix.lower() in SUFFIXES


def read_words(path) -> dict:
    """Return {flag: value} of a request in words; without those that it does not name. UserError: what is wrong in it."""
    said = read_yaml(path, Words).model_dump(exclude_unset=True, by_alias=True)
    folder = Path(path).parent
    said["copy"] = [str(folder / mark) if DRAWN.fullmatch(mark) else mark for mark in said.get("copy", [])]
    if "instrument" in said:
        said["instrument"] = str(folder / said["instrument"])
    return {name: value for name, value in said.items() if name != "about"}
