"""Adam: with a projection every few steps, the best step kept, and an end where nothing gets better; and through the pictures."""
from dataclasses import dataclass

import numpy as np
import torch
from torch.func import functional_call

from engine.rewriting.wanted import Drawing

WARM = 10                           # steps until the rate is full


def descend(task, project, start=None, weight_of=None):
    """Return the best x found by minimising task.loss from `start` (default: the weight); project(x) brings x back in place. Returns the best x projected.

    weight_of: x -> the layer's weight (default: x is it). Ends after settings.steps, or settings.patience projections
    without a thousandth gained.
    """
    settings = task.settings
    x = (task.weight if start is None else start).detach().clone().requires_grad_(True)
    weight_of = weight_of or (lambda x: x)
    adam = torch.optim.Adam([x], lr=settings.rate)
    best, least, since = x.detach().clone(), float("inf"), 0
    for step in range(settings.steps):
        with torch.enable_grad():
            loss = task.loss(weight_of(x))
            adam.zero_grad()
            loss.backward()
        adam.step()
        if step % settings.every and step + 1 < settings.steps:
            continue
        with torch.no_grad():
            project(x)
            here = float(task.loss(weight_of(x)))
        task.report(step + 1, settings.steps, here)
        since = 0 if here < least * 0.999 else since + 1
        if here < least:
            best, least = x.detach().clone(), here
        if since >= settings.patience:
            break
    return best


@dataclass(frozen=True)
class Pace:
    """How to descend on pictures. rate: of Adam. batch: pictures a step. dear: what a change elsewhere counts, to one at the marks."""
    steps: int
    rate: float
    batch: int
    dear: float


def descend_on_pictures(generator, leaves, change, wanted, pace: Pace, progress=None):
    """Bring `leaves`, tensors that learn, to where the pictures are as they are wanted (wanted.Wanted). Writes into them.

    change() -> {name in the state dict: the tensor in its place}.
    """
    drawing, adam = Drawing(generator, wanted.before.shape[2]), torch.optim.Adam(leaves, lr=pace.rate, betas=(0.9, 0.99))
    fixed, order = drawing.freeze(), np.random.RandomState(0)
    with torch.enable_grad():
        for step in range(pace.steps):
            for group in adam.param_groups:
                group["lr"] = pace.rate * min(1.0, (step + 1) / WARM) * (1 - step / pace.steps) ** 0.5
            rows = order.permutation(len(wanted.ws))[:pace.batch]
            changed = {f"generator.{name}": tensor for name, tensor in change().items()}
            loss = wanted.loss(functional_call(drawing, fixed | changed, (wanted.ws[rows],)), rows, pace.dear)
            adam.zero_grad()
            loss.backward()
            adam.step()
            if progress is not None:
                progress({"stage": "pictures", "done": step + 1, "of": pace.steps, "loss": float(loss.detach())})
