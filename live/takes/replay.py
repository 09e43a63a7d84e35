"""A take played beside the hands: once or round and round, with whatever the hands do on top. A player of the loop."""
from live.show.brake import Shared
from live.takes.take import TakeReader


class Replay:
    """play(tick) gives what the take did since the last frame, at its own pace. over: it has come to its end."""

    def __init__(self, take: TakeReader, loop: bool = False):
        self.take, self.loop, self.over, self._blackout = take, loop, False, Shared()
        self._begin()

    def _begin(self):
        self._frames, self._time, self._start, self._next = self.take.frames(), None, None, None

    def play(self, tick, scene) -> list:
        """What to apply to this scene in this frame: its first scene to begin with, then what was done at its own times."""
        items = []
        if self._time is None:
            self._time, items = 0.0, [self.take.scene, self.take.motion]
            self._next = next(self._frames, None)
            self._start = self._next[0].time if self._next else 0.0
        else:
            self._time += tick.dt
        while self._next and self._next[0].time - self._start <= self._time + 1e-6:
            items += self._next[1]
            self._next = next(self._frames, None)
        if self._next is None:
            self.over = not self.loop
            self._begin()
        return self._blackout.kept(items, scene)
