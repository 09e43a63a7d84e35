"""A corner pin that costs little: where each point of a display looks is worked out once, as long as nobody moves a corner.

Numbers and pictures only: what the matrices say is live/outputs/framing.py's to know. Source: SURFACE.md O.5.
"""
import numpy as np

LIBRARIES = ("cv2",)
STILL = 8                           # frames that corners must not have moved for: the map takes as long as some frames
NOWHERE = -4.0                      # a place beside every picture, by more than the reach of interpolation


class Pin:
    """Draws pictures by a matrix, onto a display of (width, height)."""

    def __init__(self, display: tuple[int, int]):
        self.display = display
        self._canvas = np.zeros((display[1], display[0], 3), np.uint8)
        self._wanted: tuple | None = None                # what the frames before were drawn by
        self._frames = 0
        self._maps: tuple | None = None
        self._box = slice(0), slice(0)                   # the rows and columns of the display that show something

    def is_at_rest(self, key: tuple) -> bool:
        """Return whether frames have been drawn by this key for so long that its map is worth its time. To be asked once a frame."""
        if key != self._wanted:
            self._wanted, self._frames, self._maps = key, 0, None
        self._frames += 1
        return self._frames > STILL

    def warp(self, laid: np.ndarray, pin: np.ndarray) -> np.ndarray:
        """Return a display's pixels with its corners pinned by a matrix, without a map: while the corners move."""
        import cv2

        return cv2.warpPerspective(laid, shift_to_centres(pin), self.display, flags=cv2.INTER_LINEAR, dst=self._canvas)

    def apply(self, picture: np.ndarray, matrix: np.ndarray, pin: np.ndarray) -> np.ndarray:
        """Return a display's pixels, valid until the next call: each is what matrix says of its place, in the picture's pixels.

        pin: the matrix of the pinned corners; what lies outside of them is black.
        """
        import cv2

        if self._maps is None:
            self._compute(matrix, pin)
        assert self._maps is not None
        self._canvas[self._box] = cv2.remap(picture, self._maps[0], self._maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return self._canvas

    def _compute(self, matrix, pin):
        import cv2

        width, height = self.display
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        flat_x, flat_y, flat = _map(np.linalg.inv(pin), x, y)
        inside = (flat > 0) & (flat_x >= 0) & (flat_x <= width) & (flat_y >= 0) & (flat_y <= height)
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        self._box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else (slice(0, 1), slice(0, 1))
        there_x, there_y, _ = _map(matrix, x[self._box], y[self._box])
        seen = inside[self._box]
        self._maps = cv2.convertMaps(np.where(seen, there_x - 0.5, NOWHERE).astype(np.float32),
                                     np.where(seen, there_y - 0.5, NOWHERE).astype(np.float32), cv2.CV_16SC2)
        self._canvas[:] = 0


def shift_to_centres(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix between points of two pictures for a library that counts from the middle of the first pixel."""
    centres = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    return np.linalg.inv(centres) @ matrix @ centres


def _map(matrix, x, y):
    """Return (x, y, w) of points by a matrix; where w is not above 0, they lie behind the display."""
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    safe = np.where(w > 0, w, 1.0)
    return (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / safe, (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / safe, w
