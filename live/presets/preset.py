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
from live.show.data import bend_from_plain, bend_to_plain, check_counts, motion_from_plain, motion_to_plain, plain
from live.show.parameters import MASTERS, within

SCHEMA = 1
# Parts of a scene that a preset can be of: their addresses begin with one of these. What no other claims is "rest".
SECTIONS = {
    "latent": ("/walk", "/style", "/truncation", "/class", "/noise", "/factors"),
    "bends": ("/bends",),
    "weights": ("/edits", "/weights"),
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

    motion: None leaves the motion there is. instrument, generator: what it was made on; mapping: the mapping it was
    played with, for the record.
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

    def has(self, section: str) -> bool:
        """Whether it is of this section."""
        return not self.sections or section in self.sections

    def holds(self, address: str) -> bool:
        """Whether recalling this preset decides the value at an address."""
        if within(address, MASTERS):
            return False
        return not self.sections or section_of(address) in self.sections


def section_of(address: str) -> str:
    return next((name for name, prefixes in SECTIONS.items() if within(address, prefixes)), "rest")


def checked_sections(sections) -> tuple[str, ...]:
    """The sections, if there are such. UserError naming the ones there are."""
    sections, allowed = tuple(sections), (*SECTIONS, "rest")
    for name in sections:
        if name not in allowed:
            raise UserError(f"expected sections out of {', '.join(allowed)}, got {name!r}")
    return sections


def captured(scene: Scene, motion: Motion, sections=(), **about) -> Preset:
    """A preset of what is playing. about: instrument, generator, mapping, morph of the preset it replaces."""
    kept = Preset(MappingProxyType({}), sections=checked_sections(sections), **about)
    values = {a: v for a, v in scene.values.items()
              if a in scene.parameters and kept.holds(a) and v != scene.parameters[a].default}
    return replace(kept, values=MappingProxyType(values), bends=scene.bends if kept.has("bends") else (),
                   modulators=scene.modulators if kept.has("modulators") else (),
                   motion=replace(motion.among(Motion()), holds=()) if kept.has("latent") else None)


def recalled(preset: Preset, scene: Scene, motion: Motion, locks=()) -> tuple[Scene, Motion]:
    """The scene and motion there will be. Locked addresses, and what the preset is not of, stay as they are."""
    takes = lambda section: preset.has(section) and not within(f"/{section}", locks)
    base = scene.with_bends(preset.bends) if takes("bends") else scene
    base = base.with_modulators(preset.modulators) if takes("modulators") else base
    decided = lambda address: preset.holds(address) and not within(address, locks)
    values = {a: v for a, v in base.values.items() if not decided(a)}
    values |= {a: v for a, v in preset.values.items() if a in base.parameters and decided(a)}
    if preset.motion is not None and not within("/walk", locks):
        modulators = preset.motion.modulators if takes("modulators") else motion.modulators
        motion = replace(preset.motion.among(motion), modulators=modulators)
    return replace(base, values=MappingProxyType(values)), motion


def to_file(preset: Preset) -> dict:
    """The preset as the keys of its file."""
    morph = preset.morph.model_dump(exclude_defaults=True)
    bends = [bend.to_dict() if hasattr(bend, "to_dict") else bend_to_plain(bend) for bend in preset.bends]
    data = {"schema": SCHEMA, "instrument": preset.instrument, "generator": preset.generator, "about": preset.about,
            "mapping": preset.mapping, "sections": list(preset.sections), "morph": morph,
            "values": {a: plain(v) for a, v in preset.values.items()}, "bends": bends,
            "modulators": [modulator.to_dict() for modulator in preset.modulators],
            "motion": None if preset.motion is None else motion_to_plain(preset.motion)}
    return {key: value for key, value in data.items() if value not in ("", [], {}, None) or key == "values" or key == "motion" and value is not None}


def read_file(path, base: Scene, generator: str = "", make_bend=bend_from_plain) -> tuple[Preset, list[str]]:
    """The preset in a file, and in words what was left out of it because it was made on another generator.

    base: any scene of the instrument. make_bend(data) -> Bend. UserError: what is wrong in the file, and where.
    """
    data = read_plain(path)
    version = data.get("schema") if isinstance(data, dict) else None
    if type(version) is int and version > SCHEMA:
        raise UserError(f"{path}: schema version {version}; this version reads up to {SCHEMA}: update Latent Jockey")
    found = build(PresetFile, data, path)
    if found.schema_version != SCHEMA:
        raise UserError(f"{path} > schema: expected {SCHEMA}, got {found.schema_version}")
    try:
        return _preset(found, base, foreign=bool(found.generator and generator and found.generator != generator), make_bend=make_bend)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _preset(found: PresetFile, base: Scene, foreign: bool, make_bend) -> tuple[Preset, list[str]]:
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
    values = _values(found.values, base.with_bends(bends).with_modulators(modulators), foreign, notes)
    _check_morph(found.morph)
    motion = None if found.motion is None else motion_from_plain(found.motion)
    preset = Preset(values, tuple(bends), motion, checked_sections(found.sections), found.morph, found.instrument,
                    found.generator, found.mapping, found.about, tuple(modulators))
    return preset, notes


def _values(given: dict, scene: Scene, foreign: bool, notes: list) -> MappingProxyType:
    values = {}
    for address, value in given.items():
        if address not in scene.parameters and (foreign or within(address, SECTIONS["weights"])):
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
