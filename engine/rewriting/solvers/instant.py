"""The closed form: activation, bias and noise can be undone, so the wanted sums are known and the values are a regression.

    Lambda phi_p m = undone(goal_p) - y0_p m, by ridge regression over the cells p that count; its ridge is
    restraint * the mean square of phi. (A ridge of what the rule does to all other keys, E[phi phi^T], was tried: at equal
    effect it changed twice as much elsewhere, since it leans on directions that are faint in all keys.)

phi [9r] is the 3x3 neighbourhood of the keys on D, by the convolution itself, so that up-sampling layers are nothing
special. Then `polish` steps of L-BFGS on the values themselves (some in any case where the loss would be above where it
began): with phi known, a step costs a product of two small matrices.
Letters: O channels out, P cells that count, B = 9r, m the demodulation.
"""
import torch

from engine.device import to_double
from engine.generator import EPS
from engine.rewriting.memory import activate, deactivate
from engine.rewriting.solvers import solver

TAPS = 9
ROUNDS, STEPS = 4, 10              # of polishing where nothing was asked for and the loss is above where it began
HALVINGS = 10
FLOOR = 1e-5                        # the least restraint
ROUND = 3.0                         # of the mean error before: below it an error counts by its square


@solver("closed form, in a fraction of a second")
def instant(task):
    """Return the regression's values, polished."""
    windows = [Window(goal, task) for goal in task.goals]
    ridge = (task.settings.restraint + FLOOR) * sum(float(window.phi.square().mean()) for window in windows) / len(windows)
    with torch.no_grad():
        flat = regression(windows, ridge)
    if task.settings.polish:
        flat = polish(windows, flat, ridge, task, task.settings.polish)
    return find_improving(windows, flat, ridge, task)


def find_improving(windows, flat, ridge, task):
    """Return Lambda as values, polished and if need be shortened until the loss is not above that of the weight as it is.

    What a few directions can't do, the regression may overdo: it knows the sums, not what the activation makes of them.
    """
    shaped = lambda flat: flat.view(len(flat), len(task.directions), 3, 3).transpose(0, 1).contiguous()
    with torch.no_grad():
        before = float(task.loss(task.weight))
        worse = lambda flat: float(task.loss(task.weight + task.settings.gain * task.delta(shaped(flat)))) > before
        for _ in range(ROUNDS):
            if not worse(flat):
                return shaped(flat)
            flat = polish(windows, flat, ridge, task, STEPS)
        if worse(flat):
            flat = polish(windows, torch.zeros_like(flat), ridge, task, ROUNDS * STEPS)       # from the other end
        for _ in range(HALVINGS):
            if not worse(flat):
                return shaped(flat)
            flat = flat / 2
        return shaped(flat * float(not worse(flat)))


class Window:
    """One goal's cells that count, as columns: phi [B, P], the sums as they are y0 [O, P], goal, and bias + noise (rest) [O, P]."""

    def __init__(self, goal, task):
        recall, keep, d = goal.recall, goal.mask.flatten() > 0, task.directions
        on_rule = torch.einsum("ri,nihw->nrhw", d, recall.keys)
        basis = torch.eye(TAPS * len(d), device=d.device).view(TAPS * len(d), len(d), 3, 3)
        self.conv = recall.conv
        self.phi = recall.conv.plain(on_rule, basis)[0].flatten(1)[:, keep]
        self.y0 = recall.conv.plain(recall.keys, task.weight)[0].flatten(1)[:, keep]
        self.goal = goal.values[0].flatten(1)[:, keep]
        self.rest = recall.find_input(torch.zeros_like(goal.values))[0].flatten(1)[:, keep]
        squares = recall.styles[0].square()
        self.energy = task.weight.square().sum((2, 3)) @ squares                                # of the weight as it is [O]
        self.linear = torch.einsum("oit,i,ri->ort", task.weight.flatten(2), squares, d).flatten(1)
        self.square = torch.einsum("ri,i,si->rs", d, squares, d)
        self.m = torch.rsqrt(self.energy + EPS)[:, None]

    def values(self, flat):
        """Return the layer's values with Lambda [O, B]: the demodulation is that of the changed weight."""
        each = flat.view(len(flat), -1, TAPS)                                                   # [O, r, 9]
        energy = self.energy + 2 * (flat * self.linear).sum(1) + torch.einsum("ort,rs,ost->o", each, self.square, each)
        m = torch.rsqrt(energy.clamp(min=0) + EPS)[:, None]
        return activate(self.conv, (self.y0 + flat @ self.phi) * m + self.rest)


def regression(windows, ridge):
    """Return Lambda [O, B] of all windows by one ridge regression, in float64."""
    gram = right = torch.zeros((), dtype=torch.float64)
    for window in windows:
        wanted = (deactivate(window.conv, window.goal) - window.rest) / window.m - window.y0   # [O, P]
        share, phi = 1 / (len(windows) * window.phi.shape[1]), to_double(window.phi)
        gram = gram + share * phi @ phi.T
        right = right + share * phi @ to_double(wanted).T
    held = max(ridge, 1e-12) * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    return torch.linalg.solve(gram + held, right).T.float().to(windows[0].phi.device)


def polish(windows, flat, ridge, task, steps):
    """Return Lambda [O, B] after L-BFGS on the mean absolute error, rounded off where it is small, plus the ridge in its unit."""
    with torch.no_grad():
        zero = sum(float((window.values(torch.zeros_like(flat)) - window.goal).abs().mean()) for window in windows) / len(windows)
        scale = sum((window.m * window.conv.gain).square().mean(1) for window in windows) / len(windows)        # [O]
    small = max(ROUND * zero, 1e-9)
    x = flat.clone().requires_grad_(True)
    lbfgs = torch.optim.LBFGS([x], max_iter=steps, max_eval=2 * steps, history_size=10, line_search_fn="strong_wolfe")

    def objective():
        errors = [((window.values(x) - window.goal).square() + small * small).sqrt().mean() for window in windows]
        held = ridge * x.square().sum(1) @ scale / (len(x) * 2 * small)         # in step with errors by their square
        return sum(errors) / len(errors) + held

    def closure():
        lbfgs.zero_grad()
        loss = objective()
        loss.backward()
        return loss

    with torch.enable_grad():
        first = float(objective().detach())
        lbfgs.step(closure)
        last = float(objective().detach())
    task.report(steps, steps, last)
    return x.detach() if last <= first else flat
