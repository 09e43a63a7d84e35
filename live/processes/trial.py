"""A trial of a show: the processes it will have, watched as they will be, while one thing after the other is done to them.

Knows how to look at a show from outside: its processes, its frames, what it answers. What is done to it: acts.py.
"""
import json
import os
import re
import signal
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from live.processes.supervisor import Supervisor
from live.show.clock import now
from live.show.threads import end_thread, make_thread

ASKED = 0.25                        # seconds between two questions
PATIENCE = 2.0                      # seconds for an answer
SAID = re.compile(r"(?m)^\d\d:\d\d:\d\d (WARNING|ERROR)\s+(.*)$")


class Probe:
    """What a show answers: report, its own; values: {address: what it is at}. at: when it last answered."""

    def __init__(self, port: int, addresses: tuple[str, ...]):
        self.report: dict = {}
        self.values: dict[str, float] = {}
        self.at = 0.0
        self._url, self._addresses, self._over = f"http://127.0.0.1:{port}", addresses, threading.Event()
        self._thread = make_thread("probe", self._ask, self._over)
        self._thread.start()

    def _ask(self):
        while not self._over.wait(ASKED):
            try:
                asked = now()
                report = self._read("/?REPORT")
                self.values |= {address: float(self._read(f"{address}?VALUE")["VALUE"][0]) for address in self._addresses}
                self.report, self.at = report, asked
            except (OSError, ValueError, KeyError, IndexError, TypeError):       # it is not there yet, or has just gone
                continue

    def _read(self, path):
        with urllib.request.urlopen(self._url + path, timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def close(self):
        """Ask no more."""
        self._over.set()
        end_thread(self._thread)


class Trial(Supervisor):
    """A show that is watched by a Supervisor, and what is done to it meanwhile. log: the file that its processes write to.

    figures: {output: what its process last said of itself}, of those that have one.
    """

    def __init__(self, *arguments, log: Path):
        super().__init__(*arguments)
        self.endless, self.log = True, log
        self.figures: dict[str, dict] = {}
        self.longest = 0.0                               # seconds without a new frame at most since clear_longest()
        self.over = False                                # whether everything was done
        self._acts: Iterator | None = None
        self._count, self._moved = 0, now()

    def play(self, acts: Callable[["Trial"], Iterator]) -> int:
        """Play the show until all acts are over, or it has ended; returns its exit status."""
        self._acts = acts(self)
        return self.run()

    @property
    def drawing(self) -> bool:
        """Whether frames come from the renderer there is."""
        return self._drawing and self.renderer.running

    def clear_longest(self):
        """Begin to measure anew for how long there is no new frame."""
        self.longest, self._moved = 0.0, now()

    def find_child(self, name: str):
        """Return the process that shows this output, None: it has none of its own."""
        found = [child for child in self.outputs if child.name == name]
        return next((child for child in found if child.pair is None or child is child.pair.front), None)

    def kill(self, child) -> int | None:
        """End a process at once, as a crash does; returns its number."""
        pid = child.pid
        if pid is not None:
            self.figures.pop(child.name, None)
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        return pid

    def find_said(self, words: str) -> str:
        """Return the first warning or error in the log that has these words, rather one that gives a reason; "" where there is none."""
        lines = [line for _, line in SAID.findall(self.log.read_text(errors="replace")) if words in line]
        return min(lines, key=lambda line: "ended with " in line, default="")

    def _hear(self, child, message):
        if message[0] == "state" and (child.pair is None or child is child.pair.front):
            self.figures[child.name] = message[1]
        super()._hear(child, message)

    def _watch_outputs(self):
        super()._watch_outputs()
        count = self._count_up()
        if count != self._count:
            self._count, self._moved = count, now()
        self.longest = max(self.longest, now() - self._moved)
        if self._acts is not None and next(self._acts, self) is self:
            self._acts, self.over = None, True
            self.stop()


def read_end(log: Path) -> str:
    """Return the last line that a show has written."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return re.sub(r"^(run_live\.py: |\d\d:\d\d:\d\d \w+ +)", "", lines[-1]) if lines else "it said nothing"


