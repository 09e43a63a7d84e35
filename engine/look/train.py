"""Training a look on from where it was solved: by the pictures themselves, and with a w of its own for each group of layers. Source: SPEC2.md P.5.

The trunk that sees stays as it is; what learns is the matrix that was solved for, and what the middle and the fine layers have besides.
Letters: N seeds, F features, n = num_ws, W = w_dim.
"""
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from engine.directions.measured import choose_samples
from engine.directions.statistics import measure_spread, sample_w
from engine.encoder import augment
from engine.look.network import Look, list_groups
from engine.motion import GROUPS, SPANS
from engine.projection.losses import find_pyramid, measure_psnr

STEPS, SAMPLES, BATCH, HELD = 1500, 3000, 16, 32         # HELD: pictures that it never learns from
RATE = 0.08                          # of Adam, over the number of features: each adds to w
WARM, BY_W = 0.05, 0.3               # of the steps: until the rate is full; by w alone, before the pictures count as well
PICTURES, APART = 2.0, 2e-4          # what the pictures' distance counts to that of w, and groups that go apart, in deviations
STATISTICS = 10_000
UNSEEN = 2_000_000                   # seed of what is held back


@dataclass(frozen=True)
class Examples:
    """features [N, F] as the matrix takes them, ws [N, n, W], pictures [N, 3, H, W'] in -1..1."""
    features: torch.Tensor
    ws: torch.Tensor
    pictures: torch.Tensor


def train(generator, look: Look, steps: int = STEPS, samples: int = SAMPLES, seed: int = 0, progress: Callable[[dict], None] | None = None) -> Look:
    """Return the look after so many steps; it may have been trained before, and goes on from there."""
    tell = progress or (lambda event: None)
    count, size = choose_samples(generator, samples)
    examples = draw_examples(generator, look, count, size, seed + 1, True, tell)
    sigma = measure_spread(generator, STATISTICS, seed).sigma.float().to(generator.device)
    offsets = torch.zeros(len(GROUPS) - 1, *look.matrix.shape, device=look.matrix.device) if look.offsets is None else look.offsets
    matrix, w_mean, offsets = leaves = [start.clone().requires_grad_(True) for start in (look.matrix, look.w_mean, offsets)]
    learning = replace(look, matrix=matrix, w_mean=w_mean, offsets=offsets, num_ws=generator.num_ws)
    adam, source = torch.optim.Adam(leaves), torch.Generator().manual_seed(seed)
    for step in range(steps):
        t = step / steps
        adam.param_groups[0]["lr"] = RATE / look.matrix.shape[0] * min(1.0, (t + 1 / steps) / WARM) * (1 - t)
        rows = torch.randint(0, count, (BATCH,), generator=source)
        loss = _measure(generator, learning, examples, rows, sigma, size, t > BY_W)
        adam.zero_grad()
        loss.backward()
        adam.step()
        tell({"stage": "training", "done": step + 1, "of": steps, "loss": float(loss.detach())})
    return replace(learning, matrix=matrix.detach(), w_mean=w_mean.detach(), offsets=offsets.detach())


def _measure(generator, look, examples, rows, sigma, size, by_pictures):
    """Return the loss of a step: of w; of the pictures, once they count; and of groups that go apart."""
    ws = look.tell(examples.features[rows])
    loss = ((ws - examples.ws[rows]) / sigma).square().mean()
    if by_pictures:
        loss = loss + PICTURES * find_pyramid(generator.synthesize(ws, size=size), examples.pictures[rows]).mean()
    first = [SPANS[group][0] for group in GROUPS[1:] if SPANS[group][0] < ws.shape[1]]
    return loss + APART * ((ws[:, first] - ws[:, :1]) / sigma).norm(dim=2).sum(1).mean()


@torch.no_grad()
def draw_examples(generator, look, count: int, size: int, seed: int, varied: bool, tell=lambda event: None) -> Examples:
    """Return pictures of seeds and what the look knows of them. varied: half have other seeds' finer layers, and a quarter are spoilt as cameras spoil them."""
    source = torch.Generator().manual_seed(seed)
    w = sample_w(generator, count, seed + 3_000_000)[1]
    ws = w[:, None].repeat(1, generator.num_ws, 1)
    if varied:
        groups = torch.tensor(list_groups(generator.num_ws), device=ws.device)
        cut = torch.randint(1, 2 * len(GROUPS) - 1, (count,), generator=source).to(ws.device)          # from this group on; half are not cut at all
        ws = torch.where((groups >= cut[:, None])[:, :, None], w.roll(1, 0)[:, None], ws)
    features, pictures = [], []
    for at in range(0, count, BATCH):
        drawn = generator.synthesize(ws[at:at + BATCH], size=size).clamp(-1, 1)
        spoilt = len(drawn) // 4 if varied else 0
        seen = torch.cat([augment.camera(drawn[:spoilt].cpu(), 1.0, source).to(drawn), drawn[spoilt:]]) if spoilt else drawn
        features.append(look.find_standard(seen))
        pictures.append(drawn)
        tell({"stage": "pictures", "done": min(at + BATCH, count), "of": count})
    return Examples(torch.cat(features), ws, torch.cat(pictures))


@torch.no_grad()
def measure(generator, look: Look) -> float:
    """Return the median PSNR in dB of what the look finds, over pictures of seeds that no training sees."""
    size = choose_samples(generator, HELD)[1]
    held = draw_examples(generator, look, HELD, size, UNSEEN, False)
    found = [generator.synthesize(look.tell(some).expand(-1, generator.num_ws, -1), size=size) for some in held.features.split(BATCH)]
    return float(measure_psnr(torch.cat(found), held.pictures).median())
