"""Sources: where the pictures come from that the encoder sees. A source knows pictures, not what is made of them; it is
run in a thread from outside, so that one that stalls, fails or sends 8K costs the show nothing.

To add one, put a file in this folder with a class under @source that has what PictureSource lists; its name is the class's in lower case.
"""
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from engine.errors import UserError
from engine.registry import load_all
from live.files.paths import find_path

log = logging.getLogger(__name__)

@dataclass(frozen=True, eq=False)
class Seen:
    """pixels: uint8 [H, W, 3] RGB, never written to again. number: how at() finds it. due: seconds after the first of
    them that it is to be shown at, None = as soon as it is there. lasts: seconds until the next is expected, None = for good.
    """
    pixels: np.ndarray
    number: int = 0
    due: float | None = None
    lasts: float | None = None


class PictureSource(Protocol):
    """What every source has.

    exact: whether at() gives the very pictures that pictures() gave. listed: how --source names it, as users read it: ("video=FILE",).
    default: what is meant where nothing is named; left out, nothing. file: whether what it names is a file or folder, which takes find
    again by its whole path and its fingerprint; left out, no.
    """
    exact: bool
    listed: ClassVar[tuple[str, ...]]
    default: ClassVar[str]
    file: ClassVar[bool]

    def __init__(self, target: str, longest: int):
        """target: what the user named. longest: how many pixels the longer side of a picture may have."""

    def pictures(self) -> Iterator[Seen]:
        """Yield one after the other, at its own pace or as they are due. It may block, and raise BROKEN."""

    def at(self, number: int) -> np.ndarray:
        """Return the picture of that number, uint8 [H, W, 3], for a take that is played again. KeyError: it has none."""

    def close(self):
        """Let go of the device. Safe from another thread, and twice."""


SOURCES: dict[str, type[PictureSource]] = {}


def source(kind):
    """Declare a source. What it leaves out is filled in."""
    kind.listed = getattr(kind, "listed", (kind.__name__.lower(),))
    kind.default = getattr(kind, "default", "")
    kind.file = getattr(kind, "file", False)
    SOURCES[kind.__name__.lower()] = kind
    return kind


def list_sources() -> str:
    """Return how every source is named, for help texts."""
    return ", ".join(spelling for kind in SOURCES.values() for spelling in kind.listed)


def make(text: str, longest: int) -> PictureSource:
    """Return a source as the flag names it: KIND or KIND=TARGET. UserError: what is wrong with it."""
    name, _, target = text.partition("=")
    if name not in SOURCES:
        meant = f"; a film is video={text}" if "://" in text or "." in text or "/" in text else ""
        raise UserError(f"no source {name!r}; there are: {', '.join(sorted(SOURCES))}{meant}")
    target = str(find_path(target)) if target and SOURCES[name].file and "://" not in target else target
    return SOURCES[name](target or SOURCES[name].default, longest)


load_all(__name__)
