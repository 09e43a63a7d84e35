"""Device profiles: what the knobs, faders and buttons of a controller are called, and how their lights are lit.

One YAML file a controller in mappings/devices/. Knows what hardware is, not what it is to do.

    controls:
      fader: [cc 1/19, cc 1/23]                        fader 1, fader 2
      pad: note 1/0-63                                 pad 1 ... pad 64
      mute: {control: "note 1/1", led: {lit: 127}}     with a light at the same number
"""
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from engine.errors import UserError
from live.files.config import Model, read_yaml
from live.mapping.binding import check_pattern
from live.mapping.words import load_words, spell_words
from live.midi.plays import expand_plays
from live.midi.relative import ENCODINGS

FOLDER = Path(__file__).parents[2] / "mappings" / "devices"
_SPAN = re.compile(r"(\d+)-(\d+)")


def _as_list(entries):
    return [entries] if isinstance(entries, str) else entries


Controls = Annotated[list[str], BeforeValidator(_as_list)]


class LedFile(Model):
    """How a control's light is lit. control: what is sent, itself where left out. dark, lit: the values at the ends."""
    control: Controls = []
    dark: int = Field(0, ge=0, le=127)
    lit: int = Field(127, ge=0, le=127)


class ControlFile(Model):
    """A control, or a row of them. relative: the encoding of encoders without ends. plays: what they play where no mapping says otherwise (plays.py)."""
    control: Controls
    led: LedFile | None = None
    relative: str | None = None
    plays: Controls = []

    @field_validator("relative")
    @classmethod
    def _encoding(cls, text):
        if text is not None and text not in ENCODINGS:
            raise ValueError(f"expected one of {', '.join(ENCODINGS)}, got {text!r}")
        return text


class ProfileFile(Model):
    """match: what its port's name looks like, a regular expression. start: messages it is sent when it comes, in hex."""
    schema_version: int = Field(alias="schema", ge=1, le=1)
    name: str
    match: str
    verified: bool
    about: str = ""
    start: list[str] = []
    controls: dict[str, ControlFile]

    @field_validator("controls", mode="before")
    @classmethod
    def _short(cls, controls):
        if not isinstance(controls, dict):
            return controls
        return {row: {"control": entry} if isinstance(entry, (str, list)) else entry for row, entry in controls.items()}

    @field_validator("match")
    @classmethod
    def _pattern(cls, text):
        return check_pattern(text)

    @field_validator("start")
    @classmethod
    def _hex(cls, messages):
        for text in messages:
            try:
                ok = bytes.fromhex(text)[:1] >= b"\x80"
            except ValueError:
                ok = False
            if not ok:
                raise ValueError(f"expected a MIDI message in hex such as B0 7F 01, got {text!r}")
        return messages


@dataclass(frozen=True)
class Led:
    """control: where it is sent ("note 1/3"); dark, lit: the values at the ends."""
    control: str
    dark: int = 0
    lit: int = 127


