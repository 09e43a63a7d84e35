"""A training's folder as the page and the process that trains both know it: what was asked for, whether it runs, how far it is.

Its files: run.json (what was asked for, and how it ended), figures.csv, sheet.png and the weights, as the trainings write them.
"""
import csv
import json
import threading
from pathlib import Path

from engine.errors import UserError
from engine.files import write_text
from engine.json_text import parse_json
from live.files.claims import try_lock
from live.files.names import check_name
from live.show.clock import now

ABOUT, STOP, TABLE, SHEET, OUTPUT = "run.json", "stop", "figures.csv", "sheet.png", "output.log"
ENDED = ("done", "stopped", "failed")
MOST_ROWS = 2000                    # of a table that are looked at
PATIENCE = 3.0                      # seconds a training waits for its folder's lock


class RunFolder:
    """path: the folder. Nothing is kept: whoever asks reads the files."""

    def __init__(self, path):
        self.path = Path(path)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def read_about(self) -> dict:
        """Return the contents of run.json, {} where it can't be read."""
        try:
            found = parse_json((self.path / ABOUT).read_bytes())
        except (OSError, ValueError, UserError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, **changes):
        """Write run.json with these entries changed."""
        write_text(self.path / ABOUT, json.dumps(self.read_about() | changes, indent=1), make_folder=True)

    def try_lock(self):
        """Return the lock of this folder, None where a training runs in it."""
        return try_lock(self.path / ABOUT)

    @property
    def runs(self) -> bool:
        """Whether a training runs here now, whoever began it."""
        lock = self.try_lock()
        if lock is not None:
            lock.close()
        return lock is None

    def lock(self):
        """Return the lock, waiting a little for those who only look. UserError: a training runs here already."""
        until, pause = now() + PATIENCE, threading.Event()
        while (lock := self.try_lock()) is None:
            if now() > until:
                raise UserError(f"{self.path}: a training runs here already")
            pause.wait(0.05)
        return lock

    def ask_to_stop(self):
        """Ask the training to end at its next step."""
        (self.path / STOP).touch()

    @property
    def is_to_stop(self) -> bool:
        """Whether it was asked to."""
        return (self.path / STOP).exists()

    def cancel_stop(self):
        """Take the wish to stop back."""
        (self.path / STOP).unlink(missing_ok=True)

    def read_rows(self) -> list[dict]:
        """Return the newest rows of figures.csv, {name: number}; a line half written is left out."""
        try:
            with open(self.path / TABLE, newline="", encoding="utf-8") as file:
                found = [_to_numbers(row) for row in csv.DictReader(file)]
        except (OSError, ValueError, csv.Error):
            return []
        return [row for row in found if row][-MOST_ROWS:]

    def plan(self, steps: int):
        """Write to run.json how many steps there are to be in all; nothing where a page did not begin this training."""
        if self.read_about():
            self.write(planned=steps)

    def find_sheet(self) -> int:
        """Return a number that is another one for each sheet of samples, 0: there is none yet."""
        try:
            return (self.path / SHEET).stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0


def _to_numbers(row) -> dict:
    try:
        return {name: float(value) for name, value in row.items() if name and value}
    except (TypeError, ValueError):
        return {}


def find_folder(runs: Path, name) -> RunFolder:
    """Return the folder of a training by its name. UserError: a name that can't be, or is none's."""
    folder = RunFolder(runs / check_name(name, "training"))
    if not folder.read_about():
        raise UserError(f"no training {name!r} in {runs}")
    return folder
