"""A picture on a display of any shape: fill, zoom, place, turn, corner pin, edge mask and colour of one output.

picture_points() says by arithmetic where each point of a display looks into the picture; Framer draws that with OpenCV, by
the cheapest way that gives it. Pictures are uint8 [H, W, 3] RGB. Knows no windows. Source: SURFACE.md O.5.
"""
import math
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import UserError
from engine.parameter import Parameter
from live.outputs.pinning import Pin, shift_to_centres

LIBRARIES = ("cv2", "PIL")
FILLS = ("fit", "fill", "stretch", "mirror", "tile", "blur")
TURNS = ("0", "90", "180", "270")
FLIPS = ("none", "horizontal", "vertical", "both")
CORNERS = (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0)       # top left, top right, bottom right, bottom left
GEOMETRY = ("fill", "zoom", "x", "y", "rotate", "flip", "pin")
LARGE = 2                                                # times the display: a picture that is larger is not drawn whole
LUMA = (0.2126, 0.7152, 0.0722)                          # BT.709
DARKER = 0.5                                             # the picture around the picture, with fill "blur"
SOFT = 32                                                # pixels across that picture before it is enlarged

PARAMETERS = {
    "fill": Parameter("fit", choices=FILLS,
                      about="how the picture meets another shape of display: whole, cropped, stretched, mirrored or repeated beside itself, or over a blur"),
    "zoom": Parameter(1.0, 0.1, 10.0, curve="log", about="times the picture's size"),
    "x": Parameter(0.0, -1.0, 1.0, about="the picture's place across, in widths of the display"),
    "y": Parameter(0.0, -1.0, 1.0, about="the picture's place down, in heights of the display"),
    "rotate": Parameter("0", choices=TURNS, about="degrees the picture is turned clockwise"),
    "flip": Parameter("none", choices=FLIPS,
                      about="mirrored left to right, upside down, or both: for projection from behind or from a ceiling"),
    "pin": Parameter(CORNERS, -1.0, 2.0, size=8,
                     about="where the four corners lie: x y of top left, top right, bottom right, bottom left, 0 to 1 across the display"),
    "brightness": Parameter(0.0, -1.0, 1.0, about="light added to this output"),
    "contrast": Parameter(1.0, 0.0, 4.0, curve="square", about="times the distance from middle grey"),
    "gamma": Parameter(1.0, 0.25, 4.0, curve="log", about="above 1 the middle tones are lighter"),
    "saturation": Parameter(1.0, 0.0, 4.0, curve="square", about="0 is grey, 1 as it is"),
    "hue": Parameter(0.0, -180.0, 180.0, unit="degrees", about="all colours turned around the colour circle"),
    "temperature": Parameter(0.0, -1.0, 1.0, about="colder or warmer"),
    "red": Parameter(1.0, 0.0, 2.0, about="times the red of this output"),
    "green": Parameter(1.0, 0.0, 2.0, about="times the green of this output"),
    "blue": Parameter(1.0, 0.0, 2.0, about="times the blue of this output"),
    "blackout": Parameter(0.0, about="0 = the picture, 1 = this output is black; /output/fade says how long it takes"),
    "freeze": Parameter(0.0, step=1, about="1 holds the picture of this output"),
    "test": Parameter("off", choices=("off", "grid", "white", "ramp", "number"), about="a test card instead of the picture"),
}


@dataclass(frozen=True)
class Framing:
    """The settings of one output, named as its parameters are; see PARAMETERS for each one's range and meaning."""
    fill: str = "fit"
    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0
    rotate: str = "0"
    flip: str = "none"
    pin: tuple = CORNERS
    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    temperature: float = 0.0
    red: float = 1.0
    green: float = 1.0
    blue: float = 1.0
    blackout: float = 0.0
    freeze: float = 0.0
    test: str = "off"

    def turn(self, name: str, value) -> "Framing":
        """Return these settings with one of them set, clamped to its range. UserError: no such setting, or no such value."""
        if name not in PARAMETERS:
            raise UserError(f"no setting {name!r} of an output; there are: {', '.join(PARAMETERS)}")
        return replace(self, **{name: PARAMETERS[name].clamp(value)})


def find_place(framing: Framing, picture: tuple, display: tuple) -> tuple:
    """Return (width, height) in display pixels of a (width, height) picture on a display, before its corners are pinned.

    A quarter turn swaps the picture's sides first.
    """
    width, height = picture[::-1] if framing.rotate in ("90", "270") else picture
    across, down = display[0] / width, display[1] / height
    if framing.fill == "stretch":
        pass
    elif framing.fill == "fill":
        across = down = max(across, down)
    else:
        across = down = min(across, down)
    return width * across * framing.zoom, height * down * framing.zoom


