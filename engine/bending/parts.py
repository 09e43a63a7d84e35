"""Parts of the picture: where each is to be seen in the feature maps of which layers, and which channels draw it.

A part's heat at a layer is a weighted sum of all its maps and a number: about 1 on the part, 0 elsewhere. Kept in an
instrument's parts.yaml; found by engine/clustering/parts.py. Knows no bends.
"""
from dataclasses import dataclass, field
from pathlib import Path

import torch
import yaml

from engine.caching import make_once
from engine.errors import UserError
from engine.files import write_text
from engine.yaml_file import load_yaml, shorten

FORMAT = "latent-jockey parts"
SCHEMA = 1


@dataclass(frozen=True)
class Heat:
    """weights: of the layer's channels; bias: added."""
    weights: tuple[float, ...]
    bias: float

    def on(self, x) -> torch.Tensor:
        """Return the heat [N, 1, H, W'] of feature maps x [N, C, H, W']."""
        weights, bias = _make_tensors(self, x.device)
        pixels = x.float().permute(0, 2, 3, 1)
        return torch.addmv(bias, pixels.reshape(-1, len(weights)), weights).view(len(x), 1, *x.shape[2:])


@make_once(256)
def _make_tensors(heat, device):
    """Return a heat's weights [C] and its bias [1]."""
    return torch.tensor(heat.weights, dtype=torch.float32).to(device), torch.tensor([heat.bias], dtype=torch.float32).to(device)


@dataclass(frozen=True)
class Part:
    """starts: where its places are on average, in half widths, one for each of them; apart: how far it strays and reaches from there.

    heats: {layer: Heat}. channels: {layer: the channels that draw it}. bend: the layer where moving it looks best.
    """
    starts: tuple[tuple[float, float], ...]
    apart: float
    heats: dict[str, Heat]
    channels: dict[str, tuple[int, ...]]
    bend: str


@dataclass(frozen=True)
class Parts:
    """parts by name; generator: the content hash of the weights they were found for; about: how."""
    parts: dict[str, Part] = field(default_factory=dict)
    generator: str = ""
    about: dict = field(default_factory=dict)

    def __contains__(self, name) -> bool:
        return name in self.parts

    def __getitem__(self, name: str) -> Part:
        if name not in self.parts:
            raise UserError(f"no part {name!r}; there are {', '.join(self.parts) or 'none'}")
        return self.parts[name]

    def heats(self, name: str, layers) -> list[Heat]:
        """Return a part's heat in each of the layers; UserError where it has none."""
        part = self[name]
        for layer in layers:
            if layer not in part.heats:
                raise UserError(f"part {name!r} has no place in layer {layer}; it has one in {', '.join(part.heats)}")
        return [part.heats[layer] for layer in layers]

    def check(self, generator) -> "Parts":
        """Return the parts themselves; UserError where a layer is not the generator's, or has another number of channels."""
        for name, part in self.parts.items():
            for layer, heat in part.heats.items():
                if len(heat.weights) != generator.channels(layer):
                    raise UserError(f"part {name!r}, {layer}: {len(heat.weights)} weights; the layer has {generator.channels(layer)} channels")
            for layer, channels in part.channels.items():
                if any(not 0 <= i < generator.channels(layer) for i in channels):
                    raise UserError(f"part {name!r}, {layer}: a channel beyond its {generator.channels(layer)}")
            if part.bend not in part.heats:
                raise UserError(f"part {name!r}: bend {part.bend!r}: expected one of {', '.join(part.heats)}")
        return self

    def save(self, path) -> Path:
        """Write parts.yaml."""
        head = {"format": FORMAT, "schema": SCHEMA, "generator": self.generator, "about": self.about}
        text = yaml.safe_dump(head, sort_keys=False) + "parts:\n"
        for name, part in self.parts.items():
            text += f"  {name}:\n    starts: {[[round(v, 3) for v in start] for start in part.starts]}\n    apart: {part.apart:.3f}\n    bend: {part.bend}\n"
            text += "    channels:\n" + "".join(f"      {layer}: {list(channels)}\n" for layer, channels in part.channels.items())
            text += "    heats:\n" + "".join(f"      {layer}: [{heat.bias:.4g}, {', '.join(f'{w:.4g}' for w in heat.weights)}]\n"
                                             for layer, heat in part.heats.items())
        return write_text(path, text)


def load(path, generator=None) -> Parts:
    """Return the parts in a file; UserError in one line for what is no such file, or another network's."""
    content = load_yaml(path)
    try:
        if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("schema") != SCHEMA:
            raise UserError(f"expected a file of {FORMAT!r}, schema {SCHEMA}; `run_live.py parts` writes one")
        named = content.get("parts")
        if not isinstance(named, dict):
            raise UserError(f"parts: expected a mapping of parts, found {shorten(named)}")
        about = content.get("about")
        found = Parts({str(name): _part(str(name), data) for name, data in named.items()}, str(content.get("generator") or ""),
                      about if isinstance(about, dict) else {})
        return found.check(generator) if generator is not None else found
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _part(name: str, data) -> Part:
    if not isinstance(data, dict):
        raise UserError(f"part {name!r}: expected a mapping, found {shorten(data)}")
    try:
        starts = tuple((float(right), float(down)) for right, down in data["starts"])
        heats = {str(layer): Heat(tuple(map(float, numbers[1:])), float(numbers[0])) for layer, numbers in data["heats"].items()}
        channels = {str(layer): tuple(int(i) for i in numbers) for layer, numbers in (data.get("channels") or {}).items()}
        part = Part(starts, float(data["apart"]), heats, channels, str(data["bend"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(f"part {name!r}: expected starts, apart, bend, channels and heats, found {type(error).__name__}: {error}") from None
    if not starts or len(starts) > 8 or part.apart <= 0 or not heats:
        raise UserError(f"part {name!r}: expected 1 to 8 starts, apart above 0, and heats")
    return part
