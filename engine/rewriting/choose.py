"""Which layer, rank and gain: some are tried on part of the marks, and looked at on the others. And what an edit is worth.

`changed`: the share of the marked pixels that come nearer to what is asked for than to what they were, of those that differ from it.
`reached`: how much nearer the marked places are to what is asked for, in the picture itself: 1 = all the way, 0 = as before, below
0 further away. `elsewhere`: the mean change outside of them, of 255. What is asked for is the picture of what is copied, laid where it
is pasted, or its mean colour.
"""
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from engine.errors import UserError
from engine.rewriting.edit import Edit, apply
from engine.rewriting.memory import latents
from engine.rewriting.request import Request
from engine.rewriting.restyle import parse_colour
from engine.rewriting.solve import STYLE, solve
from engine.rewriting.wanted import draw_goal

SIZE = 128                          # px that pictures are looked at with
LAYERS = (16, 32, 64)               # px of the layers that are tried: parts of a face, and what is finer
RANKS, GAINS = (1, 8), (1.0, 1.5)
DEAR = 0.03                         # what a level of 255 elsewhere costs, in shares of the way
DIFFERS = 0.3                       # of -1..1: what is nearer than that to what is asked for counts as there already
MOST = 6                            # pictures that are looked at


@dataclass(frozen=True)
class Worth:
    """See the module's docstring. pictures: how many it was seen on. unseen: whether they had no part in the solving."""
    changed: float
    reached: float
    elsewhere: float
    pictures: int
    unseen: bool

    @property
    def score(self) -> float:
        return self.reached - DEAR * self.elsewhere


@dataclass(frozen=True)
class Try:
    """One way to solve a request, and what came of it."""
    layer: str | None
    rank: int
    gain: float
    solver: str
    worth: Worth


def halves(request: Request) -> tuple[Request, Request]:
    """Return (the marks to solve with, those to look at): a quarter of the pastes is kept aside, if there are four or more."""
    kept = min(len(request.pastes) // 4, MOST)
    if not kept or len(request.objects) not in (0, 1, len(request.pastes)):
        return request, request
    contexts = request.contexts[:-kept] if len(request.contexts) == len(request.pastes) else request.contexts
    several = len(request.objects) > 1
    solved = Request(request.objects[:-kept] if several else request.objects, request.pastes[:-kept], contexts, None, request.fill, request.settings)
    return solved, Request(request.objects[-kept:] if several else request.objects, request.pastes[-kept:], (), None, request.fill)


@torch.no_grad()
def worth_of(generator, edit: Edit, request: Request, psi: float, colour: str = "", unseen: bool = False, most: int = MOST) -> Worth | None:
    """Return what an edit is worth on a request's own marks; None where they do not say what is to be seen."""
    if not request.pastes or not (request.objects or colour):
        return None
    edited, size = apply(generator, [(edit, 1.0)]), min(SIZE, generator.resolution)
    before_off = after_off = away = beyond = nearer = targets = 0.0
    pairs = [(None, paste) for paste in request.pastes] if colour else list(request.pairs())
    for thing, paste in pairs[:most]:
        ws = latents(generator, [paste.picture], psi)
        before, after = generator.synthesize(ws, size=size), edited.synthesize(ws, size=size)
        wanted, area = draw_goal(generator, thing, paste, before, request.fill, parse_colour(colour) if colour else None, psi)
        target = ((before - wanted).abs().mean(1) > DIFFERS) & (area > 0.5)
        nearer += float((target & ((after - wanted).square().sum(1) < (after - before).square().sum(1))).sum())
        targets += float(target.sum())
        outside = 1 - F.max_pool2d((area > 0.02).float()[None, None], 9, 1, 4)[0, 0]
        before_off += float(((before - wanted).abs() * area).sum())
        after_off += float(((after - wanted).abs() * area).sum())
        away += float(((after - before).abs().mean(1) * outside).sum()) * 127.5
        beyond += float(outside.sum())
    changed, reached = nearer / max(targets, 1.0), 1 - after_off / max(before_off, 1e-9)
    return Worth(round(changed, 3), round(reached, 3), round(away / max(beyond, 1.0), 2), len(pairs[:most]), unseen)


def tries(generator, request: Request, psi: float, layer=None, rank=None, gain=None, solver=None, progress=None, **settings) -> list[Try]:
    """Return what came of the ways to solve a request, the best first; what is given is not tried otherwise. The last marks are only looked at."""
    solved, seen = halves(request)
    settings.setdefault("polish", 0)                                            # the way that is taken has it then
    made = []
    ways = list(_ways(generator, solved, layer, rank, gain, solver))
    for n, (where, directions, strong, by) in enumerate(ways):
        try:
            edit = solve(generator, solved, where, directions, by, gain=strong, truncation=psi, progress=progress, **settings)
        except UserError:
            if len(ways) == 1:
                raise
            continue                                                            # a mask too small for a layer, a rank it has no keys for
        worth = worth_of(generator, edit, seen, psi, unseen=seen is not request)
        if worth is not None:
            made.append(Try(where if by != STYLE else None, directions, strong, by, worth))
        if progress is not None:
            progress({"stage": "ways", "done": n + 1, "of": len(ways)})
    return sorted(made, key=lambda one: one.worth.score, reverse=True)


def _ways(generator, request, layer, rank, gain, solver):
    layers = [layer] if layer else [name for name in generator.layers if name.endswith("conv1") and generator.architecture.resolution_of(name) in LAYERS]
    if solver != STYLE:
        for where in layers or generator.layers[-1:]:
            for directions in (rank,) if rank else RANKS:
                for strong in (gain,) if gain is not None else GAINS:
                    yield where, directions, strong, solver or "instant"
    if solver in (None, STYLE) and not layer and request.objects:
        for directions in (rank,) if rank else (1,) if request.fill else (1, 4):
            yield None, directions, 1.0 if gain is None else gain, STYLE
