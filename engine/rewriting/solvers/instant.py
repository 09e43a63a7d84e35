"""The closed form: activation, bias and noise can be undone, so the wanted sums are known and the values are a regression.

    minimise  mean_p |a(m (y0 + Lambda phi_p) + b + n) - goal_p|  +  restraint * E[(Lambda phi)^2]

phi [9r]: the 3x3 neighbourhood of the keys on D, by the convolution itself, so that up-sampling layers are nothing special.
The first pass is ridge regression; each of `polish` more weighs the cells anew (iteratively reweighted least squares), which
makes squares absolute values, takes the leaky slope at its chord, and the demodulation m of the weight so far.
E is over all of the layer's keys: the least disturbance of Bau et al., for whole windows instead of single keys.
Letters: O channels out, P cells that count, B = 9r.
"""
import torch

from engine.generator import SLOPE
from engine.rewriting.memory import activated, deactivated

ABOUT = "closed form, in a fraction of a second"
TAPS = 9
FLAT = 0.05                         # of the mean error: smaller ones weigh no more than this one, so that none is divided by 0
TINY = 1e-6
STRIDES = (1.0, 0.5, 0.25, 0.1)     # how much of the way to a pass's answer is tried


def solve(task):
    """The values after all passes; each goes as far as it lowers the loss."""
    windows = [Window(goal, task) for goal in task.goals]
    restraint = task.settings.restraint * disturbance(task, task.goals[0].recall.conv)
    flat = torch.zeros(len(task.weight), TAPS * len(task.directions), device=task.weight.device)          # Lambda [O, B]
    least, passes = cost(flat, task, restraint), task.settings.polish + 1
    for step in range(passes):
        aim = regression(windows, flat, task, restraint, reweighted=step > 0)
        for share in STRIDES:
            there = torch.lerp(flat, aim, share)
            here = cost(there, task, restraint)
            if here < least or step == 0 and share == STRIDES[-1]:
                flat, least = there, here
                break
        else:
            break
        task.report(step + 1, passes, least)
    return shaped(flat, len(task.directions))


def shaped(flat, rank):
    """[O, B] -> values [r, O, 3, 3]."""
    return flat.view(len(flat), rank, 3, 3).transpose(0, 1).contiguous()


def cost(flat, task, restraint):
    """The loss, and what the rule does elsewhere in the same unit (a mean absolute change), weighted."""
    return float(task.loss(task.weight + task.delta(shaped(flat, len(task.directions)))))


class Window:
    """One goal's cells that count, as columns: phi [B, P], the sums as they are y0 [O, P], wanted values and what adds to the sums."""

    def __init__(self, goal, task):
        recall, keep = goal.recall, goal.mask.flatten() > 0
        rank = len(task.directions)
        on_rule = torch.einsum("ri,nihw->nrhw", task.directions, recall.keys)
        basis = torch.eye(TAPS * rank, device=on_rule.device).view(TAPS * rank, rank, 3, 3)
        self.recall = recall
        self.phi = recall.conv.plain(on_rule, basis)[0].flatten(1)[:, keep]
        self.y0 = recall.conv.plain(recall.keys, task.weight)[0].flatten(1)[:, keep]
        self.goal = goal.values[0].flatten(1)[:, keep]
        rest = recall.rested(torch.zeros_like(goal.values))[0]
        self.rest = rest.flatten(1)[:, keep]                                                   # bias + noise [O, P]

    def errors(self, flat, m):
        """(wanted sums - y0, chord slope * m, error of the value), each [O, P], for Lambda [O, B] and demodulation m [O, 1]."""
        conv = self.recall.conv
        inside = (self.y0 + flat @ self.phi) * m + self.rest
        wanted = deactivated(conv, self.goal)
        error = activated(conv, inside) - self.goal
        apart = inside - wanted
        slope = torch.where(inside > 0, 1.0, SLOPE) * conv.gain
        slope = torch.where(apart.abs() > TINY, error / torch.where(apart.abs() > TINY, apart, 1.0), slope)
        return (wanted - self.rest) / m - self.y0, slope * m, error


def regression(windows, flat, task, restraint, reweighted):
    """One weighted ridge regression, every output channel on its own -> Lambda [O, B]."""
    weight = task.weight + task.delta(shaped(flat, len(task.directions)))
    outputs, size = flat.shape
    gram, right = flat.new_zeros(outputs, size, size, dtype=torch.float64), flat.new_zeros(outputs, size, dtype=torch.float64)
    heft = flat.new_zeros(outputs, dtype=torch.float64)
    for window in windows:
        m = window.recall.demodulation(weight)[0, :, :, 0]                                     # [O, 1]
        wanted, slope, error = window.errors(flat, m)
        share = slope.square() / (len(windows) * error.shape[1])
        if reweighted:
            share = share / error.abs().clamp(min=FLAT * float(error.abs().mean()) + TINY)
        share, phi = share.double(), window.phi.double()
        gram += torch.einsum("ap,op,bp->oab", phi, share, phi)
        right += torch.einsum("ap,op,op->oa", phi, share, wanted.double())
        heft += share.sum(1)
    gram += heft[:, None, None] * restraint
    floor = gram.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-12) * 1e-6
    gram += floor[:, None, None] * torch.eye(size, dtype=torch.float64, device=gram.device)
    return torch.linalg.solve(gram, right).float()


def disturbance(task, conv):
    """E[phi phi^T] over the layer's keys everywhere, [B, B] float64; from the lagged moments, for any phase of an up-sampling."""
    response, s = windows_of(conv, task.weight.device)
    d = task.directions.double().cpu()
    around = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    lagged = torch.stack([torch.stack([d @ task.statistics.lagged(v - y, u - x).double() @ d.T for v, u in around]) for y, x in around])
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
