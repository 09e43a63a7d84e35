"""Presets: a scene and its motion in a YAML file, and what recalling one makes of the scene there is.

Knows neither the show nor when a preset is recalled. A preset is built and checked whole before anything is changed.
"""
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pydantic import Field

from engine.errors import UserError
from engine.modulation import Modulator
from engine.morphing import EASES, PATHS, RULES
from engine.motion import Motion
from engine.scene import Scene
from live.files.config import Model, build, read_plain
from live.presets.locks import keep_parts
from live.show.data import bend_from_plain, bend_to_plain, check_counts, motion_from_plain, motion_to_plain, to_plain
from live.show.parameters import MASTERS, is_below

SCHEMA = 1
# Parts of a scene that a preset can be of: their addresses begin with one of these. What no other claims is "rest".
SECTIONS = {
    "latent": ("/walk", "/style", "/truncation", "/class", "/noise", "/factors", "/directions", "/const"),
    "bends": ("/bends", "/echo"),
    "weights": ("/edits", "/weights", "/channels"),
    "source": ("/source",),
    "modulators": ("/modulators",),
}


class MorphFile(Model):
    """How this preset is gone to: what it leaves out is as /morph/* says."""
    seconds: float | None = Field(None, ge=0.0)
    beats: float | None = Field(None, ge=0.0)
    ease: str | None = None
    path: str | None = None
    step: float | None = Field(None, ge=0.0, le=1.0)
    rules: dict[str, str] = {}


class PresetFile(Model):
    """scenes/<name>.yaml."""
    schema_version: int = Field(alias="schema")
    instrument: str = ""
    generator: str = ""
    network: str = ""
    about: str = ""
    mapping: str = ""
    sections: list[str] = []
    morph: MorphFile = MorphFile()
    values: dict[str, object] = {}
    bends: list[dict] = []
    modulators: list[dict] = []
    motion: dict[str, object] | None = None


@dataclass(frozen=True)
class Preset:
    """values: what differs from the defaults, by address. sections: what it is of, () = everything.

    motion: None leaves the motion there is. instrument, generator: what it was made on, and network: where that lies, if it is another than the folder's;
    mapping: the mapping it was played with, for the record. raw: its file, where that is of another network and so can't be checked here.
    """
    values: MappingProxyType
    bends: tuple = ()
    motion: Motion | None = None
    sections: tuple[str, ...] = ()
    morph: MorphFile = field(default_factory=MorphFile)
    instrument: str = ""
    generator: str = ""
    mapping: str = ""
    about: str = ""
    modulators: tuple = ()
    network: str = ""
    raw: dict | None = None

    def has_section(self, section: str) -> bool:
        """Return whether it is of this section."""
        return not self.sections or section in self.sections

    def holds(self, address: str) -> bool:
        """Return whether recalling this preset decides the value at an address."""
        if is_below(address, MASTERS):
            return False
        return not self.sections or find_section(address) in self.sections


def find_section(address: str) -> str:
    return next((name for name, prefixes in SECTIONS.items() if is_below(address, prefixes)), "rest")


def check_sections(sections) -> tuple[str, ...]:
    """Return the sections. UserError: there is no such section, and which there are."""
    sections, allowed = tuple(sections), (*SECTIONS, "rest")
    for name in sections:
        if name not in allowed:
            raise UserError(f"expected sections out of {', '.join(allowed)}, got {name!r}")
    return sections


def make_preset(scene: Scene, motion: Motion, sections=(), **about) -> Preset:
    """Return a preset of the scene and motion that play. about: instrument, generator, mapping, morph of the preset it replaces."""
    kept = Preset(MappingProxyType({}), sections=check_sections(sections), **about)
    values = {a: v for a, v in scene.values.items()
              if a in scene.parameters and kept.holds(a) and v != scene.parameters[a].default}
    return replace(kept, values=MappingProxyType(values), bends=scene.bends if kept.has_section("bends") else (),
                   modulators=scene.modulators if kept.has_section("modulators") else (),
                   motion=replace(motion.put_in_place(Motion()), holds=()) if kept.has_section("latent") else None)


def apply_preset(preset: Preset, scene: Scene, motion: Motion, locks=()) -> tuple[Scene, Motion]:
    """Return (scene, motion) with the preset in them. Locked addresses, and sections the preset does not have, stay as they are."""
    takes = lambda section: preset.has_section(section) and not is_below(f"/{section}", locks)
    base = scene.with_bends(keep_parts(preset.bends, scene.bends, "bends", locks)) if takes("bends") else scene
    base = base.with_modulators(keep_parts(preset.modulators, scene.modulators, "modulators", locks)) if takes("modulators") else base
    decided = lambda address: preset.holds(address) and not is_below(address, locks)
    values = {a: v for a, v in base.values.items() if not decided(a)}
    values |= {a: v for a, v in preset.values.items() if a in base.parameters and decided(a)}
    if preset.motion is not None and not is_below("/walk", locks):
        modulators = preset.motion.modulators if takes("modulators") else motion.modulators
        motion = replace(preset.motion.put_in_place(motion), modulators=modulators)
    return replace(base, values=MappingProxyType(values)), motion


