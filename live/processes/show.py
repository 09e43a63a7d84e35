"""A show in processes: what each of them is started with. The show itself is handed in as the function that plays it."""
import argparse
import contextlib
import logging
import sys
from functools import partial
from pathlib import Path

from engine.errors import UserError
from live.files.paths import find_free_part
from live.outputs import OUTPUTS
from live.outputs.again import continue_output
from live.outputs.service import is_apart
from live.outputs.spec import OutputSpec
from live.processes.output import run_output
from live.processes.pairs import list_readers
from live.processes.renderer import Shared
from live.processes.supervisor import USER_ERROR, Supervisor
from live.processes.troubles import Troubles
from live.show import journal
from live.show.clock import now

LEAST = 0.1                         # seconds that a show which is nearly over is still played


def run(options: argparse.Namespace, specs, play, modules: tuple[str, ...] = ()) -> int:
    """Play a show in processes until it is over; returns its exit status.

    play(options, specs, shared) -> exit status: plays in one process, with `shared` for the outputs of the others. modules: what
    that takes to be imported; a second renderer stands by with them.
    """
    with contextlib.ExitStack() as closing:
        closing.callback(journal.start_log(options.verbose))
        supervisor = make_supervisor(Supervisor, options, specs, play, modules)
        if getattr(options, "unattended", False):
            supervisor.endless, supervisor.troubles = True, Troubles()
            logging.getLogger().addHandler(supervisor.troubles)
        return supervisor.run()


def make_supervisor(kind, options: argparse.Namespace, specs, play, modules: tuple[str, ...] = (), **more):
    """Return what watches the processes of a show: a Supervisor, or a kind of it. The rest as in run()."""
    apart = [spec for spec in specs if is_apart(spec)]
    return kind(partial(draw, play, specs), Attempts(options), run_output, apart, find_doubled(apart), () if options.no_standby else modules, **more)


def draw(play, specs, options, sending, link):
    """Run the renderer's process, from its start to its exit."""
    if getattr(options, "attempt", 0):
        specs = [continue_output(spec) for spec in specs]
    apart = [spec for spec in specs if is_apart(spec)]
    shared = Shared(link, sending, apart, [spec.name for spec in list_readers(apart, find_doubled(apart))])
    try:
        status = play(options, specs, shared)
    except UserError as error:
        sys.stderr.write(f"run_live.py: {error}\n")
        status = USER_ERROR
    sys.exit(status)


def find_doubled(specs: list[OutputSpec]) -> frozenset[str]:
    """Return the names of the outputs that have a second process, which stands in where the first one ends."""
    return frozenset(spec.name for spec in specs if getattr(OUTPUTS[spec.kind], "stood_in", False))


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
            setattr(again, kind, self._find_part(path) if path else None)
        return again

    def _find_part(self, path: str) -> str:
        base = self._bases.get(path, path)
        part = str(find_free_part(Path(base)))
        self._bases[part] = base
        return part
