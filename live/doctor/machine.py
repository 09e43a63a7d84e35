"""What there is on this machine that a show needs or could use: read once, judged elsewhere."""
import importlib
import importlib.util
import os
import platform
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from live.doctor.cards import Card, find_cards

if TYPE_CHECKING:                   # it brings torch
    from engine.device import TorchBuild

COMPILERS = ("cc", "gcc", "clang", "cl")
STAND_INS = {"pygame": "pygame-ce"}              # packages that do for another
EXTRAS = ("cyndilib", "sounddevice", "pyvirtualcam", "aalink", "triton")           # of what can be added, by the name it is imported by


@dataclass(frozen=True)
class Machine:
    """The facts. cards: live.doctor.cards.Card. torch: engine.device.TorchBuild, None where it can't be imported (torch_problem).

    displays, cameras, midi, sounds: names; *_problem: why there are none. missing: packages of requirements.txt that aren't installed.
    passes_problem: why there are no passes compiled for this processor (engine.compiled).
    """
    system: str
    python: str
    cores: int
    torch: "TorchBuild | None" = None
    torch_problem: str = ""
    cards: tuple[Card, ...] = ()
    compiler: str = ""
    passes_problem: str = ""
    python_headers: bool = False
    displays: tuple[str, ...] = ()
    displays_problem: str = ""
    cameras: tuple[str, ...] = ()
    cameras_problem: str = ""
    midi: tuple[str, ...] = ()
    midi_problem: str = ""
    sounds: tuple[str, ...] = ()
    sounds_problem: str = ""
    jack: bool = False
    free_gb: float = 0.0
    folder: str = ""
    missing: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


def read_machine(folder: Path) -> Machine:
    """Return what there is. folder: where takes and presets are written."""
    build, problem = read_torch()
    displays, displays_problem = _list_names("live.outputs.window", "list_displays")
    cameras, cameras_problem = _list_names("live.sources.camera", "list_cameras")
    midi, midi_problem = _list_midi()
    sounds, sounds_problem = _list_names("live.audio.device", "list_inputs")
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}", python=platform.python_version(), cores=os.cpu_count() or 1,
        torch=build, torch_problem=problem, cards=find_cards(),
        compiler=next((path for name in COMPILERS if (path := shutil.which(name))), ""), passes_problem=_find_passes_problem() if build else "",
        python_headers=Path(sysconfig.get_paths()["include"], "Python.h").exists(),
        displays=displays, displays_problem=displays_problem, cameras=cameras, cameras_problem=cameras_problem, midi=midi, midi_problem=midi_problem,
        sounds=sounds, sounds_problem=sounds_problem,
        jack=shutil.which("jackd") is not None or shutil.which("pw-jack") is not None,
        free_gb=round(shutil.disk_usage(folder).free / 1e9, 1), folder=str(folder), missing=_list_missing(),
        extras=tuple(name for name in EXTRAS if importlib.util.find_spec(name)))


def read_torch():
    """Return (engine.device.TorchBuild or None, why torch can't be imported or "")."""
    try:
        from engine.device import torch_build

        return torch_build(), ""
    except (ImportError, OSError) as error:             # OSError: a library of it that can't be loaded
        return None, " ".join(str(error).split())[:200]


def _find_passes_problem() -> str:
    """Return why this machine has no compiled passes, "" if it has; they are compiled if they aren't there yet."""
    from engine.compiled import build
    from engine.errors import UserError
    from engine.files import find_cache

    try:
        build.open_library(find_cache("compiled"))
    except UserError as error:
        return str(error)
    return ""


def _list_names(module: str, function: str) -> tuple[tuple[str, ...], str]:
    """Return (the names that one of our listing functions finds, the error if it fails)."""
    try:
        found, problem = getattr(importlib.import_module(module), function)()
    except ImportError as error:
        return (), str(error)
    return tuple(name for _, name in found), problem or ""


def _list_midi():
    try:
        from live.controls.midi import list_ports

        found = list_ports(None)
    except ImportError as error:
        return (), str(error)
    return tuple(found["inputs"]), found.get("problem") or ""


def _list_missing() -> tuple[str, ...]:
    """Return the packages of requirements.txt that aren't installed, as it names them."""
    from importlib import metadata

    wanted = (Path(__file__).parents[2] / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = (line.split("#")[0].split(";")[0].split("=")[0].split(">")[0].split("<")[0].split("[")[0].strip() for line in wanted)
    installed = {(distribution.metadata["Name"] or "").lower() for distribution in metadata.distributions()}
    return tuple(name for name in names if name and not {name.lower(), STAND_INS.get(name, name)} & installed)
