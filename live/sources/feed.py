"""A source in its thread: opened, opened again when it was lost, its newest picture kept. Never holds anyone up.

Knows sources and the time, no shows and no scenes. Every attribute is written by the thread alone; anyone may read.
"""
import logging
import threading
from dataclasses import dataclass

import numpy as np

from engine.errors import UserError
from live.files.sheets import save_sheet
from live.show.clock import now
from live.show.threads import end_thread, make_thread
from live.sources import make
from live.sources.frames import list_errors
from live.sources.stream import hide_password

log = logging.getLogger(__name__)

PATIENCE = 1.0                      # seconds that a picture may be overdue before its source counts as stalled
BACK_OFF = (0.5, 8.0)               # seconds before a lost source is opened again: at first, doubling up to this
BEHIND = 1.0                        # seconds late from which on pictures are shown later, not faster
PREVIEWED = 0.5                     # seconds from one preview to the next
CLOSING = 2.0                       # seconds a source may take to end


@dataclass(frozen=True, eq=False)
class Arrival:
    """A picture that came: uint8 [H, W, 3], its source's number for it, and when (live.show.clock.now)."""
    pixels: np.ndarray
    number: int
    at: float


class Feed:
    """newest: the last Arrival, or None. arrived, repeated: pictures that came, and those like the one before.

    preview: a picture file that is kept up to date, for the performer's eyes only.
    """

    def __init__(self, text: str, longest: int, now=now, made=None, preview=None):
        self.text, self.now, self.preview = hide_password(text), now, preview
        self.source = made or make(text, longest)
        self.newest: Arrival | None = None
        self.arrived = self.repeated = self.reconnects = 0
        self.reason = ""                                 # why it is lost; "" while it is not
        self._at, self._lasts, self._zero = 0.0, None, None
        self._lost_before, self._told, self._previewed = False, "", -PREVIEWED
        self._stop = threading.Event()
        self._thread = make_thread("source", self.run)

    def start(self):
        """Begin. Returns itself."""
        self._thread.start()
        return self

    @property
    def state(self) -> str:
        """waiting (nothing came yet), live, stalled (a picture is overdue) or lost (it could not be opened, or ended)."""
        if self.reason:
            return "lost"
        if self.newest is None:
            return "waiting"
        return "stalled" if self._lasts is not None and self.now() - self._at > self._lasts + PATIENCE else "live"

    def close(self):
        """End the thread; one that hangs in a driver is left behind."""
        self._stop.set()
        if self._thread.is_alive():
            end_thread(self._thread, CLOSING)
        self.source.close()

    def run(self):
        """Read the source until close(), or until it has shown a picture that stays for good. This is the thread."""
        wait = BACK_OFF[0]
        while not self._stop.is_set():
            before = self.arrived
            try:
                if self._watch():
                    return
                self._lose("no more pictures come")
            except list_errors() as error:
                self._lose(str(error) or type(error).__name__)
            wait = BACK_OFF[0] if self.arrived > before else min(wait * 2, BACK_OFF[1])
            self._stop.wait(wait)

    def _watch(self) -> bool:
        """Take pictures until there are no more; whether that is as it should be."""
        self._zero = None
        for seen in self.source.pictures():
            if not self._wait_for(seen.due):
                return True
            self._take_picture(seen)
        return self._stop.is_set() or not self.reason and self.newest is not None and self._lasts is None

    def _wait_for(self, due) -> bool:
        """Wait until a picture is due; False once the feed is closed."""
        if due is not None:
            moment = self.now()
            if self._zero is None or moment - (self._zero + due) > BEHIND:
                self._zero = moment - due
            if (wait := self._zero + due - moment) > 0:
                self._stop.wait(wait)
        return not self._stop.is_set()

    def _take_picture(self, seen):
        before, self._at, self._lasts = self.newest, self.now(), seen.lasts
        if before is None or before.pixels.shape != seen.pixels.shape or not np.array_equal(before.pixels, seen.pixels):
            self.newest = Arrival(seen.pixels, seen.number, self._at)
        else:
            self.repeated += 1
        self.arrived += 1
        if self.preview and self._at - self._previewed >= PREVIEWED:
            self._preview(seen.pixels)
        if self.reason:
            self.reconnects += self._lost_before
            log.info("source %s: pictures come again", self.text)
        self._lost_before, self.reason, self._told = True, "", ""

    def _preview(self, pixels):
        self._previewed = self._at
        try:
            save_sheet(self.preview, pixels)
        except UserError as error:
            log.warning("%s; no preview of the source", error)
            self.preview = None

    def _lose(self, reason):
        self.reason = reason
        if reason != self._told:
            said = reason if reason.startswith("source") else f"source {self.text}: {reason}"
            log.warning("%s; trying again, the walk plays on", said)
            self._told = reason
