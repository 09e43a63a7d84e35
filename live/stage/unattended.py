"""An unattended show: a log to read the morning after, with each warning once a day and one line that sums up each day. A player of the loop.

The sources, outputs and the renderer are begun again by those who watch them; this says what happened, has the set list go on, and a take
that a full disk ended.
"""
import datetime
import json
import logging
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import UserError
from engine.files import append_text, write_text
from live.files.full_disk import DISK_FULL
from live.files.paths import find_free_part
from live.files.writer import Writer
from live.show.clock import wall_time
from live.show.events import Change
from live.show.meter import measure_peak_memory

log = logging.getLogger(__name__)

ASLEEP = 10.0                       # seconds between two frames: the machine slept
SET = 5.0                           # seconds that the clock on the wall is off what has gone: somebody set it
KINDS = 500                         # troubles of a day that are told apart
WAITING = 2000                      # lines that wait for a disk that is full; more are left out
KEPT = 20.0                         # seconds between two writings of the day so far, which the next renderer goes on with
TAKES = 60.0                        # seconds between two looks whether a take that failed can go on
ROOM = 64 << 20                     # bytes of the disk that are free before it does
NAME, DAY = "unattended.log", ".unattended-day.json"
NUMBER = re.compile(r"(?<![\w-])\d[\d.,:]*")             # what differs between two warnings of one kind


@dataclass
class Day:
    """What is summed up at its end. troubles: how often each kind of warning came."""
    date: str = ""
    seconds: float = 0.0
    frames: int = 0
    late: int = 0
    troubles: Counter = field(default_factory=Counter)


