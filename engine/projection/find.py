"""Looking for w, or a w for each layer, by gradient descent. Letters: N pictures, n = num_ws, W = w_dim, S size."""
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch.func import functional_call

from engine.device import to_double
from engine.directions.measured import choose_samples
from engine.directions.statistics import measure_spread, sample_w
from engine.encoder.network import resize
from engine.errors import UserError
from engine.generator import GAIN, SLOPE
from engine.projection.features import FeatureLoss
from engine.projection.losses import LOSSES, measure_psnr
from engine.projection.schedule import find_noise, find_noise_correlation, find_rate, renormalise
from engine.rewriting.wanted import Drawing

SPACES = ("w", "w+")
STEPS, SIZE = 150, 64
BANK, NEAREST, THUMB = 768, 8, 16    # seeds that are compared, of which so many are met in the middle; px at which
STATISTICS = 10_000
REGULARISED = 10.0                   # what it costs that neighbouring numbers of noise maps agree; the published 1e5 is for its loss and 1000 steps
SPREAD = 0.1                         # how much layers that go apart cost, in w+
BATCH = 8


@dataclass(frozen=True, eq=False)
class Projected:
    """ws [N, 1 or n, W]; start, shown, target: pictures [N, 3, S, S'] of where it began, of what was found, and what was looked for; psnr [N] in dB.

    noise: {layer: maps [N, H, W']} where they were looked for as well.
    """
    ws: torch.Tensor
    start: torch.Tensor
    shown: torch.Tensor
    target: torch.Tensor
    psnr: tuple[float, ...]
    noise: dict = field(default_factory=dict)


class Projector:
    """Projects with one generator. loss: of LOSSES, or a FeatureLoss. size: px at which pictures are compared.

    look: engine.look.Look, which knows where to begin, or None. keep_close: what it costs to be where few seeds are; 0 = nothing.
    """

    def __init__(self, generator, size: int = SIZE, loss: str | FeatureLoss = "pyramid", seed: int = 0, look=None, keep_close: float = 0.0):
        if isinstance(loss, str) and loss not in LOSSES:
            raise UserError(f"loss {loss!r}: expected one of {', '.join(LOSSES)}, or a FeatureLoss made of a file")
        resolutions = generator.architecture.resolutions
        self.generator, self.seed, self.look = generator, seed, look
        self.loss: Callable = LOSSES[loss] if isinstance(loss, str) else loss
        self.loss_name = loss if isinstance(loss, str) else loss.name
        self.size = min(resolutions, key=lambda r: (abs(r - size), r))
        spread = measure_spread(generator, STATISTICS, seed)
        self.mean, self.sigma = (x.float().to(generator.device) for x in (spread.mean, spread.sigma))
        self.keep_close, self._usual = keep_close, _find_usual(generator, seed) if keep_close else None
        self._bank: tuple | None = None
        self._drawing = Drawing(generator, self.size)

    def prepare(self, pictures):
        """Return pictures [N, 3, H, W'] as they are compared: cut about their middle to the network's shape, by area."""
        return resize(self.cut(pictures), self.generator.architecture.pixels(self.size))

    def cut(self, pictures):
        """Return what is seen of pictures [N, 3, H, W'], at their own size: their middle, of the network's shape."""
        height, width = self.generator.architecture.pixels(self.size)
        unit = min(pictures.shape[2] / height, pictures.shape[3] / width)
        high, wide = max(1, round(height * unit)), max(1, round(width * unit))
        top, left = (pictures.shape[2] - high) // 2, (pictures.shape[3] - wide) // 2
        return pictures[:, :, top:top + high, left:left + wide].to(self.generator.device).nan_to_num(0.0).clamp(-1, 1)

    def draw(self, ws, noise=None, changed=None):
        """Return the pictures [N, 3, S, S'] of ws [N, 1 or n, W]. noise: {layer: maps [N, H, W']}, changed: {name: tensor}, both in place of the network's."""
        maps = {f"synthesis.{layer}.noise_const": one[:, None] for layer, one in (noise or {}).items()}
        other = {f"generator.{name}": tensor for name, tensor in (maps | (changed or {})).items()}
        return functional_call(self._drawing, other, (ws.expand(-1, self.generator.num_ws, -1),))

    @torch.no_grad()
    def draw_edited(self, ws, edit, strength: float, noise=None):
        """Return the pictures of ws in -1..1 with an edit (engine.rewriting.Edit) at a strength."""
        weights = {f"synthesis.{rule.layer}.weight": self.generator.weights(rule.layer) + rule.delta(strength).to(ws.device) for rule in edit.rules}
        return self.draw(ws, noise, weights if strength else None).clamp(-1, 1)

    def begin_noise(self, count: int) -> dict:
        """Return {layer: maps [count, H, W']} to begin at: the stored ones of all layers that have a part in the picture."""
        generator, kind = self.generator, self.generator.architecture.kind
        layers = [layer for layer in generator.layers if generator.layer(layer).noise
                  and (kind != "skip" or generator.architecture.resolution_of(layer) <= self.size)]
        return {layer: generator.layer(layer).noise_const[None].repeat(count, 1, 1) for layer in layers}

    @torch.no_grad()
    def find_start(self, targets):
        """Return the w [N, 1, W] to begin at: what the nearest of many seeds have in common, or what the look says, whichever is nearer."""
        if self._bank is None:
            count, size = choose_samples(self.generator, BANK)
            w = sample_w(self.generator, count, self.seed + 500_000)[1]
            thumbs = [resize(self.generator.synthesize(some[:, None].expand(-1, self.generator.num_ws, -1), size=size).clamp(-1, 1), (THUMB, THUMB))
                      for some in w.split(BATCH)]
            self._bank = w, torch.cat(thumbs).flatten(1)
        w, thumbs = self._bank
        far = torch.cdist(resize(targets, (THUMB, THUMB)).flatten(1), thumbs, p=1)
        start = w[far.topk(min(NEAREST, len(w)), largest=False).indices].mean(1)[:, None]
        if self.look is None:
            return start
        led = self.look(targets).mean(1, keepdim=True)
        nearer = self.loss(self.draw(led), targets) < self.loss(self.draw(start), targets)
        return torch.where(nearer[:, None, None], led, start)

    def refine(self, ws, targets, steps: int, shaken: bool = True, rate=find_rate, progress: Callable | None = None, noise: dict | None = None):
        """Return ws [N, k, W] after so many steps towards targets. shaken: noise helps it out of dead ends. k > 1: layers stay near each other.

        noise: {layer: maps [N, H, W']} that are brought there as well: they are written to.
        """
        source, noise = torch.Generator().manual_seed(self.seed), noise or {}
        ws, leaves = ws.detach().clone().requires_grad_(True), {layer: maps.requires_grad_(True) for layer, maps in noise.items()}
        optimiser = torch.optim.Adam([ws, *leaves.values()], betas=(0.9, 0.999))
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = rate(step, steps)
            amount = find_noise(step, steps) if shaken else 0.0
            moved = torch.randn(ws.shape[0], 1, ws.shape[2], generator=source).to(ws.device) * self.sigma * amount * ws.shape[2] ** 0.5
            loss = self.loss(self.draw(ws + moved, leaves), targets).sum() + self.measure_strain(ws, leaves)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            for maps in leaves.values():
                renormalise(maps)
            if progress:
                progress({"stage": "w" if ws.shape[1] == 1 else "w+", "done": step + 1, "of": steps})
        for maps in leaves.values():
            maps.requires_grad_(False)
        return ws.detach()

    def measure_strain(self, ws, noise):
        """Return what it costs that layers go apart, that neighbouring numbers of noise maps agree, and to be where few seeds are."""
        cost = REGULARISED * sum((find_noise_correlation(maps).sum() for maps in noise.values()), torch.zeros((), device=ws.device))
        if self._usual is not None:
            mean, precision = self._usual
            off = undo_activation(ws) - mean
            cost = cost + self.keep_close * ((off @ precision) * off).mean((1, 2)).sum()
        if ws.shape[1] > 1:
            cost = cost + SPREAD * ((ws - ws.mean(1, keepdim=True)) / self.sigma).square().mean((1, 2)).sum()
        return cost

    def project(self, pictures, steps: int = STEPS, space: str = "w", progress: Callable | None = None, noise: bool = False) -> Projected:
        """Return what comes nearest to pictures [N, 3, H, W'] in -1..1, each by itself. noise: noise maps of its own as well."""
        if space not in SPACES:
            raise UserError(f"space {space!r}: expected one of {', '.join(SPACES)}")
        targets = self.prepare(pictures)
        start = self.find_start(targets)
        maps = self.begin_noise(len(targets)) if noise else {}
        ws = self.refine(start, targets, steps, progress=progress, noise=maps)
        if space == "w+":
            ws = self.refine(ws.expand(-1, self.generator.num_ws, -1), targets, steps, shaken=False, rate=_fall, progress=progress, noise=maps)
        return self.describe(ws, start, targets, maps)

    @torch.no_grad()
    def describe(self, ws, start, targets, noise: dict | None = None) -> Projected:
        """Return what was found, with its pictures and figures."""
        shown, maps = self.draw(ws, noise).clamp(-1, 1), {layer: one.cpu() for layer, one in (noise or {}).items()}
        psnr = tuple(measure_psnr(shown, targets).tolist())
        return Projected(ws.cpu(), self.draw(start).clamp(-1, 1).cpu(), shown.cpu(), targets.cpu(), psnr, maps)


