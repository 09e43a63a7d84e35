"""A show in processes: what each of them is started with. The show itself is handed in as the function that plays it."""
import argparse
import contextlib
import glob
import inspect
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.errors import UserError
from live.outputs import OUTPUTS
from live.outputs.service import is_apart
from live.outputs.spec import OutputSpec
from live.processes.child import prepare_child
from live.processes.output import run_output
from live.processes.renderer import Shared
from live.processes.supervisor import USER_ERROR, Supervisor
from live.show import journal
from live.show.clock import now

LEAST = 0.1                         # seconds that a show which is nearly over is still played


def run(options: argparse.Namespace, specs, play) -> int:
    """Play a show in processes until it is over; returns its exit status.

    play(options, specs, shared) -> exit status: plays in one process, with `shared` for the outputs of the others.
    """
    with contextlib.ExitStack() as closing:
        closing.callback(journal.start(options.verbose))
        apart = [spec for spec in specs if is_apart(spec)]
        return Supervisor(partial(draw, play, specs), Attempts(options), run_output, apart).run()


def draw(play, specs, options, sending, link):
    """The renderer's process, from its start to its exit."""
    prepare_child()
    if getattr(options, "attempt", 0):
        specs = [continued(spec) for spec in specs]
    shared = Shared(link, sending, [spec for spec in specs if is_apart(spec)])
    try:
        status = play(options, specs, shared)
    except UserError as error:
        sys.stderr.write(f"run_live.py: {error}\n")
        status = USER_ERROR
    sys.exit(status)


class Attempts:
    """The options that each start of a renderer has."""

    def __init__(self, options: argparse.Namespace):
        self.options, self.begun = options, now()
        self._bases: dict[str, str] = {}                 # of a file that goes on where another ended: what the first one was called

    def __call__(self, attempt: int, safe: bool, recorded: dict | None) -> argparse.Namespace:
        """Return the flags for the first start; later such that it goes on where it was, or begins anew if safe.

        recorded: {"take": path, "video": path} as the last renderer had them, None where it has said nothing yet. They go on
        in other files: NAME-002, NAME-003, ...
        """
        if not attempt:
            return self.options
        again = argparse.Namespace(**vars(self.options), attempt=attempt, video=None)
        again.no_browser = True                          # whoever closed the page meant it
        again.resume = "if there is one" if not safe else False
        if safe:
            again.preset = again.bends = None
        if again.seconds:
            again.seconds = max(again.seconds - (now() - self.begun), LEAST)
        for kind, path in ({"take": again.take} if recorded is None else recorded).items():
            setattr(again, kind, self._part(path) if path else None)
        return again

    def _part(self, path: str) -> str:
        base = self._bases.get(path, path)
        part = str(free_part(Path(base)))
        self._bases[part] = base
        return part


def continued(spec: OutputSpec) -> OutputSpec:
    """Return an output that goes on beside what it wrote before: one that wants a new file or folder gets NAME-002, NAME-003, ..."""
    kind = OUTPUTS[spec.kind]
    if not getattr(kind, "fresh", False):
        return spec
    target = spec.target or inspect.signature(kind).parameters["target"].default
    return replace(spec, target=str(free_part(Path(target))))


def free_part(path: Path) -> Path:
    """Return the path, or where there is something of its name, with whatever suffix: NAME-002, NAME-003, ..."""
    names = {path.stem} | {f"{path.stem}-{number:03d}" for number in range(2, 1000)}
    taken = {there.stem for there in path.parent.glob(f"{glob.escape(path.stem)}*")}
    return path.with_name(min(names - taken, key=lambda name: (len(name), name)) + path.suffix)
