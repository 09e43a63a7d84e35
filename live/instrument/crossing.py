"""Two instruments drawn at once, while the picture goes from one to the other. Knows pictures and scenes, no tensors and no files."""
from dataclasses import replace

import numpy as np

from engine.motion import Motion
from engine.scene import Scene
from live.outputs.dissolve import blend_pictures, fit_picture, lay_bright, lay_by_key
from live.show.parameters import keep_masters

RING = 4                            # pictures alive at once, as an instrument has them


class Crossing:
    """What a show draws with meanwhile, and afterwards where the new network's pictures have another shape than the show's.

    new: the instrument that plays; everything asked of this is asked of it. old, scene, motion: what it comes from, None once it is there.
    at: 0..1 of the way. matte: how the two are mixed. layer: px, whose maps are the matte of "map". shape: (height, width) of the show's pictures.
    tight: each is drawn in every second frame, as there is no time for both in one.
    """

    def __init__(self, new, old, scene: Scene, motion: Motion, shape: tuple[int, int]):
        self.new, self.old, self.scene, self.motion, self.shape = new, old, scene, motion, shape
        self.at, self.matte, self.layer, self.tight, self._drawn = 0.0, "fade", 32, False, 0
        self._ring, self._turn = [np.zeros((*shape, 3), np.uint8) for _ in range(RING)], 0

    def __getattr__(self, name):
        if name in ("new", "old"):
            raise AttributeError(name)
        return getattr(self.new, name)

    @property
    def fits(self) -> bool:
        """Whether the new one's pictures have the show's shape."""
        return tuple(self.new.pixels) == tuple(self.shape)

    def hold(self, dt: float, mix: float, matte: str, layer: int):
        """Stay between the two: so much of the old one, mixed in one of the ways of /instrument/matte. It goes on meanwhile."""
        self.at, self.matte, self.layer = 1.0 - mix, matte, layer
        self.motion = self.motion.advance(self.scene, dt)
        if matte != "map":
            self.old.watch([], "matte")

    def leave(self):
        """Go on with the new one alone."""
        if self.old is not None:
            self.old.watch([], "matte")
        self.old = None

    def advance(self, dt: float, seconds: float) -> bool:
        """Go on by dt of so many seconds; return whether it is there."""
        self.at = 1.0 if seconds <= 0 else min(1.0, self.at + dt / seconds)
        if self.old is not None:
            self.motion = self.motion.advance(self.scene, dt)
        if self.at >= 1.0:
            self.leave()
        return self.old is None

    def render(self, scene: Scene, motion: Motion, source):
        """Return the picture of this moment, of both."""
        if self.old is None:
            frame = self.new.render(scene, motion, source)
            return self._put(frame, fit_picture(frame.pixels, self.shape))
        left, left_scene = replace(self.motion.put_in_place(motion), holds=()), keep_masters(self.scene, scene)
        self._drawn += 1
        both = self._drawn == 1 or not self.tight
        frame = self.new.render(scene, motion, source) if both or self._drawn % 2 else self.new.repeat(scene, motion)
        key = self._choose_key(left_scene) if self.matte == "map" else None
        before = self.old.render(left_scene, left, None) if both or self._drawn % 2 == 0 else self.old.repeat(left_scene, left)
        one, other = fit_picture(before.pixels, self.shape), fit_picture(frame.pixels, self.shape)
        return self._put(frame, self._mix(one, other, key))

    def _choose_key(self, scene) -> str:
        """Return the name of the old one's picture that is the matte; it is kept from the picture drawn next."""
        size = max(size for size in (4, *self.old.sizes) if size <= min(self.layer, self.old.drawing_size(scene)))
        self.old.watch([name := f"layer b{size}.conv1 key"], "matte")
        return name

    def _mix(self, before, after, key) -> np.ndarray:
        """Return the picture between two, of the show's shape."""
        if self.matte == "fade":
            return blend_pictures(before, after, self.at)
        seen = self.old.look_inside(key) if key else None
        if seen is None:                             # luma; a map's own picture is not there where nothing was drawn with it yet
            return lay_bright(after, before, 1.0 - self.at)
        return lay_by_key(after, before, fit_picture(seen, self.shape)[:, :, 0], 1.0 - self.at)

    def repeat(self, scene: Scene, motion: Motion):
        """Return the newest picture of the new one again."""
        frame = self.new.repeat(scene, motion)
        return frame if frame is None else self._put(frame, fit_picture(frame.pixels, self.shape))

    def _put(self, frame, pixels):
        """Return the frame with other pixels, in memory that stays as long as an instrument's does."""
        kept = self._ring[self._turn]
        self._turn = (self._turn + 1) % RING
        np.copyto(kept, pixels)
        return replace(frame, pixels=kept)
