"""Adam, with a projection every few steps, the best step kept, and an end where nothing gets better."""
import torch


def descend(task, project, start=None, weight_of=None):
    """Minimise task.loss from `start` (default: the weight); project(x) brings x back in place. Returns the best x projected.

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
