"""What an encoder learns from: pictures the generator makes, with the features they were made by. Always the same for a seed.

`Own` are ours: full skip pictures, truncation as played, pictures by area, and the world's own drawings where there is
one. `SeedPairs` are the published recipe's (SPEC.md D.2). Letters: N batch, O channels, h, w features, S side, W = w_dim.
"""
import copy
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch.nn import functional as F

from engine.encoder import augment
from engine.encoder.network import resize
from engine.encoder.plan import Plan
from engine.errors import UserError
from engine.generator import Generator, truncate, upsample

PER_FEATURE = 4                         # pixels of the picture compared for one feature
FIRST_SKIP = 128                        # the published recipe's pictures leave out the toRGBs below


@dataclass(frozen=True)
class Batch:
    """seen: what the encoder is shown, [N, 3, H, W]. target: what it should look like, [N, 3, S, S'].

    features: the true ones [N, O, h, w]; whole [N]: 1 where they belong to what is seen, 0 where the picture was moved.
    ws: the looks that the target is to be met with, own: the ones the picture was made by; both [N, num_ws, W].
    """
    seen: torch.Tensor
    target: torch.Tensor
    features: torch.Tensor
    whole: torch.Tensor
    ws: torch.Tensor
    own: torch.Tensor

    def to(self, device) -> "Batch":
        """Return the batch on a device."""
        return Batch(*(getattr(self, part.name).to(device) for part in fields(self)))


@dataclass(frozen=True)
class Own:
    """generator and plan of the encoder; size: of targets (a resolution of the generator).

    psi: range of truncation of generated pictures. draw: z, size -> pictures, or None; drawn: the share of a batch that
    is drawn. strength: of augmentation. mean, own: the shares of looks that are the mean w, and the picture's own w;
    the others lie between.
    """
    generator: Generator
    plan: Plan
    size: int
    psi: tuple[float, float] = (0.5, 1.1)
    draw: Callable | None = None
    drawn: float = 0.75
    strength: float = 1.0
    mean: float = 0.6
    own: float = 0.2
    seed: int = 1

    @torch.no_grad()
    def batch(self, count, number) -> Batch:
        """Return the batch of that number."""
        source = torch.Generator().manual_seed(self.seed * 10_000_000 + number)
        generator = self.generator
        z = torch.randn(count, generator.z_dim, generator=source)
        drawn = round(count * self.drawn) if self.draw else 0
        low, high = self.psi
        psi = augment.spans(count, low, high, source).view(-1, 1, 1)
        psi[:drawn] = 1.0
        ws = generator.map(z, c=labels(generator, count, source))
        ws = generator.w_avg + psi * (ws - generator.w_avg)
        pictures = self._pictures(z[:drawn], ws[drawn:])
        features = generator.features(ws, [self.plan.layer])[self.plan.layer]
        moved = torch.rand(count, generator=source) < 0.5 * bool(self.strength)
        placed = augment.place(pictures, self.strength, source)
        pictures = torch.where(moved.view(-1, 1, 1, 1), placed, pictures)
        target = resize(pictures, generator.architecture.pixels(self.size))
        seen = augment.camera(resize(pictures, self.plan.size), self.strength, source) if self.strength else resize(pictures, self.plan.size)
        return Batch(seen, target, features, (~moved).float(), self._looks(ws, source), ws)

    def _pictures(self, z, ws):
        """Return pictures at the size that is needed, [N, 3, H, W]: those of z drawn by the world, those of ws by the generator."""
        side = self.side()
        parts = [self.draw(z, side)] if self.draw and len(z) else []
        parts += [self.generator.synthesize(some, size=side).clamp(-1, 1) for some in ws.split(4)]
        return torch.cat(parts)

    def side(self) -> int:
        """Return the smallest resolution of the generator that has enough pixels, or its largest."""
        a = self.generator.architecture
        wanted = max(self.plan.size + a.pixels(self.size))
        return next((r for r in a.resolutions if max(a.pixels(r)) >= wanted), a.resolution)

    def _looks(self, ws, source):
        kind, between = (torch.rand(len(ws), generator=source).view(-1, 1, 1) for _ in range(2))
        psi = torch.where(kind < self.mean, torch.zeros(()), torch.where(kind < self.mean + self.own, torch.ones(()), between))
        return self.generator.w_avg + psi * (ws - self.generator.w_avg)


