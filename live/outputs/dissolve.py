"""From the last picture of a renderer that went to the first ones of the next: a fade instead of a cut."""
import numpy as np

LIBRARIES = ("cv2",)
DISSOLVE = 0.7                      # seconds
SOFT = 0.25                         # of all brightness, that the edge of a matte takes


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
                pixels = self._blend(pixels, self._from, share)
            else:
                self._from = None
        self._last = pixels
        return pixels

    def _blend(self, pixels, before, share):
        import cv2

        if before.shape != pixels.shape:                 # the new renderer draws another size
            before = self._from = cv2.resize(before, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return cv2.addWeighted(pixels, share, before, 1.0 - share, 0.0)


def prepare_mixing():
    """Load the library that pictures are mixed with: in the first frame that needs it, that would make the frame late."""
    import cv2  # noqa: F401


def blend_pictures(before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    """Return a picture between two of the same shape, uint8 [H, W, 3]."""
    import cv2

    return cv2.addWeighted(after, share, before, 1.0 - share, 0.0)


def fit_picture(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return a picture, uint8 [H, W, 3], filling another shape (height, width): what is too wide or too high for it is cut off at both sides."""
    import cv2

    height, width = pixels.shape[:2]
    if (height, width) == tuple(shape):
        return pixels
    unit = min(height / shape[0], width / shape[1])
    high, wide = max(1, round(shape[0] * unit)), max(1, round(shape[1] * unit))
    top, left = (height - high) // 2, (width - wide) // 2
    way = cv2.INTER_AREA if unit > 1 else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(pixels[top:top + high, left:left + wide]), (shape[1], shape[0]), interpolation=way)


def lay_bright(under: np.ndarray, over: np.ndarray, share: float, soft: float = SOFT) -> np.ndarray:
    """Return a picture with another laid over it where that is brightest, over more of it the larger the share: 0 = nowhere, 1 = everywhere."""
    import cv2

    return lay_by_key(under, over, cv2.cvtColor(over, cv2.COLOR_RGB2GRAY), share, soft)


def lay_by_key(under: np.ndarray, over: np.ndarray, key: np.ndarray, share: float, soft: float = SOFT) -> np.ndarray:
    """Return a picture with another laid over it where a key, uint8 [H, W], is brightest, over more of it the larger the share."""
    import cv2

    alpha = np.clip((share * (1.0 + soft) - (1.0 - key.astype(np.float32) / 255.0)) / soft, 0.0, 1.0)
    return cv2.blendLinear(over, under, alpha, 1.0 - alpha)
