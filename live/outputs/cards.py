"""Test cards: what a technician wants to see on a display instead of the picture. Pictures only: knows no windows."""
import numpy as np

LIBRARIES = ("cv2",)
GREY, BRIGHT = 60, 235


def draw_card(kind: str, size: tuple[int, int], picture: np.ndarray, name: str) -> np.ndarray:
    """Return a test card of a display's (width, height), uint8 [H, W, 3], or the picture itself for "off"."""
    return CARDS[kind](size, name) if kind in CARDS else picture


def draw_grid(size, name) -> np.ndarray:
    """Return squares, a frame, diagonals and a circle: what is crooked, cut off or out of focus shows."""
    import cv2

    width, height = size
    card = np.zeros((height, width, 3), np.uint8)
    step = max(8, min(size) // 12)
    for x in range(width // 2 % step, width, step):
        cv2.line(card, (x, 0), (x, height), (GREY,) * 3)
    for y in range(height // 2 % step, height, step):
        cv2.line(card, (0, y), (width, y), (GREY,) * 3)
    cv2.line(card, (0, 0), (width - 1, height - 1), (GREY, GREY, BRIGHT))
    cv2.line(card, (0, height - 1), (width - 1, 0), (GREY, GREY, BRIGHT))
    cv2.circle(card, (width // 2, height // 2), min(size) // 2 - 1, (BRIGHT, GREY, GREY), 2, cv2.LINE_AA)
    cv2.rectangle(card, (0, 0), (width - 1, height - 1), (BRIGHT,) * 3, 3)
    _write(card, f"{name}  {width} x {height}", 0.03)
    return card


def draw_white(size, _name) -> np.ndarray:
    """Return full white."""
    return np.full((size[1], size[0], 3), 255, np.uint8)


def draw_ramp(size, _name) -> np.ndarray:
    """Return ramps of grey, red, green and blue from dark to light: what is crushed or burnt shows."""
    ramp = np.linspace(0, 255, size[0]).round().astype(np.uint8)
    card = np.zeros((size[1], size[0], 3), np.uint8)
    quarter = -(-size[1] // 4)
    card[:quarter] = ramp[None, :, None]
    for channel in range(3):
        card[quarter * (channel + 1):quarter * (channel + 2), :, channel] = ramp
    return card


def draw_number(size, name) -> np.ndarray:
    """Return the output's name, as large as it fits: which display is which."""
    card = np.full((size[1], size[0], 3), 20, np.uint8)
    _write(card, name, 0.5)
    return card


CARDS = {"grid": draw_grid, "white": draw_white, "ramp": draw_ramp, "number": draw_number}


def _write(card, text, share):
    """Write a text into the middle of a card, so high a share of it, or as wide as fits."""
    import cv2

    height, width = card.shape[:2]
    font = cv2.FONT_HERSHEY_SIMPLEX
    text = text.encode("ascii", "replace").decode()      # the font has no other letters
    (across, down), _ = cv2.getTextSize(text, font, 1.0, 2)
    scale = min(height * share / down, width * 0.9 / across)
    weight = max(1, round(2 * scale))
    (across, down), _ = cv2.getTextSize(text, font, scale, weight)
    cv2.putText(card, text, ((width - across) // 2, (height + down) // 2), font, scale, (BRIGHT,) * 3, weight, cv2.LINE_AA)
