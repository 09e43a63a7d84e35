"""Ways to find the values of an edit, one a file: `solve(task) -> values [r, O, 3, 3]`, and `ABOUT`, a sentence.

They see goals and directions, neither requests nor files. A solver that needs no goals says so: GOALS = False.
"""
import importlib
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.errors import UserError

NAMES = tuple(path.stem for path in sorted(Path(__file__).parent.glob("[a-z]*.py")))


@dataclass(frozen=True, eq=False)
class Task:
    """weight [O, I, 3, 3] as it is, directions D [r, I], goals (paste.Goal), statistics, settings (solve.Settings)."""
    weight: torch.Tensor
    directions: torch.Tensor
    goals: tuple
    statistics: object
    settings: object
    progress: object = None

    def loss(self, weight):
        """Mean over the goals."""
        return sum(goal.loss(weight) for goal in self.goals) / len(self.goals)

    def delta(self, values):
        """values [r, O, 3, 3] -> what they add to the weight."""
        return torch.einsum("roxy,ri->oixy", values, self.directions)

    def report(self, step, steps, loss):
        if self.progress is not None:
            self.progress({"stage": "solving", "done": step, "of": steps, "loss": loss})


def solver(name: str):
    """The module of that name. UserError listing them if there is none."""
    if name not in NAMES:
        raise UserError(f"solver {name!r}: expected {', '.join(NAMES)}")
    return importlib.import_module(f"engine.rewriting.solvers.{name}")
