"""Solve a request: statistics, directions, goals, a solver, and out comes an Edit. The generator is left as it was."""
from dataclasses import asdict, dataclass, fields, replace

import torch

from engine.checkpoints.native import generator_hash
from engine.errors import UserError
from engine.rewriting.directions import METHODS, context_keys, directions, energies
from engine.rewriting.edit import Edit
from engine.rewriting.paste import Place, goals, make_erased
from engine.rewriting.repaint import repaint
from engine.rewriting.request import Request
from engine.rewriting.request_file import to_plain
from engine.rewriting.restyle import parse_colour, restyle
from engine.rewriting.solvers import Task, solver_named
from engine.rewriting.statistics import default_folder, statistics


@dataclass(frozen=True)
class Settings:
    """How to solve.

    truncation: psi of the pictures the masks were painted on, and of the statistics. samples: pictures in the statistics.
    method: how directions are found (directions.METHODS). single: only that context, counted from 0. erase: so many units
    of the keys are silenced instead of an object pasted. published: crops as the published tool made them. around: key cells
    about a paste that are to stay as they are. restraint: how dear a change elsewhere is. polish: steps of descent after the closed
    form of `instant` and `style`; None = as many as the solver finds right. gain: times the values found, since a
    restrained rule falls short of its goal. steps, rate, every, patience: of Adam; every `every` steps it is projected,
    after `patience` projections without progress it ends.
    """
    truncation: float = 0.5
    samples: int = 1000
    method: str = "zca"
    single: int = -1
    erase: int = 0
    published: bool = False
    around: int = 0
    restraint: float = 1.0
    polish: int | None = None
    gain: float = 1.0
    steps: int = 2001
    rate: float = 0.05
    every: int = 10
    patience: int = 2001
    colour: str = ""

    def __post_init__(self):
        least = {"samples": 1, "steps": 1, "every": 1, "patience": 1}
        for name in ("samples", "single", "erase", "around", "polish", "steps", "every", "patience"):
            value, low = getattr(self, name), least.get(name, -1 if name == "single" else 0)
            if name == "polish" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise UserError(f"{name} {value!r}: expected a whole number, {low} or more")
        for name in ("truncation", "restraint", "rate", "gain"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e9:
                raise UserError(f"{name} {value!r}: expected a number")
        if self.restraint < 0 or self.rate <= 0:
            raise UserError(f"restraint {self.restraint}, rate {self.rate}: expected 0 or more, and more than 0")
        if self.colour:
            parse_colour(self.colour)
        if self.method not in METHODS:
            raise UserError(f"method {self.method!r}: expected {', '.join(METHODS)}")


STYLE = "style"                     # the solver that changes styles instead of a layer's weight
PICTURE = "picture"                 # the solver that changes several layers
NOTED = 64                          # marks of a kind that an edit's recipe keeps
STATED = ("layer", "rank", "solver", "instrument")              # what else a request's settings may say


def make_settings(given: dict) -> Settings:
    """Return Settings with these values. UserError: a name that does not exist."""
    known = {field.name for field in fields(Settings)}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UserError(f"unknown setting {unknown[0]!r}: expected {', '.join(sorted(known))}")
    return Settings(**given)


def solve(generator, request: Request, layer: str | None = None, rank: int | None = None, solver: str | None = None, *,
          name: str = "edit", progress=None, **settings) -> Edit:
    """Return the edit that does what the request says, at strength 1. Nothing of the generator changes.

    layer, rank, solver and settings, which are fields of Settings: default, the request's own; else rank 1, instant.
    cache, among the settings: the folder of statistics (None = keep none).
    progress: called with {stage, done, of, ...}. UserError: a request, layer, rank or setting that can't be.
    """
    cache = settings.pop("cache", default_folder())
    stated = request.settings
    layer = layer or stated.get("layer")
    asked = stated.get("rank") if rank is None else rank
    rank = 1 if asked is None else asked
    chosen = make_settings({name: value for name, value in stated.items() if name not in STATED} | settings)
    solver = _choose_solver(solver or stated.get("solver"), request, chosen)
    if solver == STYLE:
        return _restyle(generator, request, rank, chosen, name, progress)
    if solver == PICTURE:
        return _repaint(generator, request, layer, asked, chosen, name, progress)
    if chosen.colour:
        raise UserError(f"solver {solver}: a colour is reached by the solvers {STYLE} and {PICTURE} only")
    if not layer:
        raise UserError("the request doesn't say which layer to rewrite: give one of " + ", ".join(generator.layers))
    generator.layer(layer)
    method = solver_named(solver)
    with torch.no_grad():
        known = statistics(generator, layer, chosen.samples, chosen.truncation, cache, progress)
        keys, weights = context_keys(generator, layer, request.keys(chosen.single), chosen.truncation)
        found = directions(keys, weights, known, rank, chosen.method)
        wanted = _goals(generator, layer, request, chosen, energies(keys, weights, known)) if method.goals else ()
        if method.full:
            found = torch.eye(keys.shape[1], device=keys.device)
        weight = generator.weights(layer).detach().clone()
        task = Task(weight, found, tuple(wanted), known, chosen, progress)
        values = method.solve(task) * chosen.gain
        loss = {"before": float(task.loss(weight)), "after": float(task.loss(weight + task.delta(values)))} if wanted else {}
    if not values.isfinite().all():
        raise UserError(f"solver {solver}: it found no finite values; try another layer, a lower rate or other masks")
    recipe = {"solver": solver, "layer": layer, "rank": rank, "settings": asdict(chosen), "loss": loss, **_note(request)}
    return Edit(name, layer, found, values, recipe, generator_hash(generator))


def _choose_solver(asked: str | None, request, settings) -> str:
    """Return the solver's name: the one asked for, else what fits the request. UserError: it can't do what is asked."""
    drawn = any(mark.drawing is not None for mark in request.objects)
    solver = asked or (STYLE if settings.colour else PICTURE if drawn else "instant")
    if drawn and solver != PICTURE:
        raise UserError(f"solver {solver}: a drawing is no picture of the network's, and only the solver {PICTURE} learns to draw it")
    return solver


def _restyle(generator, request, rank, settings, name, progress) -> Edit:
    """Return the edit that changes styles and no layer's weight."""
    style = restyle(generator, request, rank, settings.truncation, settings, progress)
    layer = generator.layers[0]
    outputs, inputs, *kernel = generator.weights(layer).shape
    recipe = {"solver": STYLE, "layer": layer, "rank": style.rank, "settings": asdict(settings), "loss": {}, **_note(request)}
    return Edit(name, layer, torch.zeros(1, inputs), torch.zeros(1, outputs, *kernel), recipe, generator_hash(generator), style)


def _repaint(generator, request, layer, rank, settings, name, progress) -> Edit:
    """Return the edit that changes several layers, found by descent through the picture."""
    colour = parse_colour(settings.colour) if settings.colour else None
    first, *more = repaint(generator, request, layer, rank, settings, colour, progress)
    recipe = {"solver": PICTURE, "layer": first.layer, "rank": len(first.directions), "settings": asdict(settings), "loss": {},
              **_note(request)}
    return Edit(name, first.layer, first.directions, first.values, recipe, generator_hash(generator), more=tuple(more))


def _note(request) -> dict:
    """Return what a recipe holds of a request: at most NOTED marks of a kind, so that the file stays small, and how many there were."""
    few = replace(request, objects=request.objects[:NOTED], pastes=request.pastes[:NOTED], contexts=request.contexts[:NOTED])
    marked = max(len(request.pastes), len(request.contexts))
    return {"request": to_plain(few)} | ({"marked": marked} if marked > NOTED else {})


def _goals(generator, layer, request, settings, energy):
    place = Place(settings.truncation, settings.published, settings.around)
    if not settings.erase:
        return goals(generator, layer, request, place)
    if settings.erase > len(energy):
        raise UserError(f"erase {settings.erase}: the layer is given {len(energy)} channels")
    marks = request.pastes or request.keys(settings.single)[:1]
    return make_erased(generator, layer, marks, energy.topk(settings.erase).indices, place)
