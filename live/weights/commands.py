"""Commands of weight presets and edits. Each returns what the loop shall apply."""
import logging

from engine.errors import UserError
from live.files.names import check_name
from live.show.commands import command, to_number
from live.weights.weights import Weights

log = logging.getLogger(__name__)


def find_weights(show) -> Weights:
    """Return what brings edits into a show. UserError: it was started without."""
    if show.weights is None:
        raise UserError("this show has no folder of edits")
    return show.weights


@command("/weights/recall")
def recall(show, name, seconds=None):
    """Go to a weight preset by name or number, fading over so many seconds (else its own, else /weights/seconds)."""
    weights, seconds = find_weights(show), None if seconds is None else to_number(seconds, "seconds")
    preset = weights.presets.find(name)
    return show.quantiser.schedule(lambda: weights.recall(preset.name, seconds), "weights")


@command("/weights/next")
def next_weights(show, on=None):
    """Go to the weight preset after the last one recalled; after the last comes the first."""
    return _step_presets(show, 1)


@command("/weights/previous")
def previous_weights(show, on=None):
    """Go to the weight preset before the last one recalled."""
    return _step_presets(show, -1)


def _step_presets(show, by):
    weights = find_weights(show)
    names = weights.presets.list_names()
    if not names:
        raise UserError("there are no weight presets yet; /weights/store NAME makes one")
    at = names.index(weights.current) if weights.current in names else (-1 if by > 0 else len(names))
    name = names[(at + by) % len(names)]
    return show.quantiser.schedule(lambda: weights.recall(name), "weights")


@command("/weights/clear")
def clear(show, seconds=None):
    """Back to the instrument's own weights over so many seconds (else /weights/seconds): every edit and checkpoint at 0."""
    weights = find_weights(show)
    seconds = None if seconds in (1, None) else to_number(seconds, "seconds")                       # 1: a button's press
    return show.quantiser.schedule(lambda: weights.clear(seconds), "weights")


@command("/weights/store")
def store(show, name=None):
    """Keep the strengths and amounts that are playing as a weight preset."""
    weights = find_weights(show)
    names = weights.presets.list_names()
    if name in (None, True, 1, 1.0):
        name = next(f"weights {n:03d}" for n in range(1, 10000) if f"weights {n:03d}" not in names)
    elif isinstance(name, (int, float)):
        name = weights.presets.find(name).name
    weights.store(check_name(name))


@command("/weights/delete", guarded=True)
def delete(show, name):
    """Take a weight preset away; undo brings it back."""
    find_weights(show).delete(name)


@command("/weights/report")
def report(show, on=None):
    """Log which edits, checkpoints and weight presets there are, and why others are left out."""
    found = find_weights(show).report()
    for kind in ("edits", "checkpoints", "presets"):
        log.info("%s: %s", kind, ", ".join(found[kind]) or "none")
    for address, reason in found["left_out"].items():
        log.info("%s is left out: %s", address, reason)


@command("/edits/reload")
def reload(show, on=None):
    """Look at the instrument's edits and weights.yaml again: what is new joins the show, what is gone stays until its end."""
    find_weights(show).reload()
