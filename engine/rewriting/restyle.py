"""Solve a request in styles: what in w decides the marked places, and nothing else, is brought to what is asked for there.

How the pictures of the marks change with w is measured, a direction of w at a time. Within the marks that is J, outside of them it is
what is dear: M, the second moment of it. With a colour to reach, or the mean colour of what is copied (`fill`), the rule reads the
colour of the marks off w, c = R w + r, and takes the cheapest way to the one that is wanted:
    w' = w + M^-1 J (J' M^-1 J)^-1 (wanted - R w - r).
Else the directions that act within and hardly outside are found (generalised eigenvectors), of these the ones in which what is copied
and what is pasted over differ most, and along each of them w is brought to where what is copied is. Then each style gets its share of the
change (shares.py), so that it stays at the marks. Letters: W width of w, N marks, S px.
"""
from dataclasses import dataclass, replace

import torch
from torch.nn import functional as F

from engine.errors import UserError
from engine.rewriting.memory import latents
from engine.rewriting.shares import find_shares
from engine.rewriting.style import StyleChange
from engine.rewriting.wanted import Wanted, draw_wanted, size_of

SIZE = 64                           # px that pictures are measured at
BATCH = 32
STEP = 0.5                          # of w, for measuring
MARKS = 6                           # that are measured: more of them say the same
DEAR = 5e-4                         # of the mean cost: what any direction costs at least
ACTS = 0.01                         # of the direction that acts most: what acts less is left alone
SEEN = 128                          # px that shares are found at; what only finer layers do stays as it was
SHARING = 80                        # steps of descent for the shares, where nobody says how many
HELD = 0.1                          # of w's variance: with less among the marks, they say where to go to and not how far


@dataclass(frozen=True, eq=False)
class Measured:
    """within [n, W, 3]: how each mark's mean colour changes with w; colours [n, 3]; ws [n, W]. acts, dear [W, W]: second moments within and outside."""
    within: torch.Tensor
    colours: torch.Tensor
    ws: torch.Tensor
    acts: torch.Tensor
    dear: torch.Tensor

    def cost(self):
        """Return how much a change of styles costs elsewhere, [W, W], positive definite."""
        return self.dear + DEAR * self.dear.diagonal().mean().clamp(min=1e-9) * torch.eye(len(self.dear), device=self.dear.device)


@torch.no_grad()
def restyle(generator, request, rank: int, psi: float, settings, progress=None) -> StyleChange:
    """Return the change of styles that does what the request says. settings: of the solve; their colour is to be had at the marks instead of what is copied."""
    pastes = request.pastes or request.keys()
    measured = measure(generator, pastes[:MARKS], psi, progress)
    colour = None
    if settings.colour:
        colour = parse_colour(settings.colour).to(measured.ws)
    elif request.fill:
        colour = torch.stack([_colour_of(generator, thing, psi) for thing, _ in request.pairs()[:MARKS]]).mean(0)
    if colour is not None:
        style = _to_colour(measured, colour, settings.gain)
    else:
        pairs = request.pairs()
        things, places = (latents(generator, [pair[side].picture for pair in pairs], psi)[:, 0] for side in (0, 1))
        style = _to_things(measured, things, places, rank, settings.gain, generator)
    steps = SHARING if settings.polish is None else settings.polish
    if not steps:
        return style
    size = size_of(generator, SEEN)
    if colour is not None:
        wanted = draw_wanted(generator, replace(request, pastes=pastes), psi, size, colour)
    else:
        wanted = _draw_changed(generator, style, pastes, psi, size)
    return find_shares(generator, style, wanted, steps, settings.restraint, progress)


def _draw_changed(generator, style, pastes, psi, size) -> Wanted:
    """Return the pictures of the marks as all of the change makes them within the marks, and as they are elsewhere."""
    ws = latents(generator, [mark.picture for mark in pastes], psi)
    before, wanted = (torch.cat([generator.synthesize(w[None], size=size) for w in there]) for there in (ws, style.move(ws)))
    return Wanted(ws, before, wanted, torch.stack([mark.resize(*before.shape[2:]) for mark in pastes])[:, None].to(before))


