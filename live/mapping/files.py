"""Mapping files: which are there, what they hold, reading and writing them. docs/midi.md describes them.

Knows the words of a file, not what hands are doing. Every mistake is told with the file, the way to it and what is allowed.
"""
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from engine.errors import UserError
from live.files.config import Model, build, read_plain, write_yaml
from live.mapping.binding import Binding, check_pattern
from live.mapping.learned import unescape_device
from live.mapping.macros import Macro, check_once
from live.midi import devices
from live.midi.plays import INVERSE
from live.show.commands import COMMANDS

FOLDER = Path(__file__).parents[2] / "mappings"
COMES = ("/bends/", "/edits/", "/modulators/", "/factors/")              # below these, presets and instruments bring parameters and take them away
DEFAULTS = (FOLDER / "keyboard.yaml", FOLDER / "generic_midi.yaml")     # always there; other files overrule them


class MappingFile(Model):
    """A mapping file. device: the bindings that name none are of this one only. profile: whose names of controls are used."""
    schema_version: Literal[1] = Field(alias="schema")
    name: str = ""
    about: str = ""
    device: str | None = None
    profile: str | None = None
    channel: int | None = Field(None, ge=1, le=16)
    macros: Annotated[list[Macro], AfterValidator(check_once)] = []
    bindings: list[Binding]

    @field_validator("device")
    @classmethod
    def _pattern(cls, text):
        return check_pattern(text)


@dataclass(frozen=True)
class Read:
    """What a mapping file says. profile: live.midi.devices.Profile, or None."""
    bindings: list
    macros: list
    profile: devices.Profile | None = None


def read(path) -> Read:
    """Return a mapping file. UserError: what is wrong where."""
    data = read_plain(path)
    profile = _load_profile(data, path)
    file = build(MappingFile, profile.resolve_names(data, path) if profile else data, path)
    device = file.device or (profile.match if profile else None)
    of_device = {"device": device} if device else {}
    bindings = [binding if binding.device else binding.model_copy(update=of_device) for binding in file.bindings]
    _check_commands(bindings, path)
    return Read(bindings, list(file.macros), profile)


def list_plays() -> list[Binding]:
    """Return what the knobs and faders of all known controllers play where no mapping says otherwise."""
    return [Binding(control=control, to=address, device=profile.match, inverse=address in INVERSE, relative=profile.relative.get(control))
            for profile in devices.list_profiles().values() for control, address in profile.plays.items()]


def load(path) -> list[Binding]:
    """Return the bindings of a mapping file. UserError: what is wrong where."""
    return read(path).bindings


def _load_profile(data, path):
    """Return the profile that a mapping file names, None if it names none."""
    name = data.get("profile") if isinstance(data, dict) else None
    if not isinstance(name, str):
        return None
    try:
        profile = devices.load_named(name, Path(path).parent)
    except UserError as error:
        raise UserError(f"{path} > profile: {error}") from None
    channel = data.get("channel")
    return profile.move_to_channel(channel) if type(channel) is int and 1 <= channel <= 16 else profile


def _check_commands(bindings, path):
    """Check the arguments of bindings to commands. Whether a parameter exists depends on the scene, and is not checked here."""
    for number, binding in enumerate(bindings, 1):
        where = f"{path} > bindings > {number}"
        known = COMMANDS.get(binding.to)
        if binding.arguments and known is None:
            raise UserError(f"{where} > arguments: {binding.to} is not a command; there are: {', '.join(sorted(COMMANDS))}")
        if known and len(binding.arguments) > len(known.arguments):
            raise UserError(f"{where} > arguments: {binding.to} takes {', '.join(known.arguments) or 'none'}, "
                            f"got {len(binding.arguments)}")
        for key in ("value", "step", "relative") if known else ():
            if getattr(binding, key) is not None:
                raise UserError(f"{where} > {key}: for parameters; {binding.to} is a command, pressed and called with arguments")


def is_shipped(path) -> bool:
    """Return whether a mapping file came with the program: nothing is written into those."""
    return Path(path).resolve() in {default.resolve() for default in DEFAULTS}


def find_doubts(path, scene) -> list[str]:
    """Return what in a mapping file means nothing in this scene, a line each: it does no harm, and nothing either.

    What a preset may bring later is not in doubt. UserError: it can't be read.
    """
    file, found = read(path), []
    for number, binding in enumerate(file.bindings, 1):
        if binding.to not in COMMANDS:
            found += _find_doubt(f"{path} > bindings > {number}", binding.to, binding.value, scene)
    for number, macro in enumerate(file.macros, 1):
        for at, target in enumerate(macro.to, 1):
            found += _find_doubt(f"{path} > macros > {number} > to > {at}", target.to, None, scene)
    return found


def _find_doubt(where, address, value, scene):
    parameter = scene.parameters.get(address)
    if parameter is None and address.startswith(COMES):
        return []
    try:
        if scene.parameter(address).size:
            return [f"{where} > to: {address} takes {parameter.size} numbers, a control gives one"]
        if value is not None:
            parameter.clamp(value)
    except UserError as error:
        return [f"{where} > {'to' if parameter is None else 'value'}: {error}"]
    return []


# -- writing

def merge(data, bindings, macros, folder=FOLDER) -> dict:
    """Return a mapping file's data with these bindings in it, in the place of what the same controls did, and these macros.

    folder: where the file lies, for a profile beside it.
    """
    data = dict(data or {"schema": 1, "name": "Learned"})
    profile = _load_profile(data, Path(folder) / "mapping.yaml")
    real = lambda control: profile.controls.get(control, control) if profile else control
    place = lambda entry: (real(entry["control"]), entry.get("bank"), entry.get("argument"))
    replaces = lambda b, entry: (b.control, b.bank, b.argument) == place(entry) and _is_of_device(entry, b)
    kept = [entry for entry in data.pop("bindings", ()) if not any(replaces(b, entry) for b in bindings)]
    if macros:
        data["macros"] = [macro.model_dump(exclude_defaults=True, mode="json") for macro in macros]
    return data | {"bindings": kept + [_to_plain(binding, profile) for binding in bindings]}


def _is_of_device(entry, binding) -> bool:
    """Return whether a file's entry is for the device that a binding was learned from."""
    pattern = entry.get("device")
    return pattern in (None, binding.device) or binding.device is not None and re.search(pattern, unescape_device(binding.device), re.IGNORECASE) is not None


def _to_plain(binding, profile) -> dict:
    """Return a binding as plain data for a file, with the control's name from the file's profile where it has one."""
    entry = binding.model_dump(exclude_defaults=True, mode="json", by_alias=True)
    known = profile and binding.device and profile.matches(binding.device)
    return entry | {"control": (profile.find_name(binding.control) if known else None) or binding.control}


def save(path, bindings, macros):
    """Write these bindings into the file, which may be there already. UserError: it can't be read or written."""
    path = Path(path)
    data, comments = None, ""
    if path.exists():
        data, comments = read_plain(path), _read_comments(path)
        read(path)                                       # what can't be read is not written over
    write_yaml(path, merge(data, bindings, macros, path.parent), comments)


def _read_comments(path) -> str:
    """Return the comments a file begins with: the rest of them does not survive."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(itertools.takewhile(lambda line: line.startswith("#") or not line.strip(), lines))
