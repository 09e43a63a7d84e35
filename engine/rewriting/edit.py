"""An Edit is a change of one layer's weight of low rank, of all styles, or both, and a small file. How it was found is its recipe's business.

    W' = W + strength * Lambda D^T:    W'[o, i, y, x] = W[o, i, y, x] + strength * sum_r values[r, o, y, x] * directions[r, i]

in the orientation that Generator.weights() has. Letters: r rank, O, I channels out and in, kh, kw window. SPEC.md C.1.
"""
import copy
import functools
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch

from engine.errors import UserError
from engine.names import check_name
from engine.rewriting.style import PARTS, StyleChange, affine_of, check_shares
from engine.tensor_files import read_table, read_tensors, write_tensors
from engine.yaml_file import shorten

FORMAT = "latent-jockey edit"
SCHEMA, SCHEMA_OF_SEVERAL = 1, 2  # what the first doesn't know would be passed over by versions that read only that
SHARES, MORE = "style.shares.", "more."                # what the names of such tensors begin with


@dataclass(frozen=True, eq=False)
class Rule:
    """What an edit does to one layer. directions [r, I] float32: the keys it answers to. values [r, O, kh, kw] float32: what it adds there, per strength."""
    layer: str
    directions: torch.Tensor
    values: torch.Tensor

    def __post_init__(self):
        for part, ndim in (("directions", 2), ("values", 4)):
            tensor = getattr(self, part)
            if tensor.ndim != ndim or not tensor.is_floating_point():
                raise UserError(f"{part}: expected {ndim} axes of real numbers, got {list(tensor.shape)} {tensor.dtype}")
            tensor = tensor.detach().to("cpu", torch.float32).contiguous()
            if not tensor.isfinite().all():
                raise UserError(f"{part}: NaN or infinity among its numbers")
            object.__setattr__(self, part, tensor)
        rank, rank_of_values = len(self.directions), len(self.values)
        if not 1 <= rank == rank_of_values:
            raise UserError(f"{rank} directions but {rank_of_values} values; expected as many of each, 1 or more")

    def delta(self, strength: float = 1.0) -> torch.Tensor:
        """Return what it adds to the weight, [O, I, kh, kw]."""
        return strength * torch.einsum("roxy,ri->oixy", self.values, self.directions)

    def check_fit(self, generator):
        """UserError where the generator has no such layer or one of another shape."""
        wanted = tuple(generator.weights(self.layer).shape)
        found = (self.values.shape[1], self.directions.shape[1], *self.values.shape[2:])
        if found != wanted:
            raise UserError(f"it is for a layer of shape {list(found)}, but {self.layer} has {list(wanted)}")