def to_file(preset: Preset) -> dict:
    """Return the preset as the keys of its file."""
    if preset.raw is not None:
        return preset.raw
    morph = preset.morph.model_dump(exclude_defaults=True)
    bends = [bend.to_dict() if hasattr(bend, "to_dict") else bend_to_plain(bend) for bend in preset.bends]
    data = {"schema": SCHEMA, "instrument": preset.instrument, "generator": preset.generator, "network": preset.network, "about": preset.about,
            "mapping": preset.mapping, "sections": list(preset.sections), "morph": morph,
            "values": {a: to_plain(v) for a, v in preset.values.items()}, "bends": bends,
            "modulators": [modulator.to_dict() for modulator in preset.modulators],
            "motion": None if preset.motion is None else motion_to_plain(preset.motion)}
    return {key: value for key, value in data.items() if value not in ("", [], {}, None) or key == "values" or key == "motion" and value is not None}


def read_file(path, base: Scene, generator: str = "", make_bend=bend_from_plain) -> tuple[Preset, list[str]]:
    """Return (the preset in a file, in words what was left out of it as it was made on another generator).

    base: any scene of the instrument. make_bend(data) -> Bend. UserError: what is wrong in the file, and where.
    """
    data = read_plain(path)
    version = data.get("schema") if isinstance(data, dict) else None
    if type(version) is int and version > SCHEMA:
        raise UserError(f"{path}: schema version {version}; this version reads up to {SCHEMA}: update Latent Jockey")
    found = build(PresetFile, data, path)
    if found.schema_version != SCHEMA:
        raise UserError(f"{path} > schema: expected {SCHEMA}, got {found.schema_version}")
    foreign = bool(found.generator and generator and found.generator != generator)
    try:
        preset, notes = _build_preset(found, base, foreign, make_bend)
    except UserError as error:
        if not found.network or not foreign:
            raise UserError(f"{path}: {error}") from None
        about = {"instrument": found.instrument, "generator": found.generator, "network": found.network}
        preset, notes = Preset(MappingProxyType({}), sections=check_sections(found.sections), **about), [str(error)]
    return (replace(preset, raw=data), notes) if foreign else (preset, notes)


def _build_preset(found: PresetFile, base: Scene, foreign: bool, make_bend) -> tuple[Preset, list[str]]:
    check_counts(found.bends, found.modulators)
    notes, bends = [], []
    for data in found.bends:
        try:
            bends.append(make_bend(data))
        except UserError as error:
            if not foreign:
                raise
            notes.append(str(error))
    if len({bend.name for bend in bends}) < len(bends):
        raise UserError("bends: two of them have the same name")
    modulators = [Modulator.from_dict(data) for data in found.modulators]
    if len({modulator.name for modulator in modulators}) < len(modulators):
        raise UserError("modulators: two of them have the same name")
    values = _read_values(found.values, base.with_bends(bends).with_modulators(modulators), foreign, notes)
    _check_morph(found.morph)
    motion = None if found.motion is None else motion_from_plain(found.motion)
    preset = Preset(values, tuple(bends), motion, check_sections(found.sections), found.morph, found.instrument,
                    found.generator, found.mapping, found.about, tuple(modulators), found.network)
    return preset, notes


def _read_values(given: dict, scene: Scene, foreign: bool, notes: list) -> MappingProxyType:
    values = {}
    for address, value in given.items():
        if address not in scene.parameters and (foreign or is_below(address, SECTIONS["weights"])):
            notes.append(address)                        # an edit is a file: it may be gone, or be left out
            continue
        values[address] = scene.set_values({address: value}).values[address]
        if isinstance(value, (int, float)) and isinstance(values[address], float) and values[address] != value:
            p = scene.parameters[address]
            if p.curve != "circular" and not p.low <= value <= p.high:
                notes.append(f"{address} {value:g} is outside {p.low:g}..{p.high:g}: {values[address]:g} instead")
    return MappingProxyType(values)


def _check_morph(morph: MorphFile):
    rules = [(f"rules > {address}", rule, RULES) for address, rule in morph.rules.items()]
    for name, value, allowed in (("ease", morph.ease, tuple(EASES)), ("path", morph.path, PATHS), *rules):
        if value is not None and value not in allowed:
            raise UserError(f"morph > {name}: expected one of {', '.join(allowed)}, got {value!r}")
