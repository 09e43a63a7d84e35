"""An instrument is a folder (or a bare checkpoint): where its parts lie and what it is called. Reads, loads no weights."""
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from engine.errors import UserError
from live.files.config import Model, read_yaml
from live.files.paths import find_path
from live.mapping.macros import Macro, check_once

ROOT = Path(__file__).parents[2]
BUILT_IN = ROOT / "presets" / "masks"


class Description(Model):
    """instrument.yaml."""
    schema_version: int = Field(alias="schema", ge=1, le=1)
    name: str
    generator: str
    resolution: int | None = None
    credits: str = ""
    licence: str = ""
    about: str = ""
    start: dict[str, float | str | list[float]] = {}
    world: str = ""
    macros: Annotated[list[Macro], AfterValidator(check_once)] = []
    training: dict = {}


@dataclass(frozen=True)
class InstrumentFolder:
    """name; generator: the checkpoint's path; folder: where scenes, edits, clusters lie; start: {address: first value}; world: that it was taught.

    macros: what it puts on the eight macros; a mapping file's own go before.
    """
    name: str
    generator: Path
    folder: Path
    start: dict
    world: str = ""
    macros: tuple[Macro, ...] = ()

    @property
    def whole(self) -> Path:
        """Return what it is opened by: the folder, or the checkpoint where that is all there is."""
        return self.folder if (self.folder / "instrument.yaml").exists() else self.generator

    @property
    def scenes(self) -> Path:
        return self.folder / "scenes"


def find(where) -> InstrumentFolder:
    """Return the instrument at a path: a folder with an instrument.yaml, or any checkpoint file."""
    path = find_path(where)
    if not path.exists() and not path.is_absolute() and (ROOT / path).exists():
        path = ROOT / path                               # the built-in ones, from whatever folder one stands in
    if not path.exists():
        raise UserError(f"{path}: there is no such instrument; built in: {', '.join(list_built_in())}")
    if path.is_file():
        return InstrumentFolder(path.stem, path, path.with_suffix(""), {})      # presets made with it lie beside it
    description = read_yaml(path / "instrument.yaml", Description)
    return InstrumentFolder(description.name, find_path(description.generator, path), path, description.start,
                            description.world, tuple(description.macros))


def list_built_in() -> list[str]:
    """Return the instruments that come with the project, as paths one can type."""
    return sorted(f"presets/{p.parent.name}" for p in (ROOT / "presets").glob("*/instrument.yaml"))
