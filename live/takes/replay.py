"""A take played beside the hands: once or round and round, with whatever the hands do on top. A player of the loop."""
from engine.scene import Scene
from live.show.brake import Shared
from live.show.parameters import keep_masters
from live.takes.take import TakeReader

AT_ONCE = 2000                      # frames of a take that are gone through in one of the show's
NEARLY = 0.02                       # seconds that timecode may go back without a jump


class Replay:
    """play(tick) gives what the take did since the last frame, at its own pace. over: it has come to its end."""

    def __init__(self, take: TakeReader, loop: bool = False):
        self.take, self.loop, self.over, self._blackout = take, loop, False, Shared()
        self._begin()

    def _begin(self):
        self._frames, self._time, self._start, self._next = self.take.read_frames(), None, None, None

    def play(self, tick, scene) -> list:
        """Return what to apply to this scene in this frame: the take's first scene to begin with, then its changes at their times."""
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
        return self._blackout.filter(items, scene)


class Chase(Replay):
    """A take that plays by the timecode: at `begin` seconds of it the take begins. It stands where the timecode does, and jumps with it."""

    def __init__(self, take: TakeReader, begin: float = 0.0):
        super().__init__(take)
        self.begin = begin

    def play(self, tick, scene) -> list:
        """Return what to apply to this scene in this frame; after a jump the take is gone through, so many frames of it at a time."""
        at = scene["/timecode"] - self.begin
        if not scene["/timecode/signal"] or at < 0:
            return []
        items: list = []
        if self._time is None or at < self._time - NEARLY:
            self._begin()
            items = [self.take.scene, self.take.motion]
            self._next = next(self._frames, None)
            self._start = self._next[0].time if self._next else 0.0
        self._time = at
        for _ in range(AT_ONCE):
            if not self._next or self._next[0].time - self._start > at + 1e-6:
                break
            items += self._next[1]
            self._next = next(self._frames, None)
        return self._blackout.filter([keep_masters(item, scene) if isinstance(item, Scene) else item for item in items], scene)
