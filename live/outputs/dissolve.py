"""From the last picture of a renderer that went to the first ones of the next: a fade instead of a cut."""
import numpy as np

LIBRARIES = ("cv2",)
DISSOLVE = 0.7                      # seconds


class Dissolve:
    """Fades from the picture that is up to those that come. begin() says when; mix(pixels, moment) -> pixels."""

    def __init__(self):
        self._last: np.ndarray | None = None
        self._from: np.ndarray | None = None
        self._begun: float | None = None

    @property
    def running(self) -> bool:
        """Whether the picture up is between two: it changes without a new one."""
        return self._from is not None and self._begun is not None

    def begin(self):
        """Fade to the next picture, however long it takes to come."""
        self._from, self._begun = None if self._last is None else self._last.copy(), None

    def mix(self, pixels: np.ndarray, moment: float) -> np.ndarray:
        """Return the picture to show at a moment, in seconds: this one, or one on the way to it."""
        if self._from is not None:
            self._begun = moment if self._begun is None else self._begun
            share = (moment - self._begun) / DISSOLVE
            if share < 1.0:
                pixels = self._between(pixels, self._from, share)
            else:
                self._from = None
        self._last = pixels
        return pixels

    def _between(self, pixels, before, share):
        import cv2

        if before.shape != pixels.shape:                 # the new renderer draws another size
            before = self._from = cv2.resize(before, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return cv2.addWeighted(pixels, share, before, 1.0 - share, 0.0)