def make_picture_matrix(framing: Framing, picture: tuple, display: tuple) -> np.ndarray:
    """Return the 3x3 matrix from display points to picture points (x, y, 1), in pixels from the top left corners.

    UserError: the pinned corners enclose nothing.
    """
    width, height = find_place(framing, picture, display)
    to_place = np.array([[1 / width, 0, -display[0] * (0.5 + framing.x) / width],
                         [0, 1 / height, -display[1] * (0.5 + framing.y) / height], [0, 0, 1]])
    turn = np.eye(3)
    for _ in range(TURNS.index(framing.rotate)):         # a turn of the picture clockwise turns the look at it back
        turn = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]) @ turn
    flip = np.diag([-1.0 if framing.flip in ("horizontal", "both") else 1.0,
                    -1.0 if framing.flip in ("vertical", "both") else 1.0, 1.0])
    to_picture = np.array([[picture[0], 0, picture[0] / 2], [0, picture[1], picture[1] / 2], [0, 0, 1.0]])
    matrix = to_picture @ flip @ turn @ to_place
    if tuple(framing.pin) != CORNERS:
        matrix = matrix @ np.linalg.inv(make_pin_matrix(framing.pin, display))
    return matrix


def make_pin_matrix(pin: tuple, display: tuple) -> np.ndarray:
    """Return the 3x3 matrix that takes the display's corners to their pinned places, in pixels."""
    width, height = display
    sources = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    targets = np.asarray(pin, np.float64).reshape(4, 2) * (width, height)
    rows = []
    for (x, y), (u, v) in zip(sources, targets):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    try:
        solved = np.linalg.solve(np.array(rows), targets.ravel())
    except np.linalg.LinAlgError:
        raise UserError("pin: three corners lie on one line; move one of them") from None
    matrix = np.append(solved, 1.0).reshape(3, 3)
    if abs(np.linalg.det(matrix)) < 1e-9:
        raise UserError("pin: the corners enclose nothing; move them apart")
    return matrix


def make_colour_matrix(framing: Framing) -> np.ndarray:
    """Return the linear part of an output's colour: float64 [3, 4], times (red, green, blue, 1) in 0..1."""
    angle = math.radians(framing.hue)
    luma = np.tile(np.array(LUMA), (3, 1))
    chroma = np.eye(3) - luma
    axis = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    turn = axis + math.cos(angle) * (np.eye(3) - axis) + math.sin(angle) * cross
    matrix = luma @ np.eye(3) + framing.saturation * chroma @ turn @ chroma if framing.hue else luma + framing.saturation * chroma
    gains = np.array([framing.red * (1 + 0.3 * framing.temperature), framing.green, framing.blue * (1 - 0.3 * framing.temperature)])
    matrix = gains[:, None] * framing.contrast * matrix
    return np.concatenate([matrix, np.full((3, 1), 0.5 * (1 - framing.contrast) + framing.brightness)], axis=1)


class Framer:
    """Draws pictures into a display's pixels. display: (width, height). mask: uint8 [H, W] of the display, or None."""

    def __init__(self, display: tuple, mask: np.ndarray | None = None):
        self.display = display
        self._canvas = np.zeros((display[1], display[0], 3), np.uint8)
        self._mask = None if mask is None else np.repeat(mask[:, :, None], 3, axis=2)
        self._pin = Pin(display)

    def draw(self, picture: np.ndarray, framing: Framing) -> np.ndarray:
        """Return the display's pixels for a picture, uint8 [height, width, 3], valid until the next call.

        Where the display has the picture's shape and nothing is turned, they are the picture's own to the bit.
        """
        import cv2

        canvas, shown = self._canvas, apply_colour(picture, framing)
        if framing.blackout >= 1.0:
            canvas[:] = 0
            return canvas
        if tuple(framing.pin) == CORNERS:
            self._lay(shown, framing)
        else:
            canvas = self._draw_pinned(shown, framing)
        if self._mask is not None:
            cv2.multiply(canvas, self._mask, canvas, 1 / 255)
        return canvas

    def _draw_pinned(self, shown, framing):
        """Return the display's pixels with pinned corners: what is around the picture is pinned with it."""
        size, pin, flat = shown.shape[1::-1], make_pin_matrix(framing.pin, self.display), replace(framing, pin=CORNERS)
        rests = self._pin.is_at_rest((size, tuple(getattr(framing, name) for name in GEOMETRY)))
        place = find_place(flat, size, self.display)
        upright = size[::-1] if framing.rotate in ("90", "270") else size
        if rests and framing.fill in ("fit", "fill", "stretch") and place[0] >= upright[0] and place[1] >= upright[1]:
            return self._pin.apply(shown, make_picture_matrix(framing, size, self.display), pin)        # in one step, and no less sharp
        self._lay(shown, flat)
        return self._pin.apply(self._canvas, np.linalg.inv(pin), pin) if rests else self._pin.warp(self._canvas, pin)

    def _lay(self, shown, framing):
        """Draw a picture whose sides are the display's sides."""
        canvas, display = self._canvas, self.display
        width, height = (max(1, round(length)) for length in find_place(framing, shown.shape[1::-1], display))
        left = round(display[0] * (0.5 + framing.x) - width / 2)
        top = round(display[1] * (0.5 + framing.y) - height / 2)
        covered = left <= 0 and top <= 0 and left + width >= display[0] and top + height >= display[1]
        if width > LARGE * display[0] or height > LARGE * display[1]:
            canvas[:] = _warp(shown, make_picture_matrix(framing, shown.shape[1::-1], display), display, "covered" if covered else framing.fill)
            return
        shown = _resize(_orient(shown, framing), width, height)
        if framing.fill in ("mirror", "tile"):
            canvas[:] = _repeat(shown, (left, top), display, framing.fill)
            return
        if not covered and framing.fill == "blur":
            _fill_around(shown, canvas)
        elif not covered:
            canvas[:] = 0
        _paste(shown, left, top, canvas)


