"""What was on show, once a second for two minutes: /back goes there again. A player of the loop."""
from collections import deque
from typing import Any, NamedTuple

from engine.errors import UserError
from engine.motion import Motion
from engine.scene import Scene

EVERY, KEPT = 1.0, 120              # seconds between moments; how many are kept
SIDE = 96                           # px of a moment's picture, or a little more


class Kept(NamedTuple):
    """A moment of the show. time: of its tick. picture: small, uint8 [H, W, 3], of the frame before; None where nothing was drawn yet."""
    time: float
    scene: Scene
    motion: Motion
    picture: Any = None


class Trail:
    """show: the Show it plays in. moments: oldest first."""

    def __init__(self, show):
        self.show, self.moments = show, deque[Kept](maxlen=KEPT + 1)
        self.time = 0.0
        self._due = -1.0

    def play(self, tick) -> list:
        """Keep a small picture and the scene, once a second. Returns nothing to apply."""
        self.time = tick.time
        if tick.time + 1e-9 >= self._due or self.moments and tick.time < self.moments[-1].time:
            self._due = tick.time + EVERY
            self.moments.append(Kept(tick.time, self.show.scene, self.show.motion, _shrink(self.show.picture)))
        return []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: hands go back by a command."""
        return []

    def forget(self):
        """Forget what was shown: it is of another network."""
        self.moments.clear()
        self._due = -1.0

    def find_moment(self, seconds: float) -> Kept:
        """Return the moment so many seconds ago, or the oldest there is. UserError: nothing was shown yet."""
        if not self.moments:
            raise UserError("/back: nothing was on show yet")
        return min(self.moments, key=lambda kept: abs(self.time - seconds - kept.time))


def _shrink(pixels):
    """Return every so many-th pixel of a picture, as small as a thumb."""
    if pixels is None:
        return None
    step = max(1, max(pixels.shape[:2]) // SIDE)
    return pixels[::step, ::step].copy()