@dataclass(frozen=True)
class Profile:
    """controls: {name: control}. leds: {control: Led}. relative: {control: encoding}. start: messages, as bytes. plays: {control: address}."""
    name: str
    match: str
    verified: bool
    controls: dict
    leds: dict
    relative: dict
    start: tuple = ()
    plays: dict = field(default_factory=dict)

    def matches(self, device: str) -> bool:
        return re.search(self.match, device, re.IGNORECASE) is not None

    def move_to_channel(self, channel: int) -> "Profile":
        """Return the same controller, set to another channel."""
        moved = lambda control: re.sub(r"(?<= )\d+", str(channel), control, count=1)
        return Profile(self.name, self.match, self.verified, {n: moved(c) for n, c in self.controls.items()},
                       {moved(c): Led(moved(led.control), led.dark, led.lit) for c, led in self.leds.items()},
                       {moved(c): encoding for c, encoding in self.relative.items()}, self.start,
                       {moved(c): address for c, address in self.plays.items()})

    def find_name(self, control: str) -> str | None:
        return next((name for name, found in self.controls.items() if found == control), None)

    def resolve_names(self, data, path):
        """Return a mapping file's data with this controller's names of controls replaced by the controls. UserError: there is no such name."""
        if not isinstance(data, dict) or not isinstance(data.get("bindings"), list):
            return data
        return data | {"bindings": [self._resolve_name(binding, f"{path} > bindings > {n}") for n, binding in enumerate(data["bindings"], 1)]}

    def _resolve_name(self, binding, where):
        name = binding.get("control") if isinstance(binding, dict) else None
        if not isinstance(name, str):
            return binding
        found = self.controls.get(name, name)
        if found == name and name.split(" ")[0] not in load_words():
            raise UserError(f"{where} > control: {self.name} has no {name!r}; it has: {', '.join(self.list_rows())}")
        encoding = {"relative": self.relative[found]} if found in self.relative else {}
        return encoding | binding | {"control": found}

    def list_rows(self) -> list[str]:
        """Return the names there are, rows of one kind in short: fader 1-8."""
        rows: dict[str, list[str]] = {}
        for name in self.controls:
            row, _, number = name.rpartition(" ")
            rows.setdefault(row if number.isdigit() and row else name, []).append(number)
        return [f"{row} 1-{len(numbers)}" if f"{row} 1" in self.controls else row for row, numbers in rows.items()]


def load(path) -> Profile:
    """Return the profile in a file. UserError: what is wrong where."""
    file = read_yaml(path, ProfileFile)
    controls: dict[str, str] = {}
    leds: dict[str, Led] = {}
    relative: dict[str, str] = {}
    plays: dict[str, str] = {}
    for row, entry in file.controls.items():
        found = expand(entry.control, f"{path} > controls > {row}")
        lights = expand(entry.led.control, f"{path} > controls > {row} > led") if entry.led and entry.led.control else found
        if len(lights) != len(found):
            raise UserError(f"{path} > controls > {row} > led: expected {len(found)} controls, one each, got {len(lights)}")
        names = [row] if len(found) == 1 else [f"{row} {n}" for n in range(1, len(found) + 1)]
        controls |= dict(zip(names, found))
        if entry.led:
            leds |= {control: Led(light, entry.led.dark, entry.led.lit) for control, light in zip(found, lights)}
        if entry.relative:
            relative |= dict.fromkeys(found, entry.relative)
        if entry.plays:
            plays |= dict(zip(found, expand_plays(entry.plays, len(found), f"{path} > controls > {row} > plays")))
    return Profile(file.name, file.match, file.verified, controls, leds, relative, tuple(bytes.fromhex(text) for text in file.start), plays)


def expand(entries: list, where) -> list[str]:
    """Return every control of ["note 1/0-63", ...]. UserError: what is no control."""
    found = []
    for entry in entries:
        span = _SPAN.search(entry)
        first, last = (int(span[1]), int(span[2])) if span else (0, 0)
        found += [entry[:span.start()] + str(n) + entry[span.end():] for n in range(first, last + 1)] if span else [entry]
    for control in found:
        kind, _, rest = control.partition(" ")
        if kind not in load_words() or not re.fullmatch(load_words()[kind].pattern, rest):
            raise UserError(f"{where}: no control {control!r}; there are: {spell_words()}")
    if not found:
        raise UserError(f"{where}: no controls in {entries!r}")
    return found


@lru_cache(maxsize=1)
def list_profiles() -> dict[str, Profile]:
    """Return the profiles there are, by the name of their file."""
    return {path.stem: load(path) for path in sorted(FOLDER.glob("*.yaml"))}


def load_named(name: str, beside: Path) -> Profile:
    """Return a profile by its name in mappings/devices/, or by a file beside the mapping. UserError: there is none."""
    if name in list_profiles():
        return list_profiles()[name]
    if name.endswith((".yaml", ".yml")):
        return load(beside / name)
    raise UserError(f"no profile {name!r}; there are: {', '.join(list_profiles())}; one of your own: its file, NAME.yaml")


def find_profile(device: str) -> Profile | None:
    """Return the profile of a device by its port's name, None where nobody has described it."""
    return next((profile for profile in list_profiles().values() if profile.matches(device)), None)
