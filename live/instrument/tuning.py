"""Tunings on the disk: an edit for each kept latent that was tuned, and what one that was stopped goes on from.

Slow; for commands, never for the show, which only plays the edits.
"""
import json
from dataclasses import asdict
from pathlib import Path

from engine.errors import UserError

FORMAT = "latent-jockey tuning"
PARTIAL = ".tuning"                  # what the name of one under way ends in


def tune_kept(projector, kept, target, path, pace, tell=None):
    """Return (the edit in a file, whether it was made now) that brings a network from a kept latent to a picture; written, unless it is there already.

    projector: engine.projection.find.Projector. kept: engine.kept.Kept. target: the picture [1, 3, S, S'], as the projector prepares it. path:
    edits/NAME.safetensors. pace: engine.projection.tune.Pace. tell(event): of each step.
    """
    from engine import rewriting
    from engine.projection.tune import Tuning

    path = Path(path)
    recipe = _make_recipe(projector, kept, target, pace)
    if (made := _read_edit(path)) is not None and {key: made.recipe.get(key) for key in recipe} == recipe:
        return made, False
    if made is not None and made.recipe.get("made") != "tuned":
        raise UserError(f"{path}: an edit of that name is there, and it is no tuning; give the latent another name with --name")
    tuning = Tuning(projector, kept.ws[:1], target, pace, {layer: maps[:1] for layer, maps in kept.noise.items()})
    partial = path.with_name(f".{path.stem}{PARTIAL}")
    _load_partial(partial, tuning, recipe)
    (first, *more) = tuning.go_on(lambda: _save_partial(partial, tuning, recipe), tell)
    edit = rewriting.Edit(path.stem, first.layer, first.directions, first.values, recipe, kept.generator, more=tuple(more))
    rewriting.save(path, edit)
    partial.unlink(missing_ok=True)
    return edit, True


def _make_recipe(projector, kept, target, pace) -> dict:
    """Return what a tuning is made of, as plain data: the same for the same result."""
    from engine.tensor_files import digest

    parts = {"ws": kept.ws, "target": target.cpu().contiguous()} | {f"noise/{layer}": maps for layer, maps in kept.noise.items()}
    about = {"made": "tuned", "source": str(kept.recipe.get("source", "")), "latent": digest(parts), "size": projector.size, "loss": projector.loss_name}
    return about | asdict(pace)


def _read_edit(path):
    from engine import rewriting

    if not path.exists():
        return None
    try:
        return rewriting.load(path)
    except UserError:
        return None


def _save_partial(path, tuning, recipe):
    from engine.tensor_files import write_tensors

    write_tensors(path, tuning.state(), {"format": FORMAT, "recipe": json.dumps(recipe)}, make_folder=True)


def _load_partial(path, tuning, recipe):
    """Go on from what is there of the same tuning."""
    from engine.tensor_files import read_table, read_tensors

    if not path.exists():
        return
    try:
        header, state = read_tensors(path, "it begins anew")
        if read_table(header, "recipe") == recipe:
            tuning.load_state(state)
    except (UserError, ValueError):                  # damaged: it begins anew
        return