@dataclass(frozen=True)
class SeedPairs:
    """The published recipe: no truncation, random noise, no toRGB below 128 px, max pooling, nothing done to the pictures."""
    generator: Generator
    plan: Plan
    size: int

    @torch.no_grad()
    def batch(self, count, number) -> Batch:
        """Return the batch of that number, of one long series of z."""
        z = draw_published_z(self.generator.z_dim, count, number)
        ws = self.generator.map(z, c=labels(self.generator, count, torch.Generator().manual_seed(number)))
        features, pictures = [], []
        for i, some in enumerate(ws.split(4)):
            noise = {"noise": "random", "noise_seed": number * count + i}
            features.append(self.generator.features(some, [self.plan.layer], **noise)[self.plan.layer])
            pictures.append(max_pooled(late_skip(self.generator.skips(some, **noise)), self.plan.size))
        seen = torch.cat(pictures)
        target = resize(seen, self.generator.architecture.pixels(self.size))
        return Batch(seen, target, torch.cat(features), torch.ones(count), truncate(ws, self.generator.w_avg, 0.0), ws)


@dataclass(frozen=True)
class Elsewhere:
    """Pairs for an encoder that learns on another device: made on the processor, which draws worlds and cameras, and moved."""
    made: Own | SeedPairs
    generator: Generator

    @property
    def plan(self) -> Plan:
        """Return the encoder's plan."""
        return self.made.plan

    @property
    def size(self) -> int:
        """Return the size of targets."""
        return self.made.size

    def batch(self, count, number) -> Batch:
        """Return the batch of that number, on the generator's device."""
        return self.made.batch(count, number).to(self.generator.device)


def elsewhere(pairs, device):
    """Return pairs for an encoder on a device; themselves on the processor."""
    if torch.device(device).type == "cpu":
        return pairs
    return Elsewhere(pairs, copy.deepcopy(pairs.generator).to(device))


def draw_published_z(z_dim, count, number):
    """Return rows number * count and on of numpy's RandomState(1), as the published recipe draws them."""
    source = np.random.RandomState(1)
    source.randn(number * count * z_dim)
    return torch.from_numpy(source.randn(count, z_dim)).float()


def late_skip(skips):
    """Return the last picture of {resolution: skip picture} without the part of the toRGBs below FIRST_SKIP."""
    last = max(skips)
    below = [r for r in skips if r < min(FIRST_SKIP, last)]
    picture = skips[max(below)] if below else torch.zeros_like(skips[last])
    while below and picture.shape[2] < skips[last].shape[2]:
        picture = upsample(picture)
    return skips[last] - picture


def max_pooled(pictures, size):
    """Return pictures halved by 2 x 2 max pooling until they are of a size; enlarged if they are smaller."""
    while pictures.shape[2] > size[0]:
        pictures = F.max_pool2d(pictures, 2)
    return resize(pictures, size)


def loss_size(generator, plan, wanted=None) -> int:
    """Return the resolution at which pictures are compared: the one asked for, or four times the layer's, or the generator's."""
    a = generator.architecture
    if wanted is not None and wanted not in a.resolutions:
        raise UserError(f"loss size {wanted}: expected one of {', '.join(map(str, a.resolutions))}")
    return wanted or min(a.resolution, PER_FEATURE * a.resolution_of(plan.layer))


def labels(generator, count, source):
    """Return random labels [N, c_dim] for a class-conditional network, else None."""
    if not generator.c_dim:
        return None
    return F.one_hot(torch.randint(generator.c_dim, (count,), generator=source), generator.c_dim).float()
