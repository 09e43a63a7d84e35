"""Which styles take how much of a change, so that it stays where it was marked: found by descent through the picture.

A closed form says where in w the wanted look is; but what w decides together (a crown and all that is trimmed like it) it changes together.
Many channels belong to one part alone, and their styles act there alone. So each style gets a share of the change, all of it at first,
and the shares descend on: how far the marked places are from what is wanted, and how far all else is from what it was.
Letters: I styles of an affine, W width of w.
"""
from dataclasses import replace

import torch

from engine.architecture import Architecture
from engine.rewriting.descent import Pace, descend_on_pictures
from engine.rewriting.style import StyleChange, affine_of
from engine.rewriting.wanted import Wanted

RATE, BATCH = 0.05, 4
DEAR = 0.3                          # of a change elsewhere, to one at the marks, at restraint 1


def find_shares(generator, style: StyleChange, wanted: Wanted, steps: int, restraint: float = 1.0, progress=None) -> StyleChange:
    """Return the style with the shares that `steps` steps find; of what lies beyond the pictures' size nothing is changed."""
    size, state = wanted.before.shape[2], generator.state_dict()
    affines = [name.removesuffix(".weight") for name in state if affine_of(name) == name and _resolution_of(name) <= size]
    shares = {name: torch.ones(len(state[f"{name}.weight"]), device=generator.device, requires_grad=True) for name in affines}
    moves = {f"{name}.{last}": _move(style, f"{name}.{last}", state) for name in affines for last in ("weight", "bias")}

    def change():
        return {name: state[name].detach() + _scale(move, shares[name.rpartition(".")[0]]) for name, move in moves.items()}

    descend_on_pictures(generator, list(shares.values()), change, wanted, Pace(steps, RATE, BATCH, DEAR * restraint), progress)
    return replace(style, shares={name: share.detach() for name, share in shares.items()})


def _resolution_of(name: str) -> int:
    return Architecture.resolution_of(name.removeprefix("synthesis."))


def _move(style, name, state):
    """Return what an affine's weight [I, W] or bias [I] changes by where it takes all of the change."""
    values, directions = style.on_affine(name, state[affine_of(name)].detach())
    return (values @ directions).view_as(state[name])


def _scale(move, share):
    return move * (share[:, None] if move.ndim == 2 else share)
