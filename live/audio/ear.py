"""The ear: opens what --audio names, analyses what comes, and looks for it again when it goes. Runs in one thread of its own.

What it hears waits for the show's loop (live/audio/listening.py); the loop never waits for it.
"""
import logging
import queue
import threading
from collections.abc import Callable
from typing import NamedTuple

from engine.errors import UserError
from engine.hearing.analyser import Analyser, Heard, Settings
from live.audio.device import DeviceInput, Driver
from live.audio.inputs import OFF, Over, is_file
from live.audio.ltc_ear import LtcEar
from live.audio.sound_file import FileInput
from live.show.clock import now

log = logging.getLogger(__name__)

AGAIN = 2.0                         # seconds between looks for an input that has gone
SOON = 0.25                         # of that, until the first look
KEPT = 1000                         # hops that wait for the loop; more are forgotten


class Hop(NamedTuple):
    """What was heard, and when, on the show's clock: at the hop's end."""
    heard: Heard
    at: float


def open_input(text: str, driver: Driver):
    """Return the input a text names. Lost or UserError: why it can't be had."""
    return FileInput(text) if is_file(text) else DeviceInput(text, driver)


class Ear:
    """wanted: what to listen to, as --audio names it. state: off, waiting, live, lost or over. name: of what is heard.

    taps: functions told of every block, (samples [N, channels] of float or int16, rate, when its last sample was heard).
    timecode: reads the blocks for timecode, and spares the analysis the channels that have it; None: nobody does.
    """

    def __init__(self, wanted: str = OFF, opened: Callable = open_input, now=now, again: float = AGAIN):
        self.wanted, self.opened, self.now, self.again = wanted, opened, now, again
        self._driver = Driver()
        self.state, self.name, self.reason = "off", "", ""
        self.settings = Settings()
        self.taps: list = []
        self.timecode: LtcEar | None = None
        self.hops: queue.SimpleQueue = queue.SimpleQueue()
        self.heard = self.blocks = self.reconnects = 0
        self._changed = threading.Event()

    def choose(self, text: str):
        """Listen to something else from now on. Safe from any thread."""
        self.wanted = text or OFF
        self._changed.set()

    def run(self, stop: threading.Event):
        """Listen until stop is set."""
        try:
            self._run(stop)
        finally:
            self._driver.close()

    def _run(self, stop):
        known = False
        while not stop.is_set():
            text, gone, before = self.wanted, None, self.blocks
            self._changed.clear()
            if text != OFF:
                gone = self._listen(text, stop, known)
                known = known or self.state in ("lost", "over")
            if text == OFF or gone is None:
                self.state = "off" if self.wanted == OFF else self.state
            if stop.is_set():
                return
            if self.wanted != text:
                known = False
                continue
            again = self.again * (SOON if self.blocks > before else 1.0)
            self._wait(None if text == OFF or self.state == "over" else again, stop)

    def _wait(self, seconds, stop):
        """Wait for another choice, or so long."""
        end = None if seconds is None else self.now() + seconds
        while not stop.is_set() and not self._changed.wait(0.1) and (end is None or self.now() < end):
            pass

    def _listen(self, text, stop, known):
        """Listen to one input to its end; returns why it ended, None if another was chosen."""
        source = None
        try:
            source = self.opened(text, self._driver)
            self._set_state("live", source.name, "")
            self.reconnects += known
            self._analyse(source, lambda: stop.is_set() or self.wanted != text)
        except Over as error:
            self._set_state("over", source.name if source else text, str(error))
            return str(error)
        except UserError as error:
            self._set_state("lost" if source is not None or known else "waiting", source.name if source else text, str(error))
            return str(error)
        finally:
            if source is not None:
                source.close()
        return None

    def _analyse(self, source, stop):
        analyser = Analyser(source.rate, self.settings)
        for samples, at in source.read_blocks(stop):
            analyser.settings = self.settings
            for tap in list(self.taps):
                tap(samples, source.rate, at)
            self.blocks += 1
            if self.timecode is not None:
                self.timecode.put(samples, source.rate, at)
                samples = self.timecode.spare(samples)
            found = analyser.feed(samples)
            end = analyser.time + analyser.waiting / source.rate           # seconds of sound in at the block's last sample
            for heard in found:
                self._put(Hop(heard, at - (end - heard.time)))

    def _put(self, hop):
        self.heard += 1
        if self.hops.qsize() < KEPT:
            self.hops.put(hop)

    def _set_state(self, state, name, reason):
        """Note how it stands; a line in the log where that is news."""
        news = (state, reason) != (self.state, self.reason)
        self.state, self.name, self.reason = state, name, reason
        if not news:
            return
        if state == "live":
            log.info("hearing %s", name)
        elif state == "over":
            log.info("%s", reason)
        else:
            log.warning("audio: %s; playing on without", reason)
