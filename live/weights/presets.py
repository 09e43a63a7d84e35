"""Weight presets: named combinations of edits and other checkpoints, in the instrument's weights.yaml, which users edit.

Knows the file and what a preset makes of the parameters there are; not the show, and no tensors.
"""
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field, FiniteFloat, model_validator

from engine.errors import UserError
from live.files.config import Model, build, read_plain, write_yaml
from live.files.writer import Writer

SCHEMA = 1
SHARES = ("amount", "mapping", "coarse", "middle", "fine", "split", "width")


class WeightPreset(Model):
    """edits: {name: strength}. checkpoints: {name: amount, or {amount, mapping, coarse, middle, fine}}. seconds: own fade time."""
    name: str
    about: str = ""
    edits: dict[str, FiniteFloat] = {}
    checkpoints: dict[str, FiniteFloat | dict[str, FiniteFloat]] = {}
    seconds: float | None = Field(None, ge=0.0, le=600.0)

    @model_validator(mode="after")
    def _check_keys(self):
        for name, shares in self.checkpoints.items():
            for share in shares if isinstance(shares, dict) else ():
                if share not in SHARES:
                    raise ValueError(f"checkpoints > {name}: unknown {share}; allowed: {', '.join(SHARES)}")
        return self

    def list_settings(self) -> dict[str, float]:
        """Return {address: value} of everything it names."""
        found = {f"/edits/{name}/strength": strength for name, strength in self.edits.items()}
        for name, shares in self.checkpoints.items():
            shares = {"amount": 1.0, **shares} if isinstance(shares, dict) else {"amount": shares}
            found |= {f"/weights/{name}/{share}": value for share, value in shares.items()}
        return found


class WeightsFile(Model):
    """weights.yaml. checkpoints: {name: path, from the instrument's folder}. presets: in the order they are numbered."""
    schema_version: int = Field(alias="schema", ge=SCHEMA, le=SCHEMA)
    checkpoints: dict[str, str] = {}
    presets: list[WeightPreset] = []

    @model_validator(mode="after")
    def _check_names(self):
        names = [preset.name for preset in self.presets]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"presets: two are called {twice!r}")
        return self


EMPTY = WeightsFile(schema=SCHEMA)


def read_file(path) -> WeightsFile:
    """Return the weight presets in a file; an empty one where there is no file. UserError: what is wrong in it, and where."""
    return build(WeightsFile, read_plain(path), path) if Path(path).exists() else EMPTY


def select_values(preset: WeightPreset, parameters) -> tuple[dict, list[str]]:
    """Return ({address: value} for all of `parameters`, addresses it names that aren't among them). What it leaves out is at rest."""
    settings = preset.list_settings()
    values = {address: parameter.default for address, parameter in parameters.items()}
    values |= {address: parameters[address].clamp(value) for address, value in settings.items() if address in parameters}
    return values, [address for address in settings if address not in parameters]


def make_weight_preset(name: str, scene, parameters) -> WeightPreset:
    """Return a weight preset of the strengths that are set now."""
    edits: dict = {}
    checkpoints: dict[str, dict] = {}
    for address, parameter in parameters.items():
        _, kind, of, share = address.split("/")
        if kind == "edits" and scene[address]:
            edits[of] = scene[address]
        elif kind == "weights" and scene[f"/weights/{of}/amount"] and (share == "amount" or scene[address] != parameter.default):
            checkpoints.setdefault(of, {})[share] = scene[address]
    short = {of: shares["amount"] if list(shares) == ["amount"] else shares for of, shares in checkpoints.items()}
    return WeightPreset(name=name, edits=edits, checkpoints=short)


@dataclass
class WeightPresets:
    """The presets of one instrument: in memory for the loop, written by a thread into what the file holds by then."""
    path: Path
    presets: list[WeightPreset] = field(default_factory=list)

    def __post_init__(self):
        self._writer = Writer("weight presets")
        self._since = []                                    # what was kept since the file was last asked for

    def list_names(self) -> list[str]:
        return [preset.name for preset in self.presets]

    def find(self, which) -> WeightPreset:
        """Return a preset by its name, or by its number, counted from 1."""
        names = self.list_names()
        if which in names:
            return self.presets[names.index(which)]
        try:
            number = int(float(which))
        except (TypeError, ValueError, OverflowError):
            raise UserError(f"no weight preset {which!r}; there are: {', '.join(names) or 'none yet'}") from None
        if not 1 <= number <= len(names):
            raise UserError(f"no weight preset number {number}; there are {len(names)}")
        return self.presets[number - 1]

    def get(self, name: str) -> WeightPreset | None:
        return next((preset for preset in self.presets if preset.name == name), None)

    def store(self, name: str, preset: WeightPreset | None, at: int | None = None):
        """Store a preset in the place of the one of that name, else at an index (default: the end); None takes it away."""
        self.presets = _add(self.presets, name, preset, at)
        self._since.append((name, preset, at))
        self._writer.put(lambda: self._write(name, preset, at), name)

    def begin_reading(self):
        """Note that the file is about to be read, by a thread that flushes first."""
        self._since = []

    def merge(self, presets):
        """Take over the presets in the file, and on top of them those that were stored while it was read."""
        self.presets = list(presets)
        for kept in self._since:
            self.presets = _add(self.presets, *kept)

    def _write(self, name, preset, at):
        found = read_file(self.path)                        # with what a hand has changed in it meanwhile
        kept = [p.model_dump(exclude_defaults=True) for p in _add(found.presets, name, preset, at)]
        parts = {"checkpoints": dict(found.checkpoints), "presets": kept}
        write_yaml(self.path, {"schema": SCHEMA} | {key: value for key, value in parts.items() if value}, make_folder=True)

    def flush(self):
        """Wait until everything kept so far is on the disk."""
        self._writer.flush()

    def close(self):
        """Write what is left."""
        self._writer.close()


def _add(presets, name, preset, at=None):
    if preset is None:
        return [p for p in presets if p.name != name]
    if any(p.name == name for p in presets):
        return [preset if p.name == name else p for p in presets]
    at = len(presets) if at is None else at
    return [*presets[:at], preset, *presets[at:]]
