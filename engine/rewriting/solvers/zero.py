"""The published zero: the layer goes deaf to the context. Needs no object and no paste."""
import torch

ABOUT = "takes out what the layer makes of the context, and puts nothing in its place"
GOALS = False


def solve(task):
    """values = -W D: the component along D is gone at strength 1, doubled at -1."""
    return -torch.einsum("oixy,ri->roxy", task.weight, task.directions)
