"""The evening's log: takes/<date>.log.yaml says when which look, weights and takes were on, and which minutes had late frames. A player of the loop."""
import datetime
import json
from pathlib import Path

from engine.files import append_text
from live.files.writer import Writer
from live.show.clock import wall_time

HEAD = "schema: 1\nlog:\n"
MINUTE = 60.0


class StageLog:
    """show: the Show it plays in. folder: where logs go. late(): frames that were late so far. wall: seconds since 1970, local time is written."""

    def __init__(self, show, folder="takes", late=lambda: 0, wall=wall_time):
        self.show, self.folder, self.late, self.wall = show, Path(folder), late, wall
        self._before: dict = {}
        self._begun: str | None = None                   # what the first line says of the start; written with the next one
        self._minute, self._late = 0.0, 0
        self._jobs: Writer | None = None

    def play(self, tick) -> list:
        """Note what has changed; returns nothing to apply."""
        if self._begun is None:
            self._begun, self._late = self._format_time(), self.late()
            self._before = self._read()
            return []
        now = self._read()
        for key, value in now.items():
            if value != self._before.get(key) and value is not None:
                self.write({key: value})
        self._before = now
        self._minute += tick.dt
        if self._minute >= MINUTE:
            late, self._minute = self.late() - self._late, 0.0
            self._late += late
            if late > 0:
                self.write({"late": late})
        return []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: what hands did is seen in the next frame."""
        return []

    def _read(self) -> dict:
        """Return what is on stage now, under the keys of the log."""
        recall, weights, recording = self.show.recall, self.show.weights, self.show.recording
        paths = recording.list_paths() if recording is not None else {}
        running = self.show.find_player("running")
        return {"preset": f"{recall.current}" if recall is not None and recall.current else None, "weights": weights.current if weights is not None else None,
                "take": paths.get("take"), "video": paths.get("video"),
                "set": None if running is None else "by itself" if self.show.scene["/set/auto"] else "by hand"}

    def write(self, what: dict):
        """Add a line with the time of day."""
        if self._jobs is None:
            self._jobs = Writer("stage log")
        lines = [] if not self._begun else [{"time": self._begun, "show": "begun"} | {key: value for key, value in self._before.items() if value is not None}]
        self._begun = ""
        lines.append({"time": self._format_time(), **what})
        text = "".join(f"- {{{', '.join(f'{key}: {_quote(value)}' for key, value in line.items())}}}\n" for line in lines)
        path = self.folder / f"{self._format_date()}.log.yaml"
        self._jobs.put(lambda: append_text(path, text, HEAD))

    def _format_time(self) -> str:
        return self._read_clock().strftime("%H:%M:%S")

    def _format_date(self) -> str:
        return self._read_clock().strftime("%Y-%m-%d")

    def _read_clock(self):
        return datetime.datetime.fromtimestamp(self.wall())

    def close(self):
        """End of the show: it is said, if there is a log, and everything reaches the disk."""
        if self._jobs is not None:
            self.write({"show": "ended", "late": self.late()})
            self._jobs.close()


def _quote(value) -> str:
    """Return a value as YAML on one line."""
    return json.dumps(value, ensure_ascii=False)
