"""The pictures that a request asks for: what is copied laid where it is pasted, or a colour; and the network as descent draws them.

Letters: N pictures, H, W' pixels.
"""
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from engine.encoder.augment import luma
from engine.rewriting.memory import latents
from engine.rewriting.paste import fill, move

SLIGHT = 0.05                       # of -1..1: below it a change elsewhere counts by its square
DARKEST, BRIGHTEST = 0.2, 1.25      # of a colour, as the place was shaded


@dataclass(frozen=True, eq=False)
class Wanted:
    """ws [N, num_ws, W]; before, wanted [N, 3, H, W']; marked [N, 1, H, W'] in 0..1: where `wanted` counts."""
    ws: torch.Tensor
    before: torch.Tensor
    wanted: torch.Tensor
    marked: torch.Tensor

    def loss(self, picture, rows, dear: float):
        """Return how far the pictures of these rows are from what they are to be; dear: what a change elsewhere counts, to one at the marks."""
        marked, room = self.marked[rows], self.marked[rows].sum() * 3
        off = ((picture - self.wanted[rows]).abs() * marked).sum() / room
        change = (picture - self.before[rows]).square()
        return off + dear * (((change + SLIGHT ** 2).sqrt() - SLIGHT) * (1 - marked)).sum() / room


class Drawing(nn.Module):
    """A generator's picture at one size, as functional_call takes it."""

    def __init__(self, generator, size: int):
        super().__init__()
        self.generator, self.size = generator, size

    def forward(self, ws):
        return self.generator.synthesize(ws, size=self.size)

    def freeze(self) -> dict[str, torch.Tensor]:
        """Return the generator's tensors by the names that functional_call knows them by, none of which learns."""
        return {f"generator.{name}": tensor.detach() for name, tensor in self.generator.state_dict().items()}


def size_of(generator, most: int) -> int:
    """Return the largest size of the network's that is not above `most`."""
    return max(r for r in generator.architecture.resolutions if r <= max(most, generator.architecture.resolutions[0]))


@torch.no_grad()
def draw_wanted(generator, request, psi: float, size: int, colour=None) -> Wanted:
    """Return the wanted pictures of all pastes. colour [3] in -1..1: to be had there, instead of what is copied."""
    pairs = [(None, paste) for paste in request.pastes or request.keys()] if colour is not None else request.pairs()
    ws = latents(generator, [paste.picture for _, paste in pairs], psi)
    before = torch.cat([generator.synthesize(w[None], size=size) for w in ws])
    made = [draw_goal(generator, thing, paste, picture[None], request.fill, colour, psi) for (thing, paste), picture in zip(pairs, before)]
    return Wanted(ws, before, torch.cat([wanted for wanted, _ in made]), torch.stack([marked for _, marked in made])[:, None])


@torch.no_grad()
def draw_goal(generator, thing, paste, before, filling: bool, colour, psi: float):
    """Return (the picture that is asked for [1, 3, H, W'], where it counts [H, W']) of one paste in the picture `before`."""
    size = before.shape[2:]
    mask = paste.resize(*size).to(before)
    if colour is not None:
        return shade(colour, before, mask), mask
    source = draw_thing(generator, thing, psi, size)
    wanted, counts = before.clone(), torch.zeros_like(mask)
    for piece in paste.split():
        there = piece.resize(*size).to(before) if paste.each else mask
        crop, area, (top, left, bottom, right) = (fill if filling else move)(source, thing.resize(*size).to(before), there)
        before_it = wanted[:, :, top:bottom, left:right]
        wanted[:, :, top:bottom, left:right] = torch.lerp(before_it, crop, area) if paste.each else crop      # a neighbour may lie in the same box
        counts[top:bottom, left:right] = torch.maximum(counts[top:bottom, left:right], area)
    return wanted, counts


def draw_thing(generator, thing, psi: float, size):
    """Return the picture [1, 3, *size] that something is copied from: the network's own, or a drawing."""
    if thing.drawing is None:
        return generator.synthesize(latents(generator, [thing.picture], psi), size=size[0])
    mask = thing.mask[None]
    colour = torch.cat([(thing.drawing + 1) / 2 * mask, mask]).to(generator.device)              # what is not there lends no colour to the edge
    small = F.interpolate(colour[None], tuple(size), mode="bilinear", antialias=True, align_corners=False)
    return (small[:, :3] / small[:, 3:].clamp(min=1e-3)).clamp(0, 1) * 2 - 1


def shade(colour, before, mask):
    """Return a picture [1, 3, H, W'] of a colour [3], as light and dark as what is within the mask [H, W']."""
    light = luma((before.clamp(-1, 1) + 1) / 2)
    usual = (light * mask).sum() / mask.sum().clamp(min=1e-9)
    shades = (light / usual.clamp(min=0.05)).clamp(DARKEST, BRIGHTEST)
    return ((colour.to(before).view(1, 3, 1, 1) + 1) / 2 * shades).clamp(0, 1) * 2 - 1