def parse_colour(text: str) -> torch.Tensor:
    """Return the colour of "#rrggbb" as [3] in -1..1."""
    digits = text.strip().removeprefix("#")
    try:
        values = bytes.fromhex(digits)
    except ValueError:
        values = b""
    if len(values) != 3:
        raise UserError(f"colour {text!r}: expected #rrggbb, such as #e8b030")
    return torch.tensor(list(values)) / 127.5 - 1


def measure(generator, marks, psi: float, progress=None) -> Measured:
    """Return how the pictures of the marks change with w."""
    size = size_of(generator, SIZE)
    width, found = generator.w_dim, []
    acts = dear = torch.zeros(width, width, device=generator.device)
    for n, mark in enumerate(marks):
        ws = latents(generator, [mark.picture], psi)
        before = generator.synthesize(ws, size=size)
        inside, outside = _places(mark, before)
        steps = STEP * torch.eye(width, device=ws.device)[:, None, :]
        change = torch.cat([(generator.synthesize(ws + some, size=size) - before) / STEP for some in steps.split(BATCH)])    # [W, 3, h, w']
        here, beyond = (change * inside.sqrt()).flatten(1), (change * outside).flatten(1)
        acts, dear = acts + here @ here.T / inside.sum(), dear + beyond @ beyond.T / outside.sum().clamp(min=1)
        found.append(((change * inside).sum((2, 3)) / inside.sum(), (before[0] * inside).sum((1, 2)) / inside.sum(), ws[0, 0]))
        if progress is not None:
            progress({"stage": "styles", "done": n + 1, "of": len(marks)})
    within, colours, points = (torch.stack(column) for column in zip(*found))
    return Measured(within, colours, points, acts / len(marks), dear / len(marks))


def _places(mark, picture):
    """Return where a mark is, without its rim where anything is left, and where it is not, [h, w'] each."""
    mask = mark.resize(*picture.shape[2:]).to(picture)
    inner = -F.max_pool2d(-mask[None, None], 3, 1, 1)[0, 0]
    outside = 1 - F.max_pool2d((mask > 0.3).float()[None, None], 3, 1, 1)[0, 0]
    inside = inner if inner.sum() > 4 else mask
    if not inside.sum() > 0:
        raise UserError(f"picture {mark.picture.number}: nothing is left of its mask at {mask.shape[0]} px: paint more")
    return inside, outside


def _colour_of(generator, mark, psi):
    """Return the mean colour of a mark, [3]."""
    size = size_of(generator, SIZE)
    picture = generator.synthesize(latents(generator, [mark.picture], psi), size=size)
    inside, _ = _places(mark, picture)
    return (picture[0] * inside).sum((1, 2)) / inside.sum()


def _to_colour(measured, wanted, gain):
    reads = measured.within.mean(0)                                             # [W, 3]
    rest = (measured.colours - measured.ws @ reads).mean(0)
    cheap = torch.linalg.solve(measured.cost(), reads)
    into = cheap @ torch.linalg.pinv(reads.T @ cheap)
    return StyleChange(into * gain, -reads.T, wanted - rest)


def _to_things(measured, things, places, rank, gain, generator):
    """things, places [n, W]: of what is copied, and of what is pasted over."""
    root = torch.linalg.cholesky(measured.cost())
    half = torch.linalg.solve_triangular(root, measured.acts, upper=False)
    strengths, vectors = torch.linalg.eigh(torch.linalg.solve_triangular(root, half.T, upper=False))
    acting = strengths > strengths[-1] * ACTS
    basis = torch.linalg.qr(torch.linalg.solve_triangular(root.T, vectors[:, acting].flip(1), upper=True)).Q        # [W, k]
    _, _, right = torch.linalg.svd((things - places) @ basis, full_matrices=False)
    into = basis @ right[:rank].T                                               # [W, r], orthonormal
    at, goal = (places - generator.w_avg) @ into, (things - generator.w_avg) @ into          # [n, r]
    spread = HELD * (measured.ws - measured.ws.mean(0)).square().mean().clamp(min=1e-6)
    follows = ((at - at.mean(0)) * (goal - goal.mean(0))).mean(0) / ((at - at.mean(0)).square().mean(0) + spread)
    reads = (follows - 1)[:, None] * into.T
    return StyleChange(into * gain, reads, goal.mean(0) - follows * at.mean(0) - reads @ generator.w_avg)
