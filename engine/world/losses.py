"""The loss of training: picture and edges at every resolution, and which channels answer to which part.

Letters: N batch, C channels, G groups, H, W pixels.
"""
import torch
from torch.nn import functional as F

FREE = 0.2                          # this share of a grouped layer's channels belongs to nobody


def importance(world, shown):
    """Return pixel weights [N, 1, H, W] for {part: coverage [N, H, W]}: small parts would drown otherwise."""
    return 1 + sum((weight - 1) * shown[name] for name, weight in world.weights.items())[:, None]


def group_masks(world, shown):
    """Return group masks [N, G, H, W] for {part: coverage [N, H, W]}."""
    return torch.stack([sum(shown[name] for name in names) for names in world.groups.values()], 1)


def crispness(picture, cell=8):
    """Return how strong the edges of picture [N, 3, H, W] are in every cell of `cell` pixels, [N, 1, H / cell, W / cell].

    Wherever in the cell they lie: a network unsure by a pixel must not answer with a blur.
    """
    across = F.pad(picture.diff(dim=3), (0, 1)).square().sum(1, keepdim=True)
    down = F.pad(picture.diff(dim=2), (0, 0, 0, 1)).square().sum(1, keepdim=True)
    return torch.sqrt(F.avg_pool2d(across + down, cell) + 1e-4)


def picture_loss(pictures, target, weight, least=8, crisp=0.0):
    """Return the error of pictures {resolution: [N, 3, H, W]} against the target at the highest, area-averaged for the others.

    crisp: how much the strength of edges counts, at the highest resolution only.
    """
    total, top = 0.0, max(pictures)
    for r in sorted(pictures, reverse=True):
        if r < least or pictures[r].shape[-1] < 2:
            break
        ours = pictures[r]
        while target.shape[-1] > ours.shape[-1]:
            target, weight = F.avg_pool2d(target, 2), F.avg_pool2d(weight, 2)
        miss = ours - target
        error = (miss.abs() * weight).mean()
        edges = ((miss[..., 1:] - miss[..., :-1]).abs() * weight[..., 1:]).mean()
        edges = edges + ((miss[..., 1:, :] - miss[..., :-1, :]).abs() * weight[..., 1:, :]).mean()
        if crisp and r == top:
            error = error + crisp * ((crispness(ours) - crispness(target)).abs() * F.avg_pool2d(weight, 8)).mean()
        total = total + (error + edges) / weight.mean() * (1.0 if r == top else 0.3)
    return total


def group_means(x, groups):
    """Return the mean of each of G groups over its channels, [N, G, H, W], of activations [N, C, H, W]."""
    each = int(x.shape[1] * (1 - FREE)) // groups
    return x[:, :each * groups].unflatten(1, (groups, each)).mean(2)


def group_loss(x, masks, scale, bias):
    """Return the balanced cross-entropy between the groups' means in x [N, C, H, W] and their masks [N, G, H', W']; scale, bias [G]."""
    masks = F.adaptive_avg_pool2d(masks, x.shape[2:])
    logits = group_means(x, len(scale)) * scale[:, None, None] + bias[:, None, None]
    there = (masks * F.softplus(-logits)).sum((0, 2, 3)) / (masks.sum((0, 2, 3)) + 1)
    gone = ((1 - masks) * F.softplus(logits)).sum((0, 2, 3)) / (1 - masks).sum((0, 2, 3))
    return 0.5 * (there + gone).mean()
