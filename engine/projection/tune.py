"""Pivotal tuning: a small edit of several layers by which a network draws a picture at its latent, and all else as before.

Of each layer's weight a change of low rank is learnt, both factors of it; a term holds other seeds where they were. It is kept as an edit
(engine/rewriting/edit.py), so that one fader turns it: 0 is the network as it is, 1 the picture, above a caricature.
Letters: I, O channels in and out, r rank, n = num_ws, W = w_dim. Source: SPEC2.md P.7; Roich et al. 2021.
"""
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from engine.device import to_double
from engine.directions.statistics import sample_w
from engine.errors import UserError
from engine.projection.find import Projector
from engine.rewriting.edit import Rule
from engine.rewriting.memory import recall

RANK, STEPS, RATE, WARM = 8, 80, 0.2, 0.15               # rate: at its height, after so much of the steps; then it falls to 0
LAYERS = 7                           # the last so many up to the size that pictures are compared at
CLOSE, OTHERS = 0.5, 2               # what a change of other seeds costs; so many of them a step
SAVED = 20                           # steps between two that can be gone on from
SEED = 3_000_000                     # of the other seeds


@dataclass(frozen=True)
class Pace:
    """rank: of each layer's change. steps, seed. close: what a change of other seeds costs."""
    rank: int = RANK
    steps: int = STEPS
    seed: int = 0
    close: float = CLOSE

    def __post_init__(self):
        for name, low, high in (("rank", 1, 512), ("steps", 1, 100_000)):
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name} {getattr(self, name)}: expected {low} to {high}")


class Tuning:
    """A tuning under way. projector: whose network, size and loss. ws [1, n, W]; target [1, 3, S, S']; noise: {layer: [1, H, W']} of the latent.

    state() is what it has come to, as plain tensors; load_state() goes on from there, bit for bit as if it had not been stopped.
    """

    def __init__(self, projector: Projector, ws, target, pace: Pace, noise: dict | None = None):
        generator = projector.generator
        self.projector, self.pace, self.target = projector, pace, target.to(generator.device)
        self.ws = ws.to(generator.device).expand(-1, generator.num_ws, -1)
        self.noise = {layer: maps.to(generator.device) for layer, maps in (noise or {}).items()}
        names = [layer for layer in generator.layers if generator.architecture.resolution_of(layer) <= projector.size][-LAYERS:]
        with torch.no_grad():
            missing = (projector.draw(self.ws, self.noise).clamp(-1, 1) - self.target).abs().mean(1, keepdim=True)
        self.directions = {layer: _find_top_keys(generator, layer, self.ws, pace.rank, missing) for layer in names}
        self.values = {layer: torch.zeros(len(d), generator.channels(layer), 3, 3, device=d.device) for layer, d in self.directions.items()}
        self.step, self.adam = 0, torch.optim.Adam([leaf.requires_grad_(True) for leaf in self._list_leaves()], RATE)

    def _list_leaves(self):
        return [*self.directions.values(), *self.values.values()]

    def go_on(self, keep: Callable = lambda: None, progress: Callable | None = None) -> tuple[Rule, ...]:
        """Return the rules of what is learnt by the last step. keep(): called every SAVED steps."""
        while self.step < self.pace.steps:
            loss = self._measure()
            t = (self.step + 1) / self.pace.steps
            self.adam.param_groups[0]["lr"] = RATE * min(1.0, t / WARM) * (0.5 + 0.5 * math.cos(math.pi * t))
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
            self.step += 1
            if progress:
                progress({"stage": "tune", "done": self.step, "of": self.pace.steps})
            if self.step % SAVED == 0 and self.step < self.pace.steps:
                keep()
        return tuple(_make_rule(layer, self.directions[layer].detach(), self.values[layer].detach()) for layer in self.directions)

    def _measure(self):
        """Return the loss of a step: how far the picture is, and how far two other seeds have gone."""
        generator, draw = self.projector.generator, self.projector.draw
        w = sample_w(generator, OTHERS, (SEED + self.pace.seed * 7919 + self.step) % 2 ** 32)[1]
        others = w[:, None].expand(-1, generator.num_ws, -1)
        with torch.no_grad():
            before = draw(others)
        weights = {f"synthesis.{layer}.weight": generator.weights(layer) + torch.einsum("roxy,ri->oixy", self.values[layer], self.directions[layer])
                   for layer in self.directions}
        distance = self.projector.loss(draw(self.ws, self.noise, weights), self.target).sum()
        return distance + self.pace.close * (draw(others, changed=weights) - before).abs().mean()

    def state(self) -> dict[str, torch.Tensor]:
        """Return what it has come to: {name: tensor}."""
        found = {"step": torch.tensor(self.step)}
        for n, leaf in enumerate(self._list_leaves()):
            own = self.adam.state.get(leaf, {})
            found |= {f"{n}.value": leaf.detach().clone()} | {f"{n}.{name}": tensor.clone() for name, tensor in own.items()}
        return found

    def load_state(self, state: dict[str, torch.Tensor]):
        """Go on from a state(); UserError where it is of another tuning."""
        leaves = self._list_leaves()
        try:
            for n, leaf in enumerate(leaves):
                if state[f"{n}.value"].shape != leaf.shape:
                    raise KeyError(n)
                own = {name: state[f"{n}.{name}"].clone() for name in ("step", "exp_avg", "exp_avg_sq")}
                leaf.data.copy_(state[f"{n}.value"])
                self.adam.state[leaf] = {name: tensor if name == "step" else tensor.to(leaf.device) for name, tensor in own.items()}
            self.step = int(state["step"])
        except (KeyError, RuntimeError):
            raise UserError("it is of another tuning") from None


def _find_top_keys(generator, layer, ws, rank, missing):
    """Return the directions [r, I] that the keys of a picture have most of, orthonormal; by how much is missing [1, 1, H, W'] where they are."""
    keys = recall(generator, layer, ws).keys[0]                                  # [I, h, w']
    height, width = keys.shape[1:]
    keys = (keys * F.adaptive_avg_pool2d(missing, (height, width))[0]).flatten(1)
    left = torch.linalg.svd(to_double(keys), full_matrices=False).U
    return left[:, :rank].T.float().contiguous().to(generator.device)


def _make_rule(layer, directions, values) -> Rule:
    """Return the rule of a change, its directions orthonormal, its values as half-precision numbers have them."""
    q, r = torch.linalg.qr(to_double(directions.T))                             # [I, r], [r, r]
    turned = torch.einsum("kr,roxy->koxy", r, to_double(values))
    return Rule(layer, q.T.float().contiguous(), turned.half().float())