@dataclass(frozen=True, eq=False)
class Edit:
    """layer, directions, values: as of a Rule. more: rules of further layers.

    style: what it does to the affines, None = nothing. name: its part of an address, and of its file's name. recipe: plain
    data, how it was made. generator: the content hash of the weights it was solved for, "" where nobody knows. UserError:
    shapes that do not belong together, numbers that are not finite.
    """
    name: str
    layer: str
    directions: torch.Tensor
    values: torch.Tensor
    recipe: dict = field(default_factory=dict)
    generator: str = ""
    style: StyleChange | None = None
    more: tuple[Rule, ...] = ()

    def __post_init__(self):
        check_name(self.name)
        try:
            first = Rule(self.layer, self.directions, self.values)
        except UserError as error:
            raise UserError(f"edit {self.name}: {error}") from None
        object.__setattr__(self, "directions", first.directions)
        object.__setattr__(self, "values", first.values)

    @functools.cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of all layers that it changes."""
        return (Rule(self.layer, self.directions, self.values), *self.more)

    @property
    def rank(self) -> int:
        """The largest rank that the change can have."""
        return len(self.directions)

    def delta(self, strength: float = 1.0) -> torch.Tensor:
        """Return what it adds to the weight of its first layer, [O, I, kh, kw]."""
        return self.rules[0].delta(strength)

    def check_fit(self, generator) -> "Edit":
        """Itself; UserError where the generator has no such layer or one of another shape."""
        if self.style is not None and len(self.style.into) != generator.w_dim:
            raise UserError(f"edit {self.name}: its style is for a w of {len(self.style.into)} numbers; this network's has {generator.w_dim}")
        try:
            for rule in self.rules:
                rule.check_fit(generator)
            if self.style is not None:
                check_shares(self.style, generator)
        except UserError as error:
            raise UserError(f"edit {self.name}: {error}") from None
        return self


def apply(generator, edits):
    """Return a copy of the generator with edits [(Edit, strength), ...] in its weights; in any layers, their sum where they share one."""
    for edit, _ in edits:
        edit.check_fit(generator)
    edited = copy.deepcopy(generator)
    layers: dict[str, list] = {}
    for edit, strength in edits:
        for rule in edit.rules:
            layers.setdefault(rule.layer, []).append((rule, strength))
    with torch.no_grad():
        for layer, there in layers.items():
            weight = edited.weights(layer)
            weight.copy_(total(generator.weights(layer), there))
        _apply_styles(edited, generator.state_dict(), [(edit.style, strength) for edit, strength in edits if edit.style is not None])
    return edited


def _apply_styles(edited, base, styles):
    """Write changes of styles [(StyleChange, strength), ...] into the affines of a copy whose tensors were `base`."""
    if not styles:
        return
    for name, tensor in edited.state_dict().items():
        if (owner := affine_of(name)) is not None:
            for style, strength in styles:
                values, directions = style.on_affine(name, base[owner])
                tensor.add_((values @ directions).view_as(tensor), alpha=strength)


def total(base, edits) -> torch.Tensor:
    """Return base [O, I, kh, kw] plus the edits [(Edit, strength), ...] of its layer; base itself where all are at 0."""
    active = [(edit, float(strength)) for edit, strength in edits if strength]
    if not active:
        return base
    directions = torch.cat([edit.directions for edit, _ in active]).to(base.device)                 # [R, I]
    values = torch.cat([edit.values * strength for edit, strength in active]).to(base.device)       # [R, O, kh, kw]
    rows = values.flatten(1).T @ directions                                                         # [O * kh * kw, I]
    outputs, inputs, *kernel = base.shape
    return base + rows.view(outputs, *kernel, inputs).permute(0, 3, 1, 2)


def save(path, edit: Edit) -> Path:
    """Write the edit; whoever loads it knows it by the file's name."""
    try:
        recipe = json.dumps(edit.recipe, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: can't be written: {error}") from None
    shares = {} if edit.style is None else edit.style.shares
    newer = bool(shares or edit.more)
    header = {"format": FORMAT, "schema": str(SCHEMA_OF_SEVERAL if newer else SCHEMA), "layer": edit.layer, "generator": edit.generator, "recipe": recipe}
    style = {} if edit.style is None else {f"style.{name}": getattr(edit.style, name) for name in PARTS}
    style |= {SHARES + name: share for name, share in shares.items()}
    for rule in edit.more:
        style |= {f"{MORE}{rule.layer}.directions": rule.directions, f"{MORE}{rule.layer}.values": _halve(rule.values)}
    return write_tensors(path, {"directions": edit.directions, "values": _halve(edit.values)} | style, header, make_folder=True)


def _halve(values):
    """Return numbers in half precision where that loses nothing."""
    half = values.half()
    return half if torch.equal(half.float(), values) else values


def load(path) -> Edit:
    """Return the edit in a file, named as the file is. UserError says what is wrong with it."""
    path = Path(path)
    try:
        header, tensors = read_tensors(path, "make it again", _check_header)
        missing = [name for name in ("directions", "values") if name not in tensors]
        if missing:
            raise UserError(f"no {missing[0]} in it; found {', '.join(sorted(tensors)) or 'nothing'}")
        return Edit(path.stem, header["layer"], tensors["directions"], tensors["values"], _recipe(header), header.get("generator", ""),
                    _style(tensors), _more(tensors))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _check_header(header):
    if header.get("format") != FORMAT:
        raise UserError(f"a safetensors file, but not an edit: format {shorten(header.get('format'))}, expected {FORMAT!r}")
    if header.get("schema") not in (str(SCHEMA), str(SCHEMA_OF_SEVERAL)):
        raise UserError(f"schema version {shorten(header.get('schema'))}: this version reads {SCHEMA} and {SCHEMA_OF_SEVERAL}; "
                        "update Latent Jockey, or solve it again")
    if not header.get("layer"):
        raise UserError("it doesn't say which layer it is for")


def _style(tensors) -> StyleChange | None:
    there = [name for name in PARTS if f"style.{name}" in tensors]
    if there and len(there) < len(PARTS):
        raise UserError(f"style: only {', '.join(there)} of {', '.join(PARTS)}")
    shares = {name.removeprefix(SHARES): share for name, share in tensors.items() if name.startswith(SHARES)}
    return StyleChange(tensors["style.into"], tensors["style.reads"], tensors["style.adds"], shares) if there else None


def _more(tensors) -> tuple[Rule, ...]:
    layers = sorted({name.removeprefix(MORE).rpartition(".")[0] for name in tensors if name.startswith(MORE)})
    try:
        return tuple(Rule(layer, tensors[f"{MORE}{layer}.directions"], tensors[f"{MORE}{layer}.values"]) for layer in layers)
    except KeyError as error:
        raise UserError(f"no {error.args[0]} in it") from None


def _recipe(header) -> dict:
    try:
        return read_table(header, "recipe")
    except ValueError:
        raise UserError(f"recipe: expected a JSON object, got {shorten(header['recipe'])}") from None
