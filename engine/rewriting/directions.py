"""The context as directions of key space: what a rule answers to, and hardly anything else does. SPEC.md C.1, C.4.

C^-1 k for one key; for many, the leading directions of the whitened keys. Letters: I channels in, K keys, r rank.
"""
import torch

from engine.device import to_double
from engine.errors import UserError
from engine.rewriting.memory import latents, recall

METHODS = ("zca", "mean", "units")


def context_keys(generator, layer, marks, psi):
    """Return (keys [K, I] where the masks are above 0, their weights [K]: the masks' values)."""
    keys, weights = [], []
    for mark in marks:
        there = recall(generator, layer, latents(generator, [mark.picture], psi)).keys[0]         # [I, h, w']
        mask = mark.resize(*there.shape[1:]).to(there.device)
        if not mask.max() > 0:
            raise UserError(f"picture {mark.picture.number}: nothing is left of its mask at the {mask.shape[0]} px of {layer}: paint more")
        keys.append(there[:, mask > 0].T)
        weights.append(mask[mask > 0])
    return torch.cat(keys), torch.cat(weights)


def directions(keys, weights, statistics, rank: int, method: str = "zca"):
    """Return D [r, I], rows orthonormal, each pointing towards the mean key.

    keys [K, I], weights [K]. method: "zca" (whitened, weighted, their leading right singular vectors, whitened again),
    "mean" (C^-1 times the mean key; rank 1), "units" (single channels, those most above their usual energy).
    """
    inputs = keys.shape[1]
    if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= inputs:
        raise UserError(f"rank {rank!r}: expected 1 to {inputs}, the channels the layer is given")
    if method not in METHODS:
        raise UserError(f"method {method!r}: expected {', '.join(METHODS)}")
    mean = (keys * weights[:, None]).sum(0) / weights.sum()
    if method == "units":
        chosen = energies(keys, weights, statistics).topk(rank).indices
        found = torch.eye(inputs, device=keys.device)[chosen]
    elif method == "mean" or rank == 1 and len(keys) == 1:
        if rank != 1:
            raise UserError(f"method mean: rank {rank}, but it gives a single direction")
        found = _normal(statistics.whitening(-1.0).to(mean) @ mean)[None]
    else:
        z = statistics.whitening(-0.5).to(keys)
        _, _, right = torch.linalg.svd(to_double(keys @ z * weights[:, None]), full_matrices=False)
        if rank > len(right):
            raise UserError(f"rank {rank}: the masks cover {len(right)} keys only: paint more, or ask for less")
        found = torch.linalg.qr((right[:rank] @ to_double(z)).T).Q.T.to(keys)
    signs = torch.where(found @ mean < 0, -1.0, 1.0)
    return found * signs[:, None]


def energies(keys, weights, statistics):
    """Return the energies [I]: each channel's mean energy over the context, over its usual one."""
    usual = statistics.second.diagonal().to(keys)
    here = (keys.square() * weights[:, None]).sum(0) / weights.sum()
    return here / usual.clamp(min=float(usual.max()) * 1e-6)


def _normal(vector):
    return vector / vector.norm().clamp(min=torch.finfo(vector.dtype).tiny)
