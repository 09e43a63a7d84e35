"""Mixing the weights of networks of one shape: split at a layer, averaged; and whether they are relatives. Source: SPEC2.md M.

Relatives are networks that were trained on from the same start: between those weights mix well, between strangers they come to mud.
"""
import copy
import math

import torch

from engine.errors import UserError

ALIKE = 0.9                          # least cosine between the affines of relatives, in most layers


def find_place(name: str) -> int | None:
    """Return where a tensor stands in the order of layers: 2 k for the first of the k-th size and the constant, 2 k + 1 for the second and toRGB.

    None: it is of the mapping network.
    """
    if name.startswith("mapping."):
        return None
    block, part = name.split(".")[1:3]
    return 2 * (int(block.removeprefix("b")).bit_length() - 3) + (part in ("conv1", "torgb"))


def find_split_share(place: int, split: float, width: float) -> float:
    """Return the second network's share at a place in the order of layers, as layer swapping has it."""
    x = place - split
    if width <= 0:
        return 1.0 if x >= 0 else 0.0
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, x / width))))


@torch.no_grad()
def blend(first, second, resolution: int, width: float = 0.0):
    """Return a copy of the first network that is the second one's from the layers of a resolution on; the mapping network stays the first one's."""
    check_alike(first, second)
    if resolution not in first.architecture.resolutions:
        raise UserError(f"split {resolution}: expected one of {', '.join(map(str, first.architecture.resolutions))} px")
    made, theirs = copy.deepcopy(first), second.state_dict()
    split = 2 * (resolution.bit_length() - 3)
    for name, tensor in made.state_dict().items():
        place = find_place(name)
        if place is not None:
            tensor.lerp_(theirs[name].to(tensor), find_split_share(place, split, width))
    return made


@torch.no_grad()
def average(networks):
    """Return the mean of several networks: a soup."""
    if len(networks) < 2:
        raise UserError(f"{len(networks)} network: a soup is of two or more")
    first, *others = networks
    for other in others:
        check_alike(first, other)
    made, states = copy.deepcopy(first), [other.state_dict() for other in others]
    for name, tensor in made.state_dict().items():
        tensor.copy_(torch.stack([tensor, *(state[name].to(tensor) for state in states)]).mean(0))
    return made


def choose_soup(networks, measure, progress=None):
    """Return (a soup, which networks are in it, best first): each is put in, the best by itself first, and left out again where the figure falls.

    measure(network) -> a figure, larger is better. progress(number, its figure by itself, that of the soup with it or None, whether it is in).
    """
    alone = [measure(network) for network in networks]
    first, *others = sorted(range(len(networks)), key=lambda n: -alone[n])
    chosen, made, best = [first], networks[first], alone[first]
    if progress:
        progress(first, best, None, True)
    for n in others:
        trial = average([networks[k] for k in (*chosen, n)])
        figure = measure(trial)
        if better := figure >= best:
            chosen, made, best = [*chosen, n], trial, figure
        if progress:
            progress(n, alone[n], figure, better)
    return made, chosen


def check_alike(first, second):
    """Raise a UserError where two networks are not of one shape."""
    mine, theirs = ({name: list(t.shape) for name, t in g.state_dict().items()} for g in (first, second))
    for name in mine | theirs:
        if mine.get(name) != theirs.get(name) or first.architecture.kind != second.architecture.kind:
            raise UserError(f"networks of different shapes can't be mixed: {name} is {mine.get(name, 'not there')} and {theirs.get(name, 'not there')}")


@torch.no_grad()
def measure_kinship(first, second) -> dict[str, float]:
    """Return {affine: the cosine between its weights in two networks of one shape}."""
    theirs = second.state_dict()
    return {name: torch.nn.functional.cosine_similarity(weight.flatten(), theirs[name].to(weight).flatten(), 0).item()
            for name, weight in first.state_dict().items() if name.endswith(".affine.weight")}


def are_relatives(first, second) -> bool:
    """Return whether two networks of one shape were trained on from the same start, by all signs."""
    kinship = list(measure_kinship(first, second).values())
    return sum(cosine > ALIKE for cosine in kinship) > len(kinship) / 2
