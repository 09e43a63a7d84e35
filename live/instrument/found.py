"""What was found in a network: directions, clusters. Beside the instrument, or in the user's cache folder where that can't be written.

Reads; what does not fit is left out, with a line in the log. Must not know the show.
"""
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.files import find_cache

log = logging.getLogger(__name__)
DIRECTIONS = "directions.safetensors"
LOOK = "look.safetensors"
ENCODER = "encoder.safetensors"
LATENTS = "latents"
CHANNELS = "channels.yaml"
CLUSTERS = ("clusters.yaml", "clusters.yml")
FITS_ANY = ""                        # the hash of files that do not say whose they are


@dataclass(frozen=True)
class Found:
    """directions: engine.directions.Directions. clusters: engine.clusters.Clusters, or None. look: engine.look.Look, or None.

    latents: {name: engine.kept.Kept}. channels: engine.channels.Channels, or None.
    """
    directions: Any
    clusters: Any = None
    look: Any = None
    latents: dict = field(default_factory=dict)
    channels: Any = None

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing left to be found."""
        return len(self.directions) > 0 and self.clusters is not None and self.look is not None


def cache_folder(generator: str) -> Path:
    """Return the folder that is kept for a network, by its content hash, in the user's cache folder."""
    return find_cache("instruments") / generator


def choose_folder(folder, generator: str) -> Path:
    """Return where to write what is found: the instrument's folder, or the cache where that can't be written."""
    folder = Path(folder)
    there = folder if folder.exists() else folder.parent
    return folder if os.access(there, os.W_OK) else cache_folder(generator)


def read_found(folder, generator, own: str, encoder=None) -> Found:
    """Return what is there for a generator whose content hash is `own`. encoder: the instrument's, by which its look sees."""
    return Found(read_directions(folder, generator, own), read_clusters(folder, generator, own), read_look(folder, generator, own, encoder),
                 read_latents(folder, generator, own), read_channels(folder, generator, own))


def read_channels(folder, generator, own: str):
    """Return the single styles that an instrument has on faders; None without any, or, with a line in the log, where they do not fit."""
    from engine import channels

    path = Path(folder) / CHANNELS
    if not path.exists():
        return None
    try:
        found = channels.load(path, generator)
    except UserError as error:
        log.warning("%s; playing without them", error)
        return None
    if found.generator not in (FITS_ANY, own):
        log.warning("%s: found in another network; `run_live.py channels` finds them anew", path)
        return None
    return found


def read_latents(folder, generator, own: str) -> dict:
    """Return {name: engine.kept.Kept} of latents/, in the order of their names; those in the cache as well."""
    from engine import kept

    found = {}
    for path in sorted([*(cache_folder(own) / LATENTS).glob("*.safetensors"), *(Path(folder) / LATENTS).glob("*.safetensors")], key=lambda path: path.stem):
        if path.name.startswith("."):
            continue
        try:
            one = kept.load(path, generator)
        except UserError as error:
            log.warning("%s; it is left out", error)
            continue
        if one.generator not in (FITS_ANY, own):
            log.warning("%s: made with other weights: its picture will be another", path)
        found[path.stem] = one
    return found


def read_look(folder, generator, own: str, encoder=None):
    """Return the look: the folder's, or else the cache's; None where there is none that fits."""
    from engine import look

    for path in (Path(folder) / LOOK, cache_folder(own) / LOOK):
        if path.exists():
            try:
                return look.load(path, generator, encoder)
            except UserError as error:
                log.warning("%s; playing without it", error)
    return None


def read_directions(folder, generator, own: str):
    """Return all directions that fit: those found, then one file each of directions/."""
    from engine import directions
    from engine.directions.data import join

    parts, taken = [], set()
    for path in list_direction_files(folder, own):
        try:
            part = directions.load(path, generator)
        except UserError as error:
            log.warning("%s; playing without it", error)
            continue
        if part.generator not in (FITS_ANY, own):
            log.warning("%s: found in another network; `run_live.py directions` finds them anew", path)
            continue
        names = [name for name in part.names if name not in taken]
        taken |= set(names)
        parts.append(part.choose(names))
    return join(parts)


def list_direction_files(folder, own: str) -> list[Path]:
    """Return the files of directions: the folder's, or else the cache's, then one by one those in directions/."""
    own_file, cached = Path(folder) / DIRECTIONS, cache_folder(own) / DIRECTIONS
    whole = [path for path in (own_file, cached) if path.exists()][:1]
    return whole + [path for path in sorted((Path(folder) / "directions").glob("*.safetensors")) if not path.name.startswith(".")]


def read_clusters(folder, generator, own: str):
    """Return the named clusters of an instrument; None if it has none. UserError: what is wrong with the folder's own file."""
    from engine import clusters

    for path in [Path(folder) / name for name in CLUSTERS]:
        if path.exists():
            return clusters.load(path, generator)
    cached = cache_folder(own) / CLUSTERS[0]
    if not cached.exists():
        return None
    try:
        return clusters.load(cached, generator)
    except UserError as error:
        log.warning("%s; playing without them", error)
        return None
