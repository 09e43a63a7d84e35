"""Noise maps of kept latents, played: how far a place has each, and what a layer's map becomes.

Knows places and tensors, no generators. Letters: N latents, H, W' pixels.
"""
from dataclasses import dataclass, field

import torch

from engine.walks import Arc, Kept

STEPS = 64                          # a share is one of so many, so that a slow walk does not write maps in every frame


@dataclass(frozen=True, eq=False)
class Held:
    """What plays of a kept latent: ws [N, 1 or n, W]; noise: {layer: maps [N, H, W']}, {} = the network's own."""
    ws: torch.Tensor
    noise: dict = field(default_factory=dict)


def find_shares(place, kept: dict) -> tuple:
    """Return ((Held, its number, its share), ...) of the latents in a place that have noise maps. kept: {name: Held}."""
    if not any(held.noise for held in kept.values()):
        return ()
    found: dict = {}
    _add_shares(place, kept, 1.0, found)
    rounded = ((key, round(share * STEPS) / STEPS) for key, share in found.items())
    return tuple((held, number, share) for (held, number), share in rounded if share)


def _add_shares(place, kept, weight, found):
    for point, share in place:
        if isinstance(point, Arc):
            start, end, t = point.way
            _add_shares(start, kept, weight * share * (1 - t), found)
            _add_shares(end, kept, weight * share * t, found)
        elif isinstance(point, Kept):
            held, number = find_held(kept, *point.of)
            if held is not None and held.noise:
                found[held, number] = found.get((held, number), 0.0) + weight * share


def find_held(kept: dict, name: str, number: int):
    """Return (Held, the number of one of its latents); (None, 0) where there is none of that name. name "": all there are, one after the other."""
    if not name and kept:
        every = [(held, n) for held in kept.values() for n in range(len(held.ws))]
        return every[number % len(every)]
    held = kept.get(name)
    return (held, number % len(held.ws)) if held is not None else (None, 0)


def mix_maps(own, shares, layer: str):
    """Return the map [H, W'] of a layer: the shares of find_shares() and, for the rest, the network's own; as strong on the way as at both ends."""
    there = [(held.noise[layer][number], share) for held, number, share in shares if layer in held.noise]
    rest = 1.0 - sum(share for _, share in there)
    long = (rest * rest + sum(share * share for _, share in there)) ** 0.5
    total = torch.zeros_like(own) if not rest else own * (rest / long)
    for maps, share in there:
        total = maps.to(own) if share == long and not rest else total + maps.to(own) * (share / long)
    return total
