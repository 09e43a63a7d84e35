"""Ways to find the values of an edit. They see goals and directions, neither requests nor files.

A solver is a function `f(task) -> values [r, O, 3, 3]`. To add one, put a file in this folder; nothing else changes.
"""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from engine.errors import UserError
from engine.registry import load_all
from engine.rewriting.statistics import Statistics


@dataclass(frozen=True)
class Solver:
    """goals: it works towards goals; False where the directions alone decide. full: its edit has full rank, D the identity."""
    name: str
    solve: Callable                  # (Task) -> values [r, O, 3, 3]
    about: str
    goals: bool = True
    full: bool = False


SOLVERS: dict[str, Solver] = {}


def solver(about: str, *, goals: bool = True, full: bool = False):
    """Declare a solver: its name is the function's."""
    def declare(function):
        name = function.__name__
        if name in SOLVERS:
            raise ValueError(f"two solvers are called {name!r}")
        SOLVERS[name] = Solver(name, function, about, goals, full)
        return function
    return declare


def solver_named(name: str) -> Solver:
    """Return the solver of that name. UserError listing them if there is none."""
    if name not in SOLVERS:
        raise UserError(f"solver {name!r}: expected {', '.join(SOLVERS)}")
    return SOLVERS[name]


@dataclass(frozen=True, eq=False)
class Task:
    """weight [O, I, 3, 3] as it is, directions D [r, I], goals (paste.Goal), statistics, settings (solve.Settings)."""
    weight: torch.Tensor
    directions: torch.Tensor
    goals: tuple
    statistics: Statistics
    settings: Any
    progress: Callable | None = None

    def loss(self, weight):
        """Return the mean over the goals."""
        return sum(goal.loss(weight) for goal in self.goals) / len(self.goals)

    def delta(self, values):
        """Return the change of the weight that values [r, O, 3, 3] stand for."""
        return torch.einsum("roxy,ri->oixy", values, self.directions)

    def report(self, step, steps, loss):
        if self.progress is not None:
            self.progress({"stage": "solving", "done": step, "of": steps, "loss": loss})


load_all(__name__)
