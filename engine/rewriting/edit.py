"""An Edit is a change of one layer's weight of low rank, and a small file. How it was found is its recipe's business.

    W' = W + strength * Lambda D^T:    W'[o, i, y, x] = W[o, i, y, x] + strength * sum_r values[r, o, y, x] * directions[r, i]

in the orientation that Generator.weights() has. Letters: r rank, O, I channels out and in, kh, kw window. SPEC.md C.1.
"""
import copy
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch

from engine.errors import UserError
from engine.names import check_name
from engine.tensor_files import read_tensors, table_in, write_tensors
from engine.yaml_file import shown

FORMAT = "latent-jockey edit"
SCHEMA = 1


@dataclass(frozen=True, eq=False)
class Edit:
    """directions [r, I] float32: the keys it answers to. values [r, O, kh, kw] float32: what it adds there, per strength.

    name: its part of an address, and of its file's name. recipe: plain data, how it was made. generator: the content
    hash of the weights it was solved for, "" where nobody knows. UserError: shapes that do not belong together, numbers
    that are not finite.
    """
    name: str
    layer: str
    directions: torch.Tensor
    values: torch.Tensor
    recipe: dict = field(default_factory=dict)
    generator: str = ""

    def __post_init__(self):
        check_name(self.name)
        for part, ndim in (("directions", 2), ("values", 4)):
            tensor = getattr(self, part)
            if tensor.ndim != ndim or not tensor.is_floating_point():
                raise UserError(f"edit {self.name}: {part}: expected {ndim} axes of real numbers, got {list(tensor.shape)} {tensor.dtype}")
            tensor = tensor.detach().to("cpu", torch.float32).contiguous()
            if not tensor.isfinite().all():
                raise UserError(f"edit {self.name}: {part}: NaN or infinity among its numbers")
            object.__setattr__(self, part, tensor)
        rank, rank_of_values = len(self.directions), len(self.values)
        if not 1 <= rank == rank_of_values:
            raise UserError(f"edit {self.name}: {rank} directions but {rank_of_values} values; expected as many of each, 1 or more")

    @property
    def rank(self) -> int:
        """The largest rank that the change can have."""
        return len(self.directions)

    def delta(self, strength: float = 1.0) -> torch.Tensor:
        """What it adds to the weight, [O, I, kh, kw]."""
        return strength * torch.einsum("roxy,ri->oixy", self.values, self.directions)

    def fitted(self, generator) -> "Edit":
        """Itself; UserError where the generator has no such layer or one of another shape."""
        try:
            wanted = tuple(generator.weights(self.layer).shape)
        except UserError as error:
            raise UserError(f"edit {self.name}: {error}") from None
        outputs, kernel = self.values.shape[1], self.values.shape[2:]
        found = (outputs, self.directions.shape[1], *kernel)
        if found != wanted:
            raise UserError(f"edit {self.name}: it is for a layer of shape {list(found)}, but {self.layer} has {list(wanted)}")
        return self


def apply(generator, edits):
    """A copy of the generator with edits [(Edit, strength), ...] in its weights; in any layers, their sum where they share one."""
    for edit, _ in edits:
        edit.fitted(generator)
    edited = copy.deepcopy(generator)
    layers: dict[str, list] = {}
    for edit, strength in edits:
        layers.setdefault(edit.layer, []).append((edit, strength))
    with torch.no_grad():
        for layer, there in layers.items():
            weight = edited.weights(layer)
            weight.copy_(total(generator.weights(layer), there))
    return edited


def total(base, edits) -> torch.Tensor:
    """base [O, I, kh, kw] plus the edits [(Edit, strength), ...] of its layer; base itself where all are at 0."""
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
    header = {"format": FORMAT, "schema": str(SCHEMA), "layer": edit.layer, "generator": edit.generator, "recipe": recipe}
    return write_tensors(path, {"directions": edit.directions, "values": edit.values}, header, make_folder=True)


def load(path) -> Edit:
    """The edit in a file, named as the file is. UserError says what is wrong with it."""
    path = Path(path)
    try:
        header, tensors = read_tensors(path, "make it again", _check_header)
        missing = [name for name in ("directions", "values") if name not in tensors]
        if missing:
            raise UserError(f"no {missing[0]} in it; found {', '.join(sorted(tensors)) or 'nothing'}")
        return Edit(path.stem, header["layer"], tensors["directions"], tensors["values"], _recipe(header), header.get("generator", ""))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _check_header(header):
    if header.get("format") != FORMAT:
        raise UserError(f"a safetensors file, but not an edit: format {shown(header.get('format'))}, expected {FORMAT!r}")
    if header.get("schema") != str(SCHEMA):
        raise UserError(f"schema version {shown(header.get('schema'))}: this version reads {SCHEMA}; update Latent Jockey, or solve it again")
    if not header.get("layer"):
        raise UserError("it doesn't say which layer it is for")


def _recipe(header) -> dict:
    try:
        return table_in(header, "recipe")
    except ValueError:
        raise UserError(f"recipe: expected a JSON object, got {shown(header['recipe'])}") from None