class Unattended(logging.Handler):
    """show: the Show it plays in. folder: where the log goes. late(): frames that were late so far. wall: seconds since 1970."""

    def __init__(self, show, folder="takes", late=lambda: 0, wall=wall_time, memory=measure_peak_memory):
        super().__init__(logging.WARNING)
        self.show, self.path, self.late, self.wall, self.memory = show, Path(folder) / NAME, late, wall, memory
        self._before: float | None = None                # what the wall said in the frame before
        self._day, self._late, self._unkept, self._unlooked = Day(), 0, 0.0, 0.0
        self._waiting: list[str] = []
        self._text = ""                                  # the day so far, until it is written
        self._ended = False
        self._jobs = Writer("unattended log")
        self._resume_day()

    # -- troubles, of any thread

    def emit(self, record):
        """Write a warning down the first time it comes in a day; later it is counted."""
        if record.name.startswith(("live.stage.unattended", "live.files.writer")):
            return                                       # what can't be written must not be written about
        kind = getattr(record, "trouble", "")
        more = "; the disk is full: what else is written there stops too, until there is room" if kind == DISK_FULL else ""
        self.note(record.getMessage() + more, kind=kind)

    def note(self, text: str, moment: float | None = None, kind: str = ""):
        """Write a trouble down, unless there was one of its kind today. moment: seconds since 1970, None = now. kind: default: the text without its numbers."""
        text = text.splitlines()[0][:300] if text else ""
        kind = kind or NUMBER.sub("#", text)
        troubles = self._day.troubles
        kind = kind if kind in troubles or len(troubles) < KINDS else "more"
        troubles[kind] += 1
        if troubles[kind] == 1:
            self._unkept = KEPT                          # with the next frame: a show that is begun again must not say it once more
            self._write(f"{self._format_time(moment)} {text}")

    # -- the loop's side

    def play(self, tick) -> list:
        """Count the day; on the first frame the set list's show begins, where there is one."""
        moment, first = self.wall(), self._before is None
        date = datetime.datetime.fromtimestamp(moment).strftime("%Y-%m-%d")
        if first:
            goes_on = self._begin_day(date)
            self._write(f"{date} {self._format_time()} {'goes on' if goes_on else 'begun'}")
        elif tick.dt > ASLEEP:
            self.note(f"no frame for {tick.dt:.0f} s: the machine slept, or stood still; it goes on", kind="slept")
        elif self._before is not None and abs(moment - self._before - tick.dt) > SET:
            self.note(f"the clock was set by {moment - self._before - tick.dt:+.0f} s; the show counts its own time", kind="set")
        if date != self._day.date:
            self._sum_up()
            self._day = Day(date)
        self._before = moment
        self._count(tick.dt)
        running = self.show.find_player("running")
        return self.show.mark_own([Change("/set/auto", 1.0)]) if first and running is not None and running.steps else []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: nobody is there."""
        return []

    def recover(self):
        """Begin the day's count anew: it had a bug."""
        self._day.troubles.clear()

    def _count(self, seconds):
        """Count a frame; now and then the day so far is written, and a take that a full disk ended goes on."""
        day, late = self._day, self.late()
        day.seconds, day.frames, day.late, self._late = day.seconds + seconds, day.frames + 1, day.late + late - self._late, late
        self._unkept, self._unlooked = self._unkept + seconds, self._unlooked + seconds
        if self._unkept >= KEPT:
            self._unkept = 0.0
            self._text, waits = json.dumps(vars(day)), bool(self._text)
            if not waits:                                # on a slow disk one writing waits, not many
                self._jobs.put(self._write_day, "day")
        if self._unlooked >= TAKES:
            self._unlooked = 0.0
            self._go_on_recording()

    def _go_on_recording(self):
        """Record to NAME-002 where the take could no longer be written, once the disk has room."""
        recording = self.show.recording
        if recording is None or recording.writer is None or recording.writer.failed is None or self.show.record is None:
            return
        path = recording.writer.path
        try:
            if shutil.disk_usage(path.parent).free >= ROOM:
                recording.record_to(find_free_part(path))
        except (OSError, UserError) as error:
            log.debug("%s", error)                       # the folder has gone; it is looked for again in a minute

    # -- the day

    def _resume_day(self):
        """Take the day over from a show that ended without a word."""
        try:
            kept = json.loads(self.path.with_name(DAY).read_text("utf-8"))
            self._day = Day(str(kept["date"]), float(kept["seconds"]), int(kept["frames"]), int(kept["late"]), Counter(kept["troubles"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._day = Day()

    def _begin_day(self, date) -> bool:
        """Begin this day; returns whether it goes on. One that was not summed up before is now."""
        if self._day.date == date:
            return True
        if self._day.frames:
            self._sum_up()
        self._day = Day(date, troubles=self._day.troubles if not self._day.date else Counter())
        return False

    def _sum_up(self):
        """Write a day's line."""
        day, memory = self._day, self.memory()
        troubles = f"{sum(day.troubles.values())} warnings of {len(day.troubles)} kinds" if day.troubles else "no warnings"
        held = f", {memory:.0f} MB at most" if memory is not None else ""
        rate = day.frames / day.seconds if day.seconds else 0.0
        self._write(f"{day.date} day: {day.seconds / 3600:.2f} h, {day.frames} frames ({rate:.1f} a second), {day.late} late, {troubles}{held}")

    def _format_time(self, moment=None) -> str:
        return datetime.datetime.fromtimestamp(self.wall() if moment is None else moment).strftime("%H:%M:%S")

    # -- the file

    def _write(self, line):
        if len(self._waiting) < WAITING:
            self._waiting.append(line + "\n")
        self._jobs.put(self._write_waiting, "log")

    def _write_day(self):
        text = self._text
        write_text(self.path.with_name(DAY), text, make_folder=True)
        if text == self._text:
            self._text = ""
        else:                                            # a newer one came meanwhile
            self._jobs.put(self._write_day, "day")

    def _write_waiting(self):
        count = len(self._waiting)
        if count:
            append_text(self.path, "".join(self._waiting[:count]))
            del self._waiting[:count]

    def close(self):
        """End of the show: the day so far is summed up, and everything reaches the disk."""
        super().close()
        if not self._ended:                             # logging closes every handler once more at the very end
            if self._before is not None:
                self._sum_up()
                self._jobs.put(lambda: self.path.with_name(DAY).unlink(missing_ok=True), "day")
            self._jobs.close()
        self._ended = True
