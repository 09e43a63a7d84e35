"""Public networks that are known, and bringing one here: fetched, checked, made an instrument of. Nothing is fetched unless asked for."""
import hashlib
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from engine.errors import UserError
from engine.names import make_name
from live.files.config import Model, read_yaml, write_yaml
from live.instrument.folder import ROOT

PATH = ROOT / "presets" / "catalogue.yaml"
CHUNK = 1 << 20                      # bytes that are read at a time
LARGEST = 1 << 32                    # bytes of a file that is fetched
PATIENCE = 30.0                      # seconds without a byte
SEEDS = 10                           # presets that a new instrument begins with
PARTIAL = ".part"


class Network(Model):
    """One public network. sha256: of its file, "" where nobody has published it."""
    name: str
    url: str
    about: str = ""
    author: str = ""
    licence: str = "unknown"
    format: str = ""
    size: int = 0
    sha256: str = ""


class Catalogue(Model):
    """catalogue.yaml."""
    schema_version: int = Field(alias="schema", ge=1, le=1)
    networks: list[Network] = []


def read_catalogue(path=PATH) -> list[Network]:
    """Return the public networks that are known."""
    return list(read_yaml(Path(path), Catalogue).networks)


def find_own_folder() -> Path:
    """Return where instruments are put that were added."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "latent-jockey" / "added"


def fetch(url: str, target: Path, sha256: str = "", tell: Callable[[int, int], None] = lambda done, of: None) -> Path:
    """Return the file of a web address, fetched to `target`; goes on where it was cut off. UserError: why it can't be had, or that it is another file."""
    partial = target.with_name(target.name + PARTIAL)
    target.parent.mkdir(parents=True, exist_ok=True)
    there = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={there}-", "User-Agent": "latent-jockey"} if there else {"User-Agent": "latent-jockey"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            there = there if answer.status == 206 else 0
            of = there + int(answer.headers.get("Content-Length") or 0)
            if of > LARGEST:
                raise UserError(f"{url}: {of >> 20} MB: no StyleGAN2 network is that large")
            with open(partial, "ab" if there else "wb") as file:
                while part := answer.read(CHUNK):
                    file.write(part)
                    there += len(part)
                    tell(there, of)
            if of and there < of:
                raise UserError(f"{url}: cut off after {there} of {of} bytes; the same command goes on from there")
    except urllib.error.HTTPError as error:
        if error.code != 416:                            # 416: all of it was there
            raise UserError(f"{url}: can't be fetched: {error.code} {error.reason}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{url}: can't be fetched: {getattr(error, 'reason', error)}; the same command goes on where it was cut off") from None
    if sha256 and (found := hash_file(partial)) != sha256:
        partial.unlink()
        raise UserError(f"{url}: another file than the catalogue's: its sha256 is {found[:16]}, expected {sha256[:16]}")
    os.replace(partial, target)
    return target


def hash_file(path) -> str:
    """Return the sha256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(CHUNK):
            digest.update(part)
    return digest.hexdigest()


def make_instrument(source: Path, folder: Path, credits: str = "", licence: str = "", link: bool = False) -> Path:
    """Return a new instrument's folder of a network's file, which is checked first, then copied, or with `link` left where it is."""
    from engine import checkpoints

    generator = checkpoints.load(source)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / source.name
    if not link and kept.resolve() != source.resolve():
        shutil.copy(source, kept)
    written = {"schema": 1, "name": folder.name, "generator": str(source.resolve()) if link else source.name, "resolution": generator.resolution}
    write_yaml(folder / "instrument.yaml", written | {key: value for key, value in (("credits", credits), ("licence", licence)) if value})
    return folder


def store_seeds(opened, count: int = SEEDS):
    """Make presets of the first seeds of an instrument (live.instrument.open.Opened)."""
    from engine.motion import Motion
    from live.presets.preset import make_preset

    library = opened.open_library()
    for seed in range(1, count + 1):
        scene = opened.scene.set_values({"/walk/kind": "hold", "/walk/seed": float(seed)})
        made = make_preset(scene, Motion().advance(scene, 0.0), (), instrument=opened.name, generator=opened.generator)
        library.store(f"seed {seed:02d}", made)
    library.close()


def choose_name(text: str) -> str:
    """Return a name for the instrument of a file or a web address."""
    return make_name(Path(text.split("?")[0]).stem)
