"""The published zero: the layer goes deaf to the context. Needs no object and no paste."""
import torch

from engine.rewriting.solvers import solver


@solver("takes out what the layer makes of the context, and puts nothing in its place", goals=False)
def zero(task):
    """Return values = -W D: the component along D is gone at strength 1, doubled at -1."""
    return -torch.einsum("oixy,ri->roxy", task.weight, task.directions)