def apply_colour(picture: np.ndarray, framing: Framing) -> np.ndarray:
    """Return a picture in an output's colour and darkness; the same object where there is nothing to do."""
    import cv2

    matrix = make_colour_matrix(framing) * (1.0 - framing.blackout if framing.gamma == 1.0 else 1.0)
    if not np.allclose(matrix, np.eye(3, 4), atol=1e-9):
        picture = cv2.transform(picture, np.concatenate([matrix[:, :3], matrix[:, 3:] * 255.0], axis=1))
    if framing.gamma != 1.0:
        levels = 255.0 * (np.arange(256) / 255.0) ** (1 / framing.gamma) * (1.0 - framing.blackout)
        picture = cv2.LUT(picture, np.rint(levels).astype(np.uint8))
    return picture


def _orient(shown, framing):
    """Return a picture flipped, then turned by quarters."""
    import cv2

    if framing.flip != "none":
        shown = cv2.flip(shown, {"horizontal": 1, "vertical": 0, "both": -1}[framing.flip])
    quarter = {"90": cv2.ROTATE_90_CLOCKWISE, "180": cv2.ROTATE_180, "270": cv2.ROTATE_90_COUNTERCLOCKWISE}.get(framing.rotate)
    return shown if quarter is None else cv2.rotate(shown, quarter)


def _resize(shown, width, height):
    import cv2

    if (width, height) == shown.shape[1::-1]:
        return shown
    shrunk = width < shown.shape[1] and height < shown.shape[0]
    return cv2.resize(shown, (width, height), interpolation=cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR)


def _warp(shown, matrix, display, fill):
    """Return the display's pixels by a matrix from display points to picture points."""
    import cv2

    borders = {"mirror": cv2.BORDER_REFLECT, "tile": cv2.BORDER_WRAP, "covered": cv2.BORDER_REPLICATE}
    border = borders.get(fill, cv2.BORDER_CONSTANT)
    return cv2.warpPerspective(shown, shift_to_centres(matrix), display,
                               flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border)


def _repeat(shown, place, display, fill):
    """Return the display's pixels with a picture at a place, repeated or mirrored over all the rest."""
    import cv2

    (left, top), (height, width) = place, shown.shape[:2]
    border = cv2.BORDER_REFLECT if fill == "mirror" else cv2.BORDER_WRAP
    edges = max(top, 0), max(display[1] - top - height, 0), max(left, 0), max(display[0] - left - width, 0)
    around = cv2.copyMakeBorder(shown, *edges, border)
    x, y = max(-left, 0), max(-top, 0)
    return around[y:y + display[1], x:x + display[0]]


def _paste(shown, left, top, canvas):
    """Copy a picture into a canvas, which it may leave at its edges."""
    (height, width), (rows, columns) = shown.shape[:2], canvas.shape[:2]
    x, y, right, bottom = max(left, 0), max(top, 0), min(left + width, columns), min(top + height, rows)
    if x < right and y < bottom:
        canvas[y:bottom, x:right] = shown[y - top:bottom - top, x - left:right - left]


def _fill_around(shown, canvas):
    """Fill a canvas with the picture itself, large, soft and darker."""
    import cv2

    cut = soften(shown, canvas.shape[1::-1])
    cv2.resize(cv2.convertScaleAbs(cut, alpha=DARKER), canvas.shape[1::-1], dst=canvas, interpolation=cv2.INTER_LINEAR)


def soften(shown: np.ndarray, display: tuple) -> np.ndarray:
    """Return the middle of a picture in a display's shape, very small and soft."""
    import cv2
    (columns, rows), small = display, cv2.resize(shown, (SOFT, SOFT), interpolation=cv2.INTER_AREA)
    height = max(1, round(SOFT * min(1.0, rows / columns)))
    width = max(1, round(SOFT * min(1.0, columns / rows)))
    top, left = (SOFT - height) // 2, (SOFT - width) // 2
    return cv2.GaussianBlur(small[top:top + height, left:left + width], (5, 5), 0)


def load_mask(path: str, size: tuple[int, int]) -> np.ndarray | None:
    """Return the edge mask of a PNG in a display's (width, height), uint8 [H, W], or None for none. UserError: it can't be read."""
    if not path:
        return None
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L").resize(size, Image.Resampling.BILINEAR))
    except (OSError, UnidentifiedImageError, ValueError) as error:
        raise UserError(f"mask {path}: can't be read as a picture: {error}") from None
