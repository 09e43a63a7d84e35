"""Outputs that broke in the show's own process, as a recording does on a full disk: they are opened again. A player of unattended shows.

Those in processes of their own are begun again by the supervisor.
"""
import inspect
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.errors import UserError
from live.files.paths import find_free_part
from live.outputs import OUTPUTS, log
from live.outputs.spec import OutputSpec
from live.show.clock import now
from live.show.threads import make_thread

WAITS = (2.0, 60.0)                 # seconds until one that broke is opened again: at first, doubling up to this while it takes no frame


def continue_output(spec: OutputSpec) -> OutputSpec:
    """Return an output that goes on beside what it wrote before: one that wants a new file or folder gets NAME-002, NAME-003, ..."""
    kind = OUTPUTS[spec.kind]
    if not getattr(kind, "fresh", False):
        return spec
    target = spec.target or inspect.signature(kind).parameters["target"].default
    return replace(spec, target=str(find_free_part(Path(target))))



class Reopening:
    """specs: outputs that are opened again. open_again(spec): does it. joined(spec, output): called once one is there."""

    def __init__(self, show, specs: list[OutputSpec], open_again: Callable, joined: Callable, now=now):
        self.show, self.open_again, self.joined, self.now = show, open_again, joined, now
        self._specs = {spec.name: spec for spec in specs}
        self._opened: list = []                          # (the one that broke, the new one), until the loop takes it
        self._mine: dict = {}                            # name -> the newest that was opened here
        self._waits: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._thread: threading.Thread | None = None

    def play(self, tick) -> list:
        """Put in what was opened again, and have the next one opened that broke; returns nothing to apply."""
        while self._opened:
            self._take_over(*self._opened.pop())
        if self._thread is not None and self._thread.is_alive():
            return []
        for output in self.show.outputs:
            if output.name in self._specs and getattr(output, "broken", None) and not hasattr(output, "run") and self._is_due(output):
                self._thread = make_thread(f"output {output.name} again", lambda broken=output: self._open(broken))
                self._thread.start()
                break
        return []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: hands have no part in this."""
        return []

    def recover(self):
        """Drop what was being opened: it had a bug."""
        self._opened.clear()

    def _is_due(self, output) -> bool:
        """Whether it is time to open this one again; it is seen for the first time where it has no time yet."""
        if output.name not in self._due:
            wait = WAITS[0] if output.sent else min(2 * self._waits.get(output.name, WAITS[0] / 2), WAITS[1])
            self._waits[output.name], self._due[output.name] = wait, self.now() + wait
        return self.now() >= self._due[output.name]

    def _open(self, broken):
        """Open one again beside the show; what it wrote stays, it goes on in NAME-002."""
        try:
            self._opened.append((broken, self.open_again(continue_output(self._specs[broken.name]))))
        except UserError as error:
            log.warning("output %s: %s; tried again", broken.name, error)
            self._waits[broken.name] = min(2 * self._waits[broken.name], WAITS[1])
            self._due[broken.name] = self.now() + self._waits[broken.name]

    def _take_over(self, broken, output):
        output.name = broken.name
        self._mine[broken.name] = output
        self._due.pop(broken.name, None)
        self.show.outputs = [output if one is broken else one for one in self.show.outputs]
        self.joined(self._specs[broken.name], output)

    def close(self):
        """End of the show: what was opened here is closed."""
        for output in [*self._mine.values(), *(output for _, output in self._opened)]:
            output.close()