def undo_activation(w):
    """Return what w [..., W] was before the mapping network's last leaky ReLU: numbers that are spread normally."""
    v = w / GAIN
    return torch.where(v < 0, v / SLOPE, v)


def _find_usual(generator, seed):
    """Return (the mean [W], the inverse covariance [W, W]) of all seeds before the last leaky ReLU."""
    v = to_double(undo_activation(sample_w(generator, STATISTICS, seed)[1])).cpu()
    off = v - v.mean(0)
    covariance = off.T @ off / len(v)
    covariance.diagonal().add_(1e-3 * covariance.diagonal().mean())
    return v.mean(0).float().to(generator.device), torch.linalg.inv(covariance).float().to(generator.device)


def join_projected(parts) -> Projected:
    """Return several as one, in order; all of the same space."""
    together = lambda name: torch.cat([getattr(part, name) for part in parts])
    return Projected(together("ws"), together("start"), together("shown"), together("target"), sum((part.psnr for part in parts), ()))


def project(generator, picture, steps: int = STEPS, seed: int = 0, space: str = "w", size: int = SIZE, loss: str | FeatureLoss = "pyramid", look=None):
    """Return the ws [1, num_ws, W] by which a generator comes nearest to a picture [3, S, S] in -1..1. See Projector."""
    found = Projector(generator, size, loss, seed, look).project(picture[None], steps, space)
    return found.ws.expand(-1, generator.num_ws, -1).contiguous()


def project_all(projector: Projector, pictures: Iterable, steps: int = STEPS, space: str = "w", progress: Callable | None = None) -> Iterator[Projected]:
    """Yield what comes nearest to each of pictures [3, H, W'], one by one."""
    for picture in pictures:
        yield projector.project(picture[None], steps, space, progress)


def _fall(step: int, steps: int) -> float:
    return 0.5 * find_rate(step, steps)
