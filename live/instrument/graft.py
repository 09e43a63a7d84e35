"""The instrument before grafted into the one that plays: maps of a layer of its network stand in for those of the other. A player of the loop.

Knows no tensors. What the maps are computed from is what that instrument was left with: its walk goes on.
"""
import threading
from dataclasses import replace

from engine.errors import UserError
from live.show.threads import make_thread


class Graft:
    """show: the Show it plays in. find(giver, taker, layer) -> engine.grafting.Grafting."""

    def __init__(self, show, find):
        self.show, self.find = show, find
        self.playing = None                          # the Grafting that goes on
        self.thread: threading.Thread | None = None
        self._asked: tuple = ()                      # of whom the last was made, at which layer

    def play(self, tick) -> list:
        """Return nothing; bring the other's maps of this moment into the picture."""
        scene, switch = self.show.scene, self.show.switch
        mix = scene["/graft/mix"]
        if mix <= 0 or switch is None:
            self._end()
            return []
        other = switch.before[0] if switch.before else None
        asked = other and other.instrument, switch.opened.instrument, f"b{scene['/graft/layer']}.conv1"
        if asked != self._asked:
            self._end()
            self._asked, self.playing = asked, self._make(other, *asked[1:])
        if self.playing is not None and self.playing.ready:
            self.playing.play(mix, *self._go_on(tick.dt))
        return []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: there is nothing to apply."""
        return []

    def _go_on(self, dt):
        """Return (scene, motion) of the other instrument, dt later; where it is drawn as well, as it is drawn."""
        switch = self.show.switch
        drawn = switch.held or switch.crossing
        if drawn is not None:
            scene, motion = drawn.scene, drawn.motion
        else:
            other, scene, motion = switch.before
            motion = motion.advance(scene, dt)
            switch.before = other, scene, motion
        return scene, replace(motion.put_in_place(self.show.motion), holds=())

    def _make(self, other, taker, layer):
        """Return what grafts these two; None, and a line, where there is none, or they don't fit. Strangers are measured in a thread."""
        if other is None:
            self.show.notices.tell("there is no instrument before to graft: open another one", "graft")
            return None
        try:
            made = self.find(other.instrument, taker, layer)
        except UserError as error:
            self.show.notices.tell(f"{other.name} is not grafted: {error}", "graft")
            return None
        if not made.kin:
            self.show.notices.tell(f"{other.name} is a stranger: its maps are measured beside the show, and then turned", "graft")
            self.thread = make_thread("graft", made.measure, aside=True)
            self.thread.start()
        return made

    def _end(self):
        if self.playing is not None:
            self.playing.end()
        self.playing, self._asked = None, ()
