"""Train a reader on drawn people. Seeded and resumable: what a step sees depends on the seed and the step's number only.

Writes into its folder, prints nothing: a caller's `progress(figures)` hears of every look. Letters: N people.
"""
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch.nn import functional as F

from engine.reader.network import FACTORS_READ, POSE, REACH, SIZE, SPREAD, Glance, Reader, to_numbers
from engine.training import append_row, make_folder, read_checkpoint, write_checkpoint
from engine.world import MASKS
from engine.world.latent import Z_DIM
from engine.world.masks.people import COLUMNS, Pose, nobody, people

KINDS = ("far", "near", "far_average", "near_average", "far_optimiser", "near_optimiser")
UNSEEN = 900_000_001                # seeds of what nothing is learned from
EMPTY = 8                           # of so many pictures one has nobody in it


@dataclass(frozen=True)
class Recipe:
    """Steps in all; of so many steps one is the far glance's; pictures a step; the rate of Adam; the running average's memory."""
    steps: int = 8000
    far: int = 4
    batch: int = 48
    rate: float = 2e-3
    memory: float = 0.995
    every: int = 200


@dataclass(frozen=True)
class Lesson:
    """Windows [N, 3, SIZE, SIZE]; pose as a glance sees it [N, 4]; 1 where somebody is there [N]; u [N, F]."""
    seen: torch.Tensor
    pose: torch.Tensor
    there: torch.Tensor
    factors: torch.Tensor

    def to(self, device) -> "Lesson":
        """Return the lesson on a device."""
        return Lesson(*(getattr(self, field.name).to(device) for field in fields(self)))


def make_lesson(kind: str, count: int, source, strength: float = 1.0) -> Lesson:
    """Return people as the far or the near glance may see them."""
    empty = count // EMPTY
    u = MASKS.uniform(torch.randn(count - empty, Z_DIM, generator=source))
    pose, window = place_windows(kind, len(u), source)
    seen = people(u, in_window(pose, window), SIZE, source, strength)
    numbers = to_numbers(pose, window)
    there = torch.cat([torch.ones(len(u)), torch.zeros(empty)])
    return Lesson(torch.cat([seen, nobody(empty, SIZE, source, strength)]), torch.cat([numbers, torch.zeros(empty, len(POSE))]), there,
                  torch.cat([u[:, COLUMNS], torch.full((empty, len(COLUMNS)), 0.5)]))


def place_windows(kind: str, count: int, source) -> tuple[Pose, Pose]:
    """Return (where heads are, the windows they are looked at through): anywhere in the picture, or nearly where one looks."""
    def between(low, high):
        return low + (high - low) * torch.rand(count, generator=source)

    zero, one = torch.zeros(count), torch.ones(count)
    if kind == "far":
        size = torch.exp(between(-1.3, 0.35))
        room = (1.1 - 0.4 * size).clamp_min(0.15)
        return Pose(between(-1, 1) * room, between(-1, 1) * room, size, between(-0.5, 0.5)), Pose(zero, zero, one, zero)
    return (Pose(between(-0.14, 0.14), between(-0.14, 0.14), torch.exp(between(-0.22, 0.22)), between(-0.22, 0.22)),
            Pose(zero, zero, one * REACH, zero))


def in_window(pose: Pose, window: Pose) -> Pose:
    """Return the pose in a picture that shows only the window, which is upright."""
    return Pose((pose.right - window.right) / window.size, (pose.down - window.down) / window.size, pose.size / window.size, pose.tilt)


