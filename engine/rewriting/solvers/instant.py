"""The closed form: activation, bias and noise can be undone, so the wanted sums are known and the values are a regression.

    Lambda phi_p m = undone(goal_p) - y0_p m, by ridge regression over the cells p that count; its ridge is
    restraint * E[phi phi^T] over all of the layer's keys: the least disturbance of Bau et al., for whole windows.

phi [9r] is the 3x3 neighbourhood of the keys on D, by the convolution itself, so that up-sampling layers are nothing
special. Then `polish` steps of L-BFGS on the values themselves: with phi known, a step costs a product of two small matrices.
Letters: O channels out, P cells that count, B = 9r, m the demodulation.
"""
import torch

from engine.generator import EPS
from engine.rewriting.memory import activated, deactivated

ABOUT = "closed form, in a fraction of a second"
TAPS = 9
FLOOR = 1e-5                        # of the mean diagonal: the least ridge
ROUND = 3.0                         # of the mean error before: below it an error counts by its square


def solve(task):
    """The regression's values, polished."""
    windows = [Window(goal, task) for goal in task.goals]
    usual = task.settings.restraint * disturbance(task, task.goals[0].recall.conv)
    with torch.no_grad():
        flat = regression(windows, usual)
    if task.settings.polish:
        flat = polished(windows, flat, usual, task)
    return flat.view(len(flat), len(task.directions), 3, 3).transpose(0, 1).contiguous()


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
        self.rest = recall.rested(torch.zeros_like(goal.values))[0].flatten(1)[:, keep]
        squares = recall.styles[0].square()
        self.energy = task.weight.square().sum((2, 3)) @ squares                                # of the weight as it is [O]
        self.linear = torch.einsum("oit,i,ri->ort", task.weight.flatten(2), squares, d).flatten(1)
        self.square = torch.einsum("ri,i,si->rs", d, squares, d)
        self.m = torch.rsqrt(self.energy + EPS)[:, None]

    def values(self, flat):
        """What the layer gives with Lambda [O, B]: the demodulation is that of the changed weight."""
        each = flat.view(len(flat), -1, TAPS)                                                   # [O, r, 9]
        energy = self.energy + 2 * (flat * self.linear).sum(1) + torch.einsum("ort,rs,ost->o", each, self.square, each)
        m = torch.rsqrt(energy.clamp(min=0) + EPS)[:, None]
        return activated(self.conv, (self.y0 + flat @ self.phi) * m + self.rest)


def regression(windows, usual):
    """Lambda [O, B] of all windows by one ridge regression, in float64."""
    gram, right, heft = 0.0, 0.0, 0.0
    for window in windows:
        wanted = (deactivated(window.conv, window.goal) - window.rest) / window.m - window.y0   # [O, P]
        share, phi = 1 / window.phi.shape[1], window.phi.double()
        gram = gram + share * phi @ phi.T
        right = right + share * phi @ wanted.double().T
        heft += 1
    gram = gram + heft * usual
    floor = FLOOR * gram.diagonal().mean().clamp(min=1e-12)
    return torch.linalg.solve(gram + floor * torch.eye(len(gram), dtype=gram.dtype, device=gram.device), right).T.float()


def polished(windows, flat, usual, task):
    """Lambda [O, B] after L-BFGS on the mean absolute error, rounded off where it is small, plus the ridge in its unit."""
    with torch.no_grad():
        zero = sum(float((window.values(torch.zeros_like(flat)) - window.goal).abs().mean()) for window in windows) / len(windows)
        scale = sum((window.m * window.conv.gain).square().mean(1) for window in windows) / len(windows)        # [O]
    usual, small = usual.float(), max(ROUND * zero, 1e-9)
    x = flat.clone().requires_grad_(True)
    lbfgs = torch.optim.LBFGS([x], max_iter=task.settings.polish, max_eval=2 * task.settings.polish, history_size=10, line_search_fn="strong_wolfe")

    def objective():
        errors = [((window.values(x) - window.goal).square() + small * small).sqrt().mean() for window in windows]
        held = ((x @ usual) * x).sum(1) @ scale / (len(x) * 2 * small)         # in step with errors by their square
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
    task.report(task.settings.polish, task.settings.polish, last)
    return x.detach() if last <= first else flat


def disturbance(task, conv):
    """E[phi phi^T] over the layer's keys everywhere, [B, B] float64; from the lagged moments, for any phase of an up-sampling."""
    response, s = windows_of(conv, task.weight.device)
    d = task.directions.double().cpu()
    places = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    lagged = torch.stack([torch.stack([d @ task.statistics.lagged(v - y, u - x).double() @ d.T for v, u in places]) for y, x in places])
    rank = len(d)
    total = torch.einsum("apd,bpe,deij->iajb", response, response, lagged) / (s * s)
    return total.reshape(TAPS * rank, TAPS * rank).to(task.weight.device)


def windows_of(conv, device):
    """([9 taps, phases, 9 places], s): how much of the key at each place around a cell each tap of the kernel takes."""
    s = 2 if conv.up else 1
    impulse = torch.zeros(1, 1, 7, 7, device=device)
    impulse[0, 0, 3, 3] = 1.0
    shown = conv.plain(impulse, torch.eye(TAPS, device=device).view(TAPS, 1, 3, 3))[0].double().cpu()       # [9, 7s, 7s]
    places = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    phases = [torch.stack([shown[:, s * (3 - y) + v, s * (3 - x) + u] for y, x in places], 1) for v in range(s) for u in range(s)]
    return torch.stack(phases, 1), s
