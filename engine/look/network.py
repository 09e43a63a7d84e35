"""The look as it is used, and its file. Letters: N pictures, F features, W = w_dim, n = num_ws."""
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional as F

from engine.checkpoints.native import generator_hash
from engine.encoder.network import SLOPE, Encoder, Live, fit
from engine.errors import UserError
from engine.motion import GROUPS, SPANS
from engine.tensor_files import expect_format, read_table, read_tensors, write_tensors
from engine.yaml_file import shorten

FORMAT = "latent-jockey look"
SCHEMA = 1
GRID, FINE = 8, 16                   # what an encoder sees is pooled to GRID x GRID; without one, pixels are to FINE x FINE
PARTS = ("matrix", "mean", "scale", "w_mean")
OFFSETS = "offsets"                  # of a look that was trained (engine/look/train.py)
HALF = ("matrix", OFFSETS)           # kept in half precision


@dataclass(frozen=True, eq=False)
class Look:
    """matrix [F, W]; mean, scale [F] of the features; w_mean [W]. size: (height, width) that pictures are brought to.

    encoder: whose trunk sees them (engine.encoder.Encoder); None = pixels alone. generator: content hash of the weights.

    offsets [2, F, W], of a look that was trained: what the middle and the fine layers' w have besides; num_ws: how many ws there are then.
    """
    matrix: torch.Tensor
    mean: torch.Tensor
    scale: torch.Tensor
    w_mean: torch.Tensor
    size: tuple[int, int]
    encoder: Encoder | None = None
    generator: str = ""
    offsets: torch.Tensor | None = None
    num_ws: int = 1

    @torch.no_grad()
    def __call__(self, pictures):
        """Return ws [N, 1 or n, W] of pictures [N, 3, H, W'] in -1..1."""
        return self.tell(self.find_standard(pictures))

    def find_standard(self, pictures):
        """Return the features [N, F] of pictures as the matrix takes them: their mean taken off, in units of their spread."""
        return (find_features(pictures.to(self.matrix.device), self.size, self.encoder) - self.mean) / self.scale

    def tell(self, features):
        """Return the ws [N, 1 or n, W] that features [N, F] lead to."""
        w = self.w_mean + features @ self.matrix
        if self.offsets is None:
            return w[:, None]
        groups, places = [w, *(w + features @ one for one in self.offsets)], list_groups(self.num_ws)
        return torch.cat([one[:, None].expand(-1, places.count(k), -1) for k, one in enumerate(groups)], 1)      # an index would have to be sent to a card

    def to(self, device) -> "Look":
        """Return the look on a device."""
        moved = {name: getattr(self, name).to(device) for name in (*PARTS, *([OFFSETS] if self.offsets is not None else []))}
        return replace(self, **moved, encoder=None if self.encoder is None else self.encoder.to(device))


def list_groups(num_ws: int) -> list[int]:
    """Return for each of so many ws which group it belongs to: 0 coarse, 1 middle, 2 fine."""
    return [max(k for k, group in enumerate(GROUPS) if SPANS[group][0] <= n) for n in range(num_ws)]


def has_trunk(encoder) -> bool:
    """Return whether an encoder has a trunk that a look can see by."""
    return encoder is not None and isinstance(encoder.body, Live)


@torch.no_grad()
def find_features(pictures, size, encoder=None):
    """Return what a look knows of pictures [N, 3, H, W']: features [N, F]."""
    x = fit(pictures, size).clamp(-1, 1)
    if encoder is None:
        return F.adaptive_avg_pool2d(x, FINE).flatten(1)
    seen = encoder.body.trunk(fit(x, encoder.size).contiguous(memory_format=torch.channels_last))
    seen = F.adaptive_avg_pool2d(F.leaky_relu(seen, SLOPE), GRID)
    return torch.cat([seen.flatten(1), F.adaptive_avg_pool2d(x, GRID).flatten(1)], 1)


def hash_encoder(encoder) -> str:
    """Return a hash of an encoder's numbers, 16 hex digits, that tells it from others."""
    digest = hashlib.sha256()
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def save(path, look: Look, **about) -> Path:
    """Write a look; its matrices in half precision."""
    header = {"format": FORMAT, "schema": str(SCHEMA), "generator": look.generator, "encoder": hash_encoder(look.encoder) if look.encoder else "",
              "shape": json.dumps({"size": look.size}), "about": json.dumps(about)}
    tensors = {name: getattr(look, name) for name in (*PARTS, OFFSETS) if getattr(look, name) is not None}
    tensors |= {name: tensors[name].half() for name in HALF if name in tensors}
    return write_tensors(path, tensors, header, make_folder=True)


def load(path, generator, encoder=None, device="cpu") -> Look:
    """Return the look in a file; UserError in one line where it is for another network, or was solved with another encoder."""
    try:
        header, tensors = read_tensors(path, "make it again with `run_live.py analyse`", _expect_ours)
        missing = [name for name in PARTS if name not in tensors]
        if missing:
            raise UserError(f"no {missing[0]} in it")
        own = generator_hash(generator)
        if header.get("generator") != own:
            raise UserError(f"made for the weights {shorten(header.get('generator'))}, not for these ({own[:12]})")
        return _build(header, {name: tensors[name].float() for name in (*PARTS, OFFSETS) if name in tensors}, generator, encoder).to(device)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _expect_ours(header):
    expect_format(header, FORMAT, SCHEMA, "look")


def _build(header, parts, generator, encoder):
    wanted = header.get("encoder", "")
    if wanted and not (has_trunk(encoder) and hash_encoder(encoder) == wanted):
        raise UserError("it was solved with another encoder than the instrument's; make it again with `run_live.py analyse`")
    try:
        height, width = read_table(header, "shape")["size"]
        size = int(height), int(width)
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"the file's metadata is damaged: {error}") from None
    features, w_dim = parts["matrix"].shape if parts["matrix"].ndim == 2 else (0, 0)
    count = find_features(torch.zeros(1, 3, *size), size, encoder if wanted else None).shape[1]
    if (features, w_dim) != (count, generator.w_dim) or any(len(parts[name]) != features for name in ("mean", "scale")) or len(parts["w_mean"]) != w_dim:
        raise UserError(f"a matrix of {features} x {w_dim}; expected {count} x {generator.w_dim}")
    if OFFSETS in parts and parts[OFFSETS].shape != (len(GROUPS) - 1, features, w_dim):
        raise UserError(f"offsets of {' x '.join(map(str, parts[OFFSETS].shape))}; expected {len(GROUPS) - 1} x {features} x {w_dim}")
    return Look(**parts, size=size, encoder=encoder if wanted else None, generator=header["generator"], num_ws=generator.num_ws if OFFSETS in parts else 1)
