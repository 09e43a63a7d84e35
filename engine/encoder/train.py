"""Train an encoder on pairs from its own generator. Seeded and resumable: what a step sees depends on its number only.

The loss looks at features, as published, and at the picture that the frozen layers above make of them. Writes files into
its folder, prints nothing: a caller's `progress(event)` hears of every figure. Under `torchrun` the same call trains with
several processes. Letters: N batch, O channels, h, w features.
"""
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional as F

from engine.encoder.measure import measure_held_out
from engine.encoder.network import Encoder
from engine.encoder.plan import Plan
from engine.encoder.together import agree, join, share
from engine.errors import UserError
from engine.training import append_row, read_checkpoint, write_checkpoint
from engine.world.losses import picture_loss
from engine.world.optimise import Optimiser

KINDS = ("weights", "average", "optimiser", "best")


@dataclass(frozen=True)
class Recipe:
    """rate: root mean square of a step, relative to the weights. memory: of the running average.

    features, pictures: what either loss counts. patience: looks at the held-out pictures without gain before it stops.
    every: steps between such looks. turning: Muon for convolutions; else all by Adam, with Keras's settings.
    """
    steps: int = 4000
    batch: int = 16
    rate: float = 0.015
    memory: float = 0.995
    features: float = 0.05
    pictures: float = 1.0
    patience: int = 15
    every: int = 100
    turning: bool = True
    decay: bool = True


# SPEC.md D.2: Adam at 1e-3, mean squared error of the features, nothing else; 15 "epochs" of 100 steps.
SEED_RECIPE = Recipe(steps=1500, rate=1e-3, memory=0.0, features=1.0, pictures=0.0, turning=False, decay=False, patience=15)


def train(folder, encoder: Encoder, pairs, recipe: Recipe = Recipe(), held=None, progress=None) -> Encoder:
    """Train (or go on training) in `folder`; returns the encoder that did best on the held-out pictures.

    encoder: to begin with. pairs.batch(count, number) -> Batch; held: the Batch nothing is learned from.
    progress({...figures, "step", "trainer"}) is called at every look at the held-out pictures; True ends the
    training (of one process; several end together by steps or patience).
    """
    with join() as (rank, count):
        Path(folder).mkdir(parents=True, exist_ok=True)
        trainer = Trainer(Path(folder), encoder, pairs, recipe, rank, count)
        trainer.resume()
        while trainer.steps < recipe.steps and trainer.waited < recipe.patience:
            figures = trainer.step()
            if trainer.steps % recipe.every and trainer.steps < recipe.steps:
                continue
            figures |= trainer.look(held) if held is not None else {}
            if wrong := next((name for name, value in figures.items() if not math.isfinite(value)), None):
                raise UserError(f"{folder}: at step {trainer.steps} the {wrong} is not a number any more; go on with a smaller rate "
                                "(what was saved before is whole)")
            if rank == 0:
                trainer.note(figures)
                trainer.save()
            if progress is not None and rank == 0 and progress({"trainer": trainer, **figures}):
                break
        return trainer.best_encoder()


