"""A show in processes: what each of them is started with. The show itself is handed in as the function that plays it."""
import argparse
import contextlib
import sys
from functools import partial
from pathlib import Path

from engine.errors import UserError
from live.outputs.service import is_apart
from live.processes.child import prepare_child
from live.processes.output import run_output
from live.processes.renderer import Shared
from live.processes.supervisor import USER_ERROR, Supervisor
from live.show import journal


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
        self.options = options

    def __call__(self, attempt: int, safe: bool) -> argparse.Namespace:
        """Return the flags for the first start; later such that it goes on where it was, or begins anew if safe.

        A take goes on in another file: NAME-002, NAME-003, ...
        """
        if not attempt:
            return self.options
        again = argparse.Namespace(**vars(self.options))
        again.no_browser = True                          # whoever closed the page meant it
        again.resume = "if there is one" if not safe else False
        if again.take:
            path = Path(again.take)
            again.take = str(path.with_name(f"{path.stem}-{attempt + 1:03d}{path.suffix}"))
        return again
