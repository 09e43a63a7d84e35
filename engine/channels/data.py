"""Channels: names for single styles, and the file they are kept in. Source: SPEC2.md D.4."""
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from engine.errors import UserError
from engine.files import write_text
from engine.names import check_name
from engine.yaml_file import load_yaml

FORMAT, SCHEMA = "latent-jockey channels", 1
RGB = "torgb"
MOST_STD = 1e4


@dataclass(frozen=True)
class Channel:
    """One style. layer: "b32.conv1", or "b32.torgb" for the styles of its picture. std: its standard deviation over seeds. part: where it acts, share: how much
    of what it changes lies there; "" and 0 where nobody knows.
    """
    name: str
    layer: str
    channel: int
    std: float
    part: str = ""
    share: float = 0.0

    @property
    def tensor(self) -> str:
        """The name of the bias that it is, in the generator's state dict."""
        return f"synthesis.{self.layer}.affine.bias"

    def describe(self) -> str:
        """Return what its fader does, in words."""
        where = f", {100 * self.share:.0f} % of whose change is in {self.part}" if self.part else ""
        return f"style {self.channel} of {self.layer}{where}, in standard deviations of what seeds show"


@dataclass(frozen=True)
class Channels:
    """entries: Channel, in the order of the file. generator: the content hash of the weights they were found for, "" where nobody knows."""
    entries: tuple[Channel, ...] = ()
    generator: str = ""

    def check(self, generator) -> "Channels":
        """Return them. UserError: a network without such a layer or style."""
        state = generator.state_dict()
        for one in self.entries:
            bias = state.get(one.tensor)
            if bias is None or one.channel >= len(bias):
                raise UserError(f"channel {one.name}: {one.layer} {'has no style ' + str(one.channel) if bias is not None else 'is no layer of this network'}")
        return self


def save(path, channels: Channels) -> Path:
    """Write channels as a YAML file."""
    data = {"format": FORMAT, "schema": SCHEMA, "generator": channels.generator, "channels": [asdict(one) for one in channels.entries]}
    write_text(path, yaml.safe_dump(data, sort_keys=False), make_folder=True)
    return Path(path)


def load(path, generator) -> Channels:
    """Return the channels in a file, checked against a generator. UserError: what is wrong in it."""
    data = load_yaml(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("schema") != SCHEMA:
        raise UserError(f"{path}: expected format: {FORMAT}, schema: {SCHEMA}")
    entries = data.get("channels")
    if not isinstance(entries, list):
        raise UserError(f"{path}: channels: expected a list")
    try:
        found = tuple(_read(entry) for entry in entries)
        if len({one.name for one in found}) < len(found):
            raise UserError("two channels have the same name")
        return Channels(found, str(data.get("generator", ""))).check(generator)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _read(entry) -> Channel:
    if not isinstance(entry, dict) or not {"name", "layer", "channel", "std"} <= entry.keys() <= set(Channel.__dataclass_fields__):
        raise UserError(f"expected a channel with name, layer, channel, std, got {str(entry)[:80]}")
    name, number, std, share = check_name(str(entry["name"])), entry["channel"], entry["std"], entry.get("share", 0.0)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise UserError(f"channel {name}: channel: expected a whole number from 0, got {number!r}")
    for key, value in (("std", std), ("share", share)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_STD:
            raise UserError(f"channel {name}: {key}: expected a number from 0, got {value!r}")
    return Channel(name, str(entry["layer"]), number, float(std), str(entry.get("part", "")), float(share))
