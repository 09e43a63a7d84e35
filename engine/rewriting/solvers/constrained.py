"""The published solver: Adam on the whole weight, brought back every few steps to where only D may differ. SPEC.md C.4."""
import torch

from engine.rewriting import descent
from engine.rewriting.solvers import solver


@solver("the published projected optimisation, 2001 steps")
def constrained(task):
    """Return the values of the best projected step."""
    base, d = task.weight, task.directions

    def on_rule(weight):
        return torch.einsum("oixy,ri->roxy", weight - base, d)

    def project(weight):
        weight.copy_(base + task.delta(on_rule(weight)))

    return on_rule(descent.descend(task, project))
