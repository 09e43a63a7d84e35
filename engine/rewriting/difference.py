"""A fine-tuned network as an edit of the one it was tuned from: what changed in each convolution, of low rank. Source: SPEC2.md M.2.

So it becomes a fader of some hundred kB, in the place of a second network. Letters: O, I channels out and in, kh, kw window, r rank.
"""
from dataclasses import dataclass

import torch

from engine.checkpoints.native import generator_hash
from engine.errors import UserError
from engine.mixing import check_alike
from engine.rewriting.edit import Edit, Rule, apply

ENERGY, MOST = 0.9, 64               # of a layer's change that is kept; directions of a layer at most
NOTHING = 1e-6                       # of a weight's size: layers that changed by less are left out
SEEDS = 8


@dataclass(frozen=True)
class Cost:
    """What an edit keeps of a fine-tune, in dB of pictures against its own: whole: of all its convolutions; kept: of the edit; before: of the base."""
    before: float
    kept: float
    whole: float


@torch.no_grad()
def find_difference(base, tuned, name: str, rank: int | None = None, energy: float = ENERGY) -> Edit:
    """Return the edit that makes of `base`, at strength 1, what `tuned` is in its convolutions. rank: of each layer; None: as `energy` asks, MOST at most.

    What a fine-tune changed elsewhere (mapping network, styles, toRGB, noise) is not in it. UserError: they are of different shapes, or are alike.
    """
    check_alike(base, tuned)
    rules = [rule for layer in base.layers if (rule := _find_rule(base, tuned, layer, rank, energy)) is not None]
    if not rules:
        raise UserError("these networks have the same convolutions: there is no difference to keep")
    first, *more = rules
    recipe = {"method": "difference", "tuned": generator_hash(tuned), "energy": energy if rank is None else None, "rank": rank,
              "ranks": {rule.layer: len(rule.directions) for rule in rules}}
    return Edit(name, first.layer, first.directions, first.values, recipe, generator_hash(base), more=tuple(more))


def _find_rule(base, tuned, layer, rank, energy) -> Rule | None:
    """Return what changed in a layer: the leading singular vectors of [O * kh * kw, I]."""
    before, after = (network.weights(layer).detach().cpu().double() for network in (base, tuned))
    change = (after - before).permute(0, 2, 3, 1)                        # [O, kh, kw, I]
    if change.norm() <= NOTHING * before.norm():
        return None
    left, sizes, right = torch.linalg.svd(change.flatten(0, 2), full_matrices=False)
    share = sizes.square().cumsum(0) / sizes.square().sum()
    keep = min(int((share < energy).sum()) + 1, MOST) if rank is None else rank
    keep = max(1, min(keep, len(sizes)))
    values = (left[:, :keep] * sizes[:keep]).T.reshape(keep, *change.shape[:3])
    return Rule(layer, right[:keep].float(), values.float())


@torch.no_grad()
def measure_cost(base, tuned, edit, size: int = 64) -> Cost:
    """Return how near to the fine-tune's pictures the base's come with the edit."""
    import copy

    whole = copy.deepcopy(base)
    for layer in base.layers:
        whole.weights(layer).copy_(tuned.weights(layer))
    size = max(r for r in base.architecture.resolutions if r <= size)
    pictures = [_draw(network, base, size) for network in (tuned, base, apply(base, [(edit, 1.0)]), whole)]
    return Cost(*(_compare(pictures[0], other) for other in pictures[1:]))


def _draw(network, mapper, size):
    """Return pictures of seeds; all networks draw the same w."""
    z = torch.randn(SEEDS, mapper.z_dim, generator=torch.Generator().manual_seed(0)).to(mapper.device)
    label = torch.eye(mapper.c_dim, device=mapper.device)[torch.arange(SEEDS) % mapper.c_dim] if mapper.c_dim else None
    return network.synthesize(mapper.map(z, 1.0, c=label), size=size).clamp(-1, 1)


def _compare(one, other) -> float:
    """Return the PSNR in dB of pictures in -1..1."""
    return float(10 * torch.log10(4 / (one - other).square().mean().clamp(min=1e-12)))
