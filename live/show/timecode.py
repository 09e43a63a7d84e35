"""The timecode that is followed, whoever sends it: /timecode and /timecode/signal. A player of the loop; knows no ports and no sound.

A frame that is off is left out; two that agree with each other are a jump. Where none comes any more it goes on by itself for two seconds.
"""
import logging
import queue
from typing import NamedTuple

from live.show.clock import now
from live.show.events import Change

log = logging.getLogger(__name__)

FREEWHEELS = 2.0                    # seconds for which the time goes on when no frame arrives
NEAR = 0.06                         # seconds: a frame that differs less than this from the running time is followed at once
PULL = 0.2                          # share of the difference by which the running time is corrected
DAY = 86400.0


class Moment(NamedTuple):
    """What somebody says the time is. seconds: of the day; at: when it was so, on the show's clock. running: whether time goes on from there."""
    source: str
    seconds: float
    at: float
    running: bool


class TimecodeClock:
    """show: the Show it joins. source: who is followed, "" for nobody yet. now: the clock of the moments."""

    def __init__(self, show, now=now):
        self.show, self.now, self.source = show, now, ""
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._line: Moment | None = None                 # the running time
        self._doubted: Moment | None = None              # the newest frame that differed: a second one that agrees with it is a jump
        self._heard = False                              # whether there is a signal

    def receive(self, source: str, seconds: float, at: float, running: bool = True):
        """Take what somebody says the time is. source: its name, as "LTC". Safe from any thread."""
        self._inbox.put(Moment(source, seconds, at, running))

    def play(self, tick) -> list:
        """Return what is new of the time."""
        while not self._inbox.empty():
            self._take(self._inbox.get())
        line, moment, scene = self._line, self.now(), self.show.scene
        if line is None:
            return []
        heard = moment - line.at < FREEWHEELS
        if heard != self._heard:
            log.info("timecode: %s", f"following {self.source}" if heard else f"no {self.source} any more; it stays")
        self._heard = heard
        values = {"/timecode/signal": float(heard)}
        if heard:
            values["/timecode"] = round(_predict(line, max(moment, line.at)), 3)
        return [Change(address, value) for address, value in values.items() if scene[address] != value]

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Hands do not matter to a clock."""
        return []

    def _take(self, moment: Moment):
        """One source at a time: another is followed once the first is silent."""
        line = self._line
        if line is None or moment.source != self.source:
            if line is None or moment.at - line.at > FREEWHEELS:
                self.source, self._line, self._doubted = moment.source, moment, None
            return
        off = _find_distance(_predict(line, moment.at), moment.seconds)
        doubted, self._doubted = self._doubted, None
        if not moment.running:
            self._line = moment
        elif line.running and abs(off) <= NEAR:
            seconds = moment.seconds - off * (1.0 - PULL)
            self._line = moment._replace(seconds=seconds % DAY)
        elif not line.running or doubted is not None and abs(_find_distance(_predict(doubted, moment.at), moment.seconds)) <= NEAR:
            self._line = moment
        else:
            self._doubted = moment


def _predict(line: Moment, at: float) -> float:
    return (line.seconds + (at - line.at if line.running else 0.0)) % DAY


def _find_distance(a: float, b: float) -> float:
    """Return the seconds from a to b, over midnight as well."""
    return (b - a + DAY / 2) % DAY - DAY / 2


def find_timecode(show) -> TimecodeClock:
    """Return the show's clock of timecode, one that follows nobody yet if there was none."""
    if show.timecode is None:
        show.join(timecode=TimecodeClock(show))
    return show.timecode
