"""The source in a show: which of its pictures each frame sees. Knows feeds and scenes, no cameras and no tensors.

A player of the loop, so what it decides are changes: /source/signal says whether pictures arrive, /source/picture which
one is seen. A take holds them, and Replayed finds the same pictures again where its source can be asked for them.
"""
import logging
from dataclasses import replace

from live.show.clock import now
from live.show.events import Change
from live.show.meter import Ring
from live.sources.feed import Arrival, Feed
from live.sources.frames import list_errors

log = logging.getLogger(__name__)


class Watching:
    """show: the Show it joins, as its source and as a player. encoded(): how often the encoder has run.

    recorder: live.sources.recorder.SourceRecorder, which keeps the pictures that are seen and numbers them, or None.
    """

    def __init__(self, show, feed: Feed, encoded, recorder=None, now=now):
        self.show, self.feed, self.encoded, self.recorder, self.now = show, feed, encoded, recorder, now
        self.arrival: Arrival | None = None
        self.number = self.used = 0
        self.to_frame_ms = Ring()
        self._encoded, self._state = encoded(), ""
        self._counted: Arrival | None = None

    def join(self):
        """Become the show's source and one of its players. What a resumed show saw is over: the signal fades in anew."""
        self.show.source, self.show.motion = self, replace(self.show.motion, signal=None)
        self.show.join(watching=self)

    def play(self, tick) -> list:
        """Return the changes of the parameters that were read off the source's picture in the frame before."""
        reader, scene = getattr(self.show.instrument, "live_reader", None), self.show.scene
        if reader is None:
            return []
        return [Change(address, value) for address, value in reader.list_values().items() if address in scene.parameters and scene[address] != value]

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return the read-only parameters of the source as they are for this frame's picture, in case the hands have turned them."""
        scene, told = self.show.scene, self._update_state()      # before the picture, which may come at any time: there is no signal without one
        newest = self.feed.newest
        if newest is not None and newest is not self.arrival and not (scene["/source/freeze"] and self.arrival):
            self.arrival = newest
            self.number = self.recorder.keep(newest.pixels) if self.recorder else newest.number
        truth = {"/source/signal": float(told == "live"), "/source/picture": float(self.number)}
        return [Change(address, value) for address, value in truth.items() if scene[address] != value]

    def _update_state(self) -> str:
        """Read the feed's state, and log when it goes or comes back."""
        before, self._state = self._state, self.feed.state
        if "stalled" in (before, self._state) and before != self._state:
            log.warning("source %s: %s", self.feed.text, "no picture for a while" if self._state == "stalled" else self._state)
        return self._state

    def picture(self, scene):
        """Return what this frame sees, uint8 [H, W, 3]; None while nothing has come."""
        return self.arrival and self.arrival.pixels

    def note_frame(self):
        """Note that the frame is out: if its picture was new to the encoder, this is how long it took from its arrival."""
        ran, self._encoded = self._encoded, self.encoded()
        if self.arrival and ran != self._encoded and self.arrival is not self._counted:
            self._counted = self.arrival
            self.used += 1
            self.to_frame_ms.add((self.now() - self.arrival.at) * 1000)

    def report(self) -> dict:
        """Return the figures so far, ready for JSON. dropped: pictures that newer ones came before."""
        feed = self.feed
        return {"source": feed.text, "state": feed.state, "reason": feed.reason, "arrived": feed.arrived, "used": self.used,
                "repeated": feed.repeated, "dropped": max(0, feed.arrived - feed.repeated - self.used),
                "reconnects": feed.reconnects, "encoded": self.encoded(), "to_frame_ms": self.to_frame_ms.percentiles(50, 99)}

    def close(self):
        self.feed.close()
        if self.recorder:
            self.recorder.close()


class Replayed:
    """The pictures of a take: of a source that can be asked for them (live.sources), None = there are none."""

    def __init__(self, source):
        self.source, self._last, self._told = source, None, False

    def picture(self, scene):
        """Return the very picture that this frame saw, uint8 [H, W, 3]. Whatever the mix and the signal: a modulator may turn the
        mix up from 0, and a take may begin while a lost source fades out."""
        if self.source is None:
            return None
        number = int(scene["/source/picture"])
        try:
            self._last = self.source.at(number)
        except list_errors() as error:
            if not self._told:
                self._told = True
                log.warning("source: picture %d of the take is not there (%s: %s); the one before it stays", number, type(error).__name__, error)
        return self._last

    def note_frame(self):
        pass