class Trainer:
    """A reader under way, and the files it keeps in its folder."""

    def __init__(self, folder, recipe: Recipe = Recipe(), seed: int = 1, device="cpu", start: Reader | None = None):
        """device: where the networks learn; people are drawn by the processor. start: whose weights to begin with, unless the folder has a run."""
        self.folder, self.recipe, self.seed, self.steps = Path(folder), recipe, seed, 0
        self.device = torch.device(device)
        make_folder(self.folder)
        torch.manual_seed(seed)
        self.reader = Reader().to(self.device)
        if start is not None:
            self.reader.load_state_dict(start.state_dict())
        self.averages = {kind: _copy_numbers(self.glance(kind)) for kind in ("far", "near")}
        self.optimisers = {kind: torch.optim.AdamW(self.glance(kind).parameters(), weight_decay=1e-3) for kind in ("far", "near")}
        self.running: dict[str, float] = {}
        if (self.folder / "checkpoint.safetensors").exists():
            self._resume()

    def glance(self, kind: str) -> Glance:
        """Return one of the reader's two networks."""
        return getattr(self.reader, kind)

    def train(self, progress=None) -> Reader:
        """Train to the recipe's last step; return the reader. progress(figures) -> True stops it."""
        while self.steps < self.recipe.steps:
            self.step()
            if self.steps % self.recipe.every == 0 or self.steps == self.recipe.steps:
                figures = {"step": self.steps, **self.running, **measure(self.make_average())}
                append_row(self.folder / "figures.csv", {name: round(value, 4) for name, value in figures.items()})
                self.save()
                if progress is not None and progress(figures):
                    break
        return self.make_average()

    def step(self):
        """Take one step of the glance whose turn it is."""
        kind = "far" if self.steps % self.recipe.far == 0 else "near"
        glance, optimiser = self.glance(kind), self.optimisers[kind]
        source = torch.Generator().manual_seed(self.seed * 10_000_019 + self.steps)
        found = make_lesson(kind, self.recipe.batch, source).to(self.device)
        glance.train()
        loss = measure_loss(kind, glance(found.seen), found)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(glance.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = self.recipe.rate * min(1.0, (self.steps + 1) / 200, max(0.02, 1.9 * (1 - self.steps / self.recipe.steps)))
        optimiser.step()
        glance.eval()
        keep = min(self.recipe.memory, (self.steps + 1) / (self.steps + 20))
        for name, tensor in _copy_numbers(glance).items():
            self.averages[kind][name].lerp_(tensor, 1 - keep)
        now = float(loss.detach())
        self.running[f"loss_{kind}"] = now + 0.98 * (self.running.get(f"loss_{kind}", now) - now)
        self.steps += 1

    def make_average(self) -> Reader:
        """Return a reader with the running averages of the weights."""
        reader = Reader()
        for kind, average in self.averages.items():
            getattr(reader, kind).load_state_dict(average, strict=False)
        return reader.requires_grad_(False).eval()

    def save(self):
        """Write checkpoint.safetensors."""
        kinds = {kind: _copy_numbers(self.glance(kind)) for kind in ("far", "near")}
        kinds |= {f"{kind}_average": average for kind, average in self.averages.items()}
        for kind, optimiser in self.optimisers.items():
            kinds[f"{kind}_optimiser"] = {f"{number}/{name}": value for number, state in optimiser.state_dict()["state"].items()
                                          for name, value in state.items()}
        write_checkpoint(self.folder / "checkpoint.safetensors", kinds, {"steps": self.steps, "running": self.running})

    def _resume(self):
        kinds, place = read_checkpoint(self.folder / "checkpoint.safetensors", KINDS)
        self.steps, self.running = place["steps"], place["running"]
        for kind, optimiser in self.optimisers.items():
            self.glance(kind).load_state_dict(kinds[kind], strict=False)
            self.averages[kind] = {name: value.to(self.device) for name, value in kinds[f"{kind}_average"].items()}
            state: dict[int, dict] = {}
            for key, value in kinds[f"{kind}_optimiser"].items():
                number, name = key.split("/")
                state.setdefault(int(number), {})[name] = value
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def measure_loss(kind: str, numbers, found: Lesson):
    """Return how wrong a glance's numbers [N, 5 + F] are: the pose counts most for the far one, the factors for the near one."""
    pose, factors = (1.0, 0.1) if kind == "far" else (0.3, 1.0)
    there = found.there[:, None]
    missed_pose = (F.smooth_l1_loss(numbers[:, :4], found.pose, reduction="none") * there).mean()
    missed = (F.smooth_l1_loss(numbers[:, 5:], (found.factors - 0.5) * SPREAD, reduction="none") * there).mean()
    return pose * missed_pose + factors * missed + 0.2 * F.binary_cross_entropy_with_logits(numbers[:, 4], found.there)


@torch.no_grad()
def measure(reader: Reader, count: int = 192) -> dict[str, float]:
    """Return figures on people nothing was learned from: the correlation of each factor and of the pose, and how often presence is right."""
    figures = {}
    for kind in ("far", "near"):
        found = make_lesson(kind, count, torch.Generator().manual_seed(UNSEEN))
        read = [(reader.far.read if kind == "far" else reader.read_twice)(part) for part in found.seen.split(48)]
        pose, there, factors = (torch.cat(values) for values in zip(*read))
        somebody = found.there > 0
        for name, value in zip(POSE, correlation(pose[somebody], found.pose[somebody])):
            figures[f"{kind}_{name}"] = float(value)
        figures[f"{kind}_there"] = float(((there > 0.5) == somebody).float().mean())
        if kind == "near":
            found_corr = correlation(factors[somebody], found.factors[somebody])
            figures |= {name: float(value) for name, value in zip(FACTORS_READ, found_corr)}
            figures["mean"] = float(found_corr.mean())
    return figures


def correlation(a, b):
    """Return the correlation of each column of a and b, [N, K] -> [K]."""
    a, b = a - a.mean(0), b - b.mean(0)
    return (a * b).sum(0) / (a.norm(dim=0) * b.norm(dim=0) + 1e-9)


def _copy_numbers(glance) -> dict[str, torch.Tensor]:
    """Return copies of all that a glance is made of but counts, by name."""
    return {name: value.detach().clone() for name, value in glance.state_dict().items() if value.is_floating_point()}
