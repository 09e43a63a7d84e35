"""The wanted values: an object's, laid over those at another place; and the keys that have to bring them about.

Every crop has its real noise, and a margin of real keys around it. `published` has neither, as the published tool's
crops had not: other noise, and zeros beyond the edge. SPEC.md C.4. Letters as in memory.py; boxes are top, left, bottom, right.
"""
from dataclasses import dataclass, replace

import torch

from engine.errors import UserError
from engine.rewriting.memory import Recall, draw_noise, latents, recall

MARGIN = 2                          # key cells: as far as a 3x3 window with its up-sampling looks


@dataclass(frozen=True, eq=False)
class Goal:
    """One paste. recall: of the crop [1, ...]. values [1, O, H, W'] wanted there; mask [H, W']: where they count, 0 or 1."""
    recall: Recall
    values: torch.Tensor
    mask: torch.Tensor

    def loss(self, weight):
        """Return the mean absolute difference from the wanted values, with any weight in the layer's place."""
        difference = (self.recall.values(weight) - self.values).abs() * self.mask
        return difference.sum() / (self.mask.sum() * difference.shape[1])


@dataclass(frozen=True)
class Place:
    """How pastes are made: psi of the pictures, published crops or real ones, key cells that are kept as they are around."""
    psi: float = 1.0
    published: bool = False
    around: int = 0


@torch.no_grad()
def goals(generator, layer, request, place: Place) -> list[Goal]:
    """Return one Goal for each of the request's pairs, or several where a paste goes to each piece of its mask."""
    made = []
    for thing, paste in [(thing, piece) for thing, whole in request.pairs() for piece in whole.split()]:
        source, target = (recall(generator, layer, latents(generator, [mark.picture], place.psi), place.published) for mark in (thing, paste))
        values = source.values(generator.weights(layer))                                       # [1, O, H, W']
        old = target.values(generator.weights(layer))
        size = values.shape[2:]
        if request.fill:
            crop, area, box = fill(values, thing.resize(*size).to(values), paste.resize(*size).to(values))
        else:
            crop, area, box = move(values, thing.resize(*size).to(values), paste.resize(*size).to(values))
        top, left, bottom, right = box
        new = old.clone()
        new[:, :, top:bottom, left:right] = torch.lerp(old[:, :, top:bottom, left:right], crop, area)
        made.append(goal(target, new, box, place))
    return made


def move(values, thing, paste):
    """Return the object's crop [1, O, h, w], how much of it shows [h, w], and the box it lands in: its middle on the paste's."""
    t, l, b, r = positive_box(thing)
    height, width = b - t, r - l
    pt, pl, pb, pr = positive_box(paste)
    top = min(max((pt + pb) // 2 - height // 2, 0), thing.shape[0] - height)
    left = min(max((pl + pr) // 2 - width // 2, 0), thing.shape[1] - width)
    return values[:, :, t:b, l:r], thing[t:b, l:r], (top, left, top + height, left + width)


def fill(values, thing, paste):
    """Return the object's mean, laid over the paste's mask: as `moved`."""
    t, l, b, r = positive_box(paste)
    mean = (values * thing).sum((2, 3), keepdim=True) / thing.sum()
    return mean.expand(-1, -1, b - t, r - l), paste[t:b, l:r], (t, l, b, r)


def positive_box(mask):
    """Return the smallest box around all that is above 0. UserError: nothing is."""
    rows, columns = (mask > 0).any(1).nonzero()[:, 0], (mask > 0).any(0).nonzero()[:, 0]
    if not len(rows):
        raise UserError(f"nothing is left of a mask at {mask.shape[0]} px, this layer's size: paint more, or take a later layer")
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def goal(target: Recall, values, box, place: Place) -> Goal:
    """Return the Goal of a pair: the crop of the target that has the box in it, aligned outwards to whole key cells."""
    s, (height, width) = target.scale, target.keys.shape[2:]
    top, left = box[0] // s, box[1] // s
    bottom, right = -(-box[2] // s), -(-box[3] // s)
    if place.published:
        crop = target.crop(top, left, bottom, right)
        if crop.noise is not None:
            crop = replace(crop, noise=draw_noise(crop.noise.shape[0], crop.noise.shape[1], crop.noise.device) * crop.conv.noise_strength)
        inside = values[:, :, top * s:bottom * s, left * s:right * s]
        return Goal(crop, inside, torch.ones(inside.shape[2:], device=values.device))
    counted = torch.zeros(values.shape[2:], device=values.device)
    grow = place.around
    counted[max(top - grow, 0) * s:(bottom + grow) * s, max(left - grow, 0) * s:(right + grow) * s] = 1.0
    reach = grow + MARGIN
    t, l = max(top - reach, 0), max(left - reach, 0)
    b, r = min(bottom + reach, height), min(right + reach, width)
    return Goal(target.crop(t, l, b, r), values[:, :, t * s:b * s, l * s:r * s], counted[t * s:b * s, l * s:r * s])


@torch.no_grad()
def make_erased(generator, layer, marks, units, place: Place) -> list[Goal]:
    """Return goals: the values left at the marks when these units [n] of the keys are silent."""
    made = []
    for mark in marks:
        target = recall(generator, layer, latents(generator, [mark.picture], place.psi), place.published)
        keys = target.keys.clone()
        keys[:, units] = 0.0
        values = replace(target, keys=keys).values(generator.weights(layer))
        made.append(goal(target, values, positive_box(mark.resize(*values.shape[2:])), place))
    return made
