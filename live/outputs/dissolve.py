"""From the last picture of a renderer that went to the first ones of the next: a fade instead of a cut."""
import numpy as np

LIBRARIES = ("cv2",)
DISSOLVE = 0.7                      # seconds
GONE = 0.5                          # seconds without a frame after which the next one is dissolved to


class Dissolve:
    """Fades from the last picture before a gap to those after it. mix(pixels, moment) -> pixels."""

    def __init__(self):
        self._last: np.ndarray | None = None
        self._from: np.ndarray | None = None
        self._moment, self._begun = -GONE, 0.0

    def mix(self, pixels: np.ndarray, moment: float) -> np.ndarray:
        """Return the picture to show at a moment, in seconds: this one, or one on the way to it."""
        import cv2

        if self._last is not None and moment - self._moment > GONE and self._last.shape == pixels.shape:
            self._from, self._begun = self._last.copy(), moment
        self._moment = moment
        if self._from is not None:
            share = (moment - self._begun) / DISSOLVE
            if share < 1.0 and self._from.shape == pixels.shape:
                pixels = cv2.addWeighted(pixels, share, self._from, 1.0 - share, 0.0)
            else:
                self._from = None
        self._last = pixels
        return pixels