class Trainer:
    """An encoder under way: its optimiser, how far it is, and the files it keeps in its folder."""

    def __init__(self, folder, encoder, pairs, recipe, rank=0, count=1):
        self.folder, self.encoder, self.pairs, self.recipe, self.rank, self.count = folder, encoder, pairs, recipe, rank, count
        encoder.requires_grad_(True).train()
        self.network = share(encoder, count)
        keras = {"turning": False, "betas": (0.9, 0.999), "epsilon": 1e-7}
        self.optimiser = Optimiser(dict(encoder.named_parameters()), self._scale, **({} if recipe.turning else keras))
        self.steps = self.waited = 0
        self.running, self.best, self.least = {}, {}, math.inf

    @property
    def device(self) -> torch.device:
        """Return where the encoder learns."""
        return next(self.encoder.parameters()).device

    def _scale(self, name):
        """Return a weight's own size; the live preset's keep the variance."""
        if not self.recipe.turning:
            return 1.0
        weight = self.optimiser.parameters[name]
        return 0.3 if weight.ndim == 1 else weight[0].numel() ** -0.5

    def step(self) -> dict:
        """Take one step; return running figures."""
        batch = self.pairs.batch(self.recipe.batch, self.steps * self.count + self.rank)
        features = self.network(batch.seen)
        loss, parts = losses(self.recipe, self.pairs, batch, features)
        loss.backward()
        rate = self.recipe.rate * min(1.0, (self.steps + 1) / 100, self._measure_left()) if self.recipe.decay else self.recipe.rate
        self.optimiser.step(rate, min(self.recipe.memory, (self.steps + 1) / (self.steps + 50)) if self.recipe.memory else 0.0)
        self.steps += 1
        for name, value in ({"loss": loss} | parts).items():
            value = float(value.detach())
            self.running[name] = value + 0.98 * (self.running.get(name, value) - value)
        return {"step": self.steps, "rate": rate, **self.running}

    def _measure_left(self):
        return max(0.03, 1.9 * (1 - self.steps / self.recipe.steps))

    def look(self, held) -> dict:
        """Return the errors on the held-out pictures; remember the best weights."""
        figures = measure_held_out(self.make_average(), self.pairs.generator, held, self.pairs.size)
        now = agree(figures["held_picture" if self.recipe.pictures else "held_features"], self.count)
        self.waited += 1
        if now < self.least:
            self.least, self.waited = now, 0
            self.best = {name: tensor.clone() for name, tensor in self._average().items()}
        return figures

    def _average(self):
        return {name: tensor.detach() for name, tensor in self.encoder.state_dict().items()} | self.optimiser.average

    def make_average(self) -> Encoder:
        """Return an encoder with the running average of the weights."""
        return self._make_encoder(self._average())

    def best_encoder(self) -> Encoder:
        """Return the encoder that did best on the held-out pictures; the average, if none was measured."""
        return self._make_encoder(self.best or self._average())

    def _make_encoder(self, state):
        encoder = Encoder(self.encoder.plan)
        encoder.load_state_dict(state)
        return encoder.to(self.device).requires_grad_(False)

    def note(self, figures):
        """Append a line to figures.csv."""
        append_row(self.folder / "figures.csv", {name: round(value, 6) for name, value in figures.items()})

    def save(self):
        """Write checkpoint.safetensors."""
        kinds = {"weights": self.encoder.state_dict(), "average": self.optimiser.average, "optimiser": self.optimiser.state, "best": self.best}
        place = {"steps": self.steps, "waited": self.waited, "running": self.running, "least": self.least, "plan": asdict(self.encoder.plan),
                 "turning": self.recipe.turning}
        write_checkpoint(self.folder / "checkpoint.safetensors", kinds, place)

    def resume(self):
        """Go on from checkpoint.safetensors if it is there."""
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            return
        kinds, place = read_checkpoint(path, KINDS)
        plan = Plan(**place["plan"] | {name: tuple(place["plan"][name]) for name in ("features", "size")})
        if plan != self.encoder.plan:
            raise UserError(f"{path}: the run there is for another encoder, {plan}; expected {self.encoder.plan}: choose another folder")
        if place.get("turning", self.recipe.turning) != self.recipe.turning:
            raise UserError(f"{path}: the run there follows {'the published recipe' if self.recipe.turning else 'ours, not the published recipe'}: "
                            "go on as it began, or choose another folder")
        self.encoder.load_state_dict(kinds["weights"])
        for kind in ("average", "optimiser", "best"):
            kinds[kind] = {name: tensor.to(self.device) for name, tensor in kinds[kind].items()}
        self.optimiser.average, self.optimiser.state, self.best = kinds["average"], kinds["optimiser"], kinds["best"]
        self.steps, self.waited, self.running, self.least = place["steps"], place["waited"], place["running"], place["least"]


def losses(recipe, pairs, batch, features):
    """Return (the loss that is minimised, its parts)."""
    unit = features.new_tensor(1.0) if not recipe.pictures else batch.features.square().mean()
    missed = (features - batch.features).square().mean((1, 2, 3)) / unit
    parts = {"features": (missed * batch.whole).sum() / batch.whole.sum().clamp_min(1)}
    total = recipe.features * parts["features"]
    if recipe.pictures:
        made = pairs.generator.synthesize(batch.ws, size=pairs.size, splice={pairs.plan.layer: features})
        parts["picture"] = (made - batch.target).abs().mean()
        total = total + recipe.pictures * picture_loss(halves(made), batch.target, torch.ones_like(made[:, :1]))
    return total, parts


def halves(pictures):
    """Return {side: the pictures at it}: as they are, and at a half and a quarter."""
    return {pictures.shape[3] // k: pictures if k == 1 else F.avg_pool2d(pictures, k) for k in (1, 2, 4)}


def take_weights(encoder: Encoder, start: Encoder) -> Encoder:
    """Return the encoder with the weights of another one of its shape to begin with, whatever generator that was for."""
    if replace(start.plan, generator="") != replace(encoder.plan, generator=""):
        raise UserError(f"an encoder to begin with: expected {encoder.plan}, got {start.plan}")
    encoder.load_state_dict(start.state_dict())
    return encoder
