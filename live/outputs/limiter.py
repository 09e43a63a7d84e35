"""The flash limiter: a picture that would flash more often than is safe is held back, every other one passes to the bit.

WCAG 2.3.1: a flash is a pair of opposing changes of relative luminance by a tenth or more, the darker one below 0.8, or a
pair of opposing changes to and from a saturated red; more than three in any second over a quarter of the field can bring on
a seizure. The field is looked at in 32 x 32 cells. Knows no outputs. Source: SURFACE.md O.6; WCAG 2.2, 2.3.1.
"""
from dataclasses import replace

import numpy as np

LIBRARIES = ("cv2",)
CELLS = 32
SHARE = 0.25                        # of the cells: so many may flash as often as they like
STEP = 0.1                          # of relative luminance, or RED_STEP of red: a change that counts
DARK = 0.8                          # the darker of the two is below this, else no harm is known
RED_STEP = 20 / 320
SATURATED = 0.8
SECOND = 1.0
STEPS = 24                          # shares of a picture that are tried

LINEAR = np.where(np.arange(256) <= 10, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4)
LUMA = np.array((0.2126, 0.7152, 0.0722))


class Turns:
    """Counts the turns of one quantity in every cell: that it rose by a step after it fell by one, or fell after it rose."""

    def __init__(self, step: float, most: int):
        self.step = step
        self.low = self.high = np.empty(0)               # [cells]: the extremes since the last turn
        self.way: np.ndarray | None = None               # [cells]: 1 it rose last, -1 it fell, 0 it has not moved yet
        self.times = np.full((most, CELLS * CELLS), -np.inf)

    def forecast(self, values: np.ndarray, time: float, below: float) -> np.ndarray:
        """Return the cells, as booleans, that would turn once too often within a second with these values [cells]."""
        rose, fell = self._find_turning(values, below)
        return (rose | fell) & (time - self.times[0] < SECOND)

    def take(self, values: np.ndarray, time: float, below: float):
        """Count the turns that these values [cells] make. below: the darker end of a change that counts is below it."""
        if self.way is None:
            self.low, self.high, self.way = values.copy(), values.copy(), np.zeros(len(values), int)
            return
        rose, fell = self._find_turning(values, below)
        turned = rose | fell
        self.times[:, turned] = np.concatenate([self.times[1:, turned], np.full((1, turned.sum()), time)])
        self.way = np.where(rose, 1, np.where(fell, -1, self.way))
        self.low = np.where(turned, values, np.minimum(self.low, values))
        self.high = np.where(turned, values, np.maximum(self.high, values))

    def _find_turning(self, values, below):
        """Return (cells that turn upwards, cells that turn downwards). The first move of a still cell is a turn too."""
        if self.way is None:
            return np.zeros(len(values), bool), np.zeros(len(values), bool)
        rose = (self.way <= 0) & (values - self.low >= self.step) & (self.low < below)
        fell = (self.way >= 0) & (self.high - values >= self.step) & (values < below)
        return rose, fell & ~rose


class FlashLimiter:
    """Holds pictures to so many flashes a second. limit(pixels, time, flashes) -> pixels; 0 flashes: no limit."""

    def __init__(self):
        self.held = 0                                    # pictures that were held back
        self._flashes = 0.0
        self._fields: tuple[Turns, ...] = ()
        self._last: np.ndarray | None = None
        self._spare: list[np.ndarray] = []

    def limit(self, pixels: np.ndarray, time: float, flashes: float) -> np.ndarray:
        """Return the picture to show, uint8 [H, W, 3]: this one itself, or one between the last shown and this one.

        time: of this picture, in seconds; it rises from call to call. What is returned stays valid for three more calls.
        """
        if not flashes:
            self._fields, self._last, self._flashes = (), None, 0.0
            return pixels
        if flashes != self._flashes or self._last is not None and self._last.shape != pixels.shape:
            self._flashes, self._last = flashes, None
            most = max(1, int(2 * flashes))              # a flash is two turns
            self._fields = (Turns(STEP, most), Turns(RED_STEP, most))
        sample = _sample(pixels)
        if self._last is None or not self._count_excess(sample, time):
            shown = pixels
        else:
            shown = self._search(self._last, pixels, sample, time)
            sample = _sample(shown)
            self.held += 1
        for field, values, below in self._list_views(sample):
            field.take(values, time, below)
        self._last = shown
        return shown

    def _list_views(self, sample):
        """Yield (turns, their values [cells], from which darker end of a change on it counts) of a sample."""
        luminance, red = _measure_fields(sample)
        bright, vivid = self._fields
        yield bright, luminance, DARK
        yield vivid, red, np.inf

    def _count_excess(self, sample, time):
        return any(field.forecast(values, time, below).mean() > SHARE for field, values, below in self._list_views(sample))

    def _search(self, last, pixels, sample, time):
        """Return the picture between the last one and the new one that is as near to the new one as it can be while few enough cells turn."""
        before = _sample(last)
        low, high = 0, STEPS
        while high - low > 1:
            middle = (low + high) // 2
            mixed = _mix(before, sample, middle / STEPS)
            low, high = (low, middle) if self._count_excess(mixed, time) else (middle, high)
        return self._mix(last, pixels, low / STEPS)

    def _mix(self, last, pixels, share):
        import cv2

        if len(self._spare) < 5 or self._spare[0].shape != pixels.shape:
            self._spare = [np.empty_like(pixels) for _ in range(5)]
        into = self._spare.pop(0)
        self._spare.append(into)
        if not share:
            np.copyto(into, last)
        else:
            cv2.addWeighted(pixels, share, last, 1.0 - share, 0.0, dst=into)
        return into

    def finish(self, frame, time: float, scene):
        """Return a frame, or one like it that is held back, by what /output/flashes allows."""
        pixels = self.limit(frame.pixels, time, scene["/output/flashes"])
        return frame if pixels is frame.pixels else replace(frame, pixels=pixels)


def _mix(before, after, share):
    return np.rint(after * share + before * (1.0 - share)).astype(np.uint8)


def _sample(pixels) -> np.ndarray:
    """Return one pixel of each of 32 x 32 cells, uint8 [1024, 3]."""
    height, width = pixels.shape[:2]
    rows = (np.arange(CELLS) * 2 + 1) * height // (2 * CELLS)
    columns = (np.arange(CELLS) * 2 + 1) * width // (2 * CELLS)
    return pixels[rows[:, None], columns[None]].reshape(-1, 3)


def _measure_fields(sample):
    """Return (relative luminance, redness where the red is saturated) of a sample, each [cells]."""
    linear = LINEAR[sample]
    total = linear.sum(1)
    red = np.maximum(linear[:, 0] - linear[:, 1] - linear[:, 2], 0.0)
    return linear @ LUMA, np.where((total > 0) & (linear[:, 0] >= SATURATED * total), red, 0.0)
