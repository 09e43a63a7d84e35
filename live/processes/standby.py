"""The process that draws, and a second one that stands by: it has imported what drawing takes, and waits for its turn.

Importing torch is more than half of a start. Of the instrument the one that waits knows nothing: it holds no weights and no
graphics memory.
"""
import contextlib
import importlib
import importlib.abc
import sys
from dataclasses import dataclass
from typing import Any

from engine.lean_torch import import_torch
from live.show.child import Child, prepare_child
from live.show.clock import now

REST = 0.003                        # seconds between two modules while nobody waits for them: a show that has just begun keeps its cores
SETTLED = 5.0                       # seconds after a renderer's start in which nothing is loaded beside it
AGAIN = 30.0                        # seconds after one that stood by has ended, until the next


class Pace(importlib.abc.MetaPathFinder):
    """Finds no module, and rests before each one, until something comes through the pipe."""

    def __init__(self, link):
        self.link = link

    def find_spec(self, fullname, path, target=None):
        """Rest a little; others find the module."""
        self.link.poll(REST)


def wait(modules: tuple[str, ...], sending, link):
    """Import modules slowly, then run what comes through the pipe: (run, options). The whole life of a renderer's process."""
    prepare_child()
    pace = Pace(link)
    sys.meta_path.insert(0, pace)
    try:
        if "torch" in modules:
            import_torch()
        for name in modules:
            with contextlib.suppress(ImportError):       # of a library that is not there: a show does without
                importlib.import_module(name)
        sys.meta_path.remove(pace)
        run, options = link.recv()
    except (EOFError, OSError):                          # it was not needed
        sys.exit(0)
    run(options, sending, link)


@dataclass
class RendererChild(Child):
    """The process that draws. modules: what one that stands by imports; none = none does."""
    modules: tuple[str, ...] = ()
    waiting: Any = None                                  # (process, our end of its pipe) of the one that stands by
    ended: float | None = None                           # when the last one that stood by ended by itself

    def start(self, options, sending):
        """Have the one that stands by draw, or else a new process."""
        self.close()
        self.watch_standby()
        self.take(*(self.waiting or self.spawn(wait, (), sending)))
        self.waiting = None
        self.send((self.run, options))

    def stand_by(self, sending):
        """Start the process that stands by, where it is time for it."""
        self.watch_standby()
        rested = self.ended is None or now() - self.ended > AGAIN
        if self.modules and self.waiting is None and rested and now() - self.begun > SETTLED:
            self.waiting = self.spawn(wait, self.modules, sending)

    def watch_standby(self):
        """Bury the one that stood by, where it has ended."""
        if self.waiting is not None and self.waiting[0].exitcode is not None:
            self.dismiss()
            self.ended = now()

    def dismiss(self):
        """End the one that stands by."""
        if self.waiting is not None:
            process, link = self.waiting
            link.close()
            process.kill()
            process.join()
            process.close()
            self.waiting = None
