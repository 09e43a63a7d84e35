"""Waiting for the beat: what is asked for now and shall happen on the next beat or bar, where /quantise says so.

A player of the loop. It also knows the beat there will be in this frame, and how far it was set elsewhere.
"""
import math

from engine.motion import beats
from live.show.events import Due
from live.show.parameters import QUANTA

SET_ELSEWHERE = 0.5                 # beats: if the beat moves further than this in a frame, a clock or a hand has set it


class Quantiser:
    """beat: of this frame. moved: beats by which it was set elsewhere in this frame, 0 otherwise."""

    def __init__(self, show):
        self.show, self.beat, self.moved = show, 0.0, 0.0
        self._waiting: dict = {}                         # kind -> (beat, what to do)

    @property
    def quantum(self) -> float:
        """Beats from one moment to the next at which something may happen; 0 = at any."""
        return QUANTA[self.show.scene["/quantise"]]

    def schedule(self, act, kind: str) -> list:
        """Do it now and return what to apply, or wait for the next beat or bar where /quantise asks for that. Only the newest of a kind waits."""
        quantum = self.quantum
        self._waiting.pop(kind, None)
        if not quantum:
            return act()
        self._waiting[kind] = math.floor(self.beat / quantum + 1) * quantum, act
        return []

    def play(self, tick) -> list:
        """Return what was waiting for this beat, one after the other: each finds the scene that those before it have left."""
        step = beats(self.show.scene, tick.dt)
        beat = self.show.motion.beat + step
        moved = beat - self.beat - step
        self.moved = moved if abs(moved) > SET_ELSEWHERE else 0.0
        if self.moved:                                   # a beat that was set is a downbeat, so what waits for one happens now
            self._waiting = {kind: (beat, act) for kind, (_, act) in self._waiting.items()}
        self.beat = beat
        ready = [kind for kind, (at, _) in self._waiting.items() if at <= beat]
        return [Due(self._waiting.pop(kind)[1]) for kind in ready]

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: what hands ask for waits by schedule()."""
        return []

    def recover(self):
        """Forget what waits: something of it had a bug."""
        self._waiting = {}
