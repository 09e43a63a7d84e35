"""A change of styles: what an edit does to the affines of all layers, which say what a w looks like. Of low rank over w.

    w' = w + strength * into (reads w + adds);   an affine A w + b that is to make of w what it makes of w':
    A' = A + strength * S (A into) reads,   b' = b + strength * S (A into) adds

S is diagonal: how much of it each style takes. Some channels are of one part and others of another, so with shares a change is kept to
its place. Colours live there, and what a whole picture decides. Letters: W width of w, r rank, I styles of an affine.
"""
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from engine.errors import UserError

PARTS = ("into", "reads", "adds")


@dataclass(frozen=True, eq=False)
class StyleChange:
    """into [W, r], reads [r, W], adds [r], float32. shares: {affine, such as "synthesis.b16.conv0.affine": [I]}; {} = all of everything.

    Where there are shares, an affine that is not among them stays as it is. UserError: shapes that do not belong together, numbers that
    are not finite.
    """
    into: torch.Tensor
    reads: torch.Tensor
    adds: torch.Tensor
    shares: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self):
        for name in PARTS:
            tensor = getattr(self, name).detach().to("cpu", torch.float32).contiguous()
            if not tensor.isfinite().all():
                raise UserError(f"style {name}: NaN or infinity among its numbers")
            object.__setattr__(self, name, tensor)
        object.__setattr__(self, "shares", {name: share.detach().to("cpu", torch.float32).contiguous() for name, share in self.shares.items()})
        if not all(share.ndim == 1 and share.isfinite().all() for share in self.shares.values()):
            raise UserError("style shares: expected a finite number for each style")
        if self.into.ndim != 2 or self.reads.shape != self.into.T.shape or self.adds.shape != self.into.shape[1:]:
            shapes = ", ".join(f"{name} {list(getattr(self, name).shape)}" for name in PARTS)
            raise UserError(f"style: shapes that do not belong together: {shapes}")

    @property
    def rank(self) -> int:
        return self.into.shape[1]

    def move(self, ws, strength: float = 1.0):
        """Return ws [..., W] as the edited affines see them, where each takes all of the change."""
        return ws + strength * (ws @ self.reads.T.to(ws) + self.adds.to(ws)) @ self.into.T.to(ws)

    def on_affine(self, name: str, weight):
        """Return (values [m, k], directions [k, n]) whose product is what an affine's tensor changes by, at strength 1.

        name: ends in "weight" or "bias"; weight [I, W]: the affine's, as it is stored. A bias is changed as a column.
        """
        values = weight @ self.into.to(weight)                                  # [I, r]
        if self.shares:
            share = self.shares.get(name.rpartition(".")[0])
            values = values * (0.0 if share is None else share.to(weight)[:, None])
        if name.endswith("weight"):
            return values, self.reads.to(weight)
        return (values @ self.adds.to(weight))[:, None] / math.sqrt(weight.shape[1]), torch.ones(1, 1).to(weight)


def affine_of(name: str) -> str | None:
    """Return the name of the weight of the affine that a tensor of a state dict belongs to; None where it belongs to none."""
    owner, _, last = name.rpartition(".")
    return f"{owner}.weight" if owner.endswith(".affine") and last in ("weight", "bias") else None


def check_shares(style: StyleChange, generator):
    """Raise a UserError where a style's shares are not for this network's affines."""
    state = generator.state_dict()
    for name, share in style.shares.items():
        weight = state.get(f"{name}.weight")
        if weight is None or len(weight) != len(share):
            found = "there is none" if weight is None else f"this network's has {len(weight)} styles"
            raise UserError(f"style shares: {len(share)} for {name}: {found}")
