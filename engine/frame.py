"""The shape of the picture: the network's own, or continued to another one such as 16:9. Knows numbers and names, no tensors.

A network's constant is a few cells wide (4 x 4 mostly), each of which becomes resolution / 4 pixels. Cells put on both
sides of it make the picture wider, and those above and below it higher. Cells come in pairs, so that the network's own
picture stays in the middle; what is more than the shape asks for is cut off.
"""
import math
import re
from dataclasses import dataclass
from fractions import Fraction

from engine.architecture import MOST_PIXELS, Architecture
from engine.errors import UserError
from engine.parameter import Parameter

LONGEST = 16                        # times the shorter side: more is a mistake
WAYS = ("tile", "mirror", "edge", "noise")

PARAMETERS = {
    "/frame/continue": Parameter("tile", choices=WAYS,
                                 about="what lies beside the square picture: the same again, its mirror image, its edge drawn out, or noise"),
    "/frame/seed": Parameter(1, 0, 2 ** 31 - 1, step=1, about="which noise lies beside the square picture"),
    "/frame/keep": Parameter(1.0, step=1, about="1 = the middle stays the square picture, 0 = the whole width is drawn as one, and its figures join"),
    "/frame/panorama": Parameter(1.0, step=1, about="1 = the world goes round, and one edge continues at the other; 0 = it ends at the edges"),
    "/frame/scroll": Parameter(0.0, -2.0, 2.0, unit="rounds/s", about="how fast a panorama goes round; 0 stays where it is"),
}


def parse_ratio(text: str) -> Fraction:
    """Return width / height of a shape written as 16:9, 16x9, 1920x1080 or 2.39:1. UserError: it is none, or longer than LONGEST."""
    found = re.fullmatch(r"\s*(\d{1,5}(?:\.\d{1,4})?)\s*[:x/]\s*(\d{1,5}(?:\.\d{1,4})?)\s*", text)
    if not found or not all(map(float, found.groups())):
        raise UserError(f"--frame {text}: expected width:height, such as 16:9, 21:9, 9:16 or 4:1")
    ratio = Fraction(found[1]) / Fraction(found[2])
    if not Fraction(1, LONGEST) <= ratio <= LONGEST:
        raise UserError(f"--frame {text}: expected at most {LONGEST}:1 or 1:{LONGEST}")
    return ratio


def ratio_text(ratio: Fraction | None) -> str:
    """Return a width / height as parse_ratio() reads it, "" for the network's own."""
    return f"{ratio.numerator}:{ratio.denominator}" if ratio else ""


@dataclass(frozen=True)
class FrameShape:
    """How the pictures of one architecture are continued to a width / height."""
    own: Architecture
    ratio: Fraction

    def __post_init__(self):
        height, width = self.find_drawn(self.own.resolution)
        if height * width > MOST_PIXELS:
            raise UserError(f"--frame {ratio_text(self.ratio)}: this network would draw {width} x {height} px; expected at most {MOST_PIXELS} pixels")

    @property
    def axis(self) -> int:
        """Return which axis of [..., H, W] is continued: -1 across, -2 down."""
        height, width = self.own.const_size
        return -1 if self.ratio * height >= width else -2

    @property
    def cells(self) -> tuple[int, int]:
        """Return (rows, columns) of the constant."""
        height, width = self.own.const_size
        if self.axis == -1:
            return height, width + 2 * math.ceil((height * self.ratio - width) / 2)
        return height + 2 * math.ceil((width / self.ratio - height) / 2), width

    @property
    def around(self) -> int:
        """Return how many cells there are along the axis."""
        return self.cells[self.axis]

    @property
    def share(self) -> tuple[float, float]:
        """Return how much of the height and width that are drawn is the network's own picture."""
        return self.own.const_size[0] / self.cells[0], self.own.const_size[1] / self.cells[1]

    def find_drawn(self, r: int) -> tuple[int, int]:
        """Return (height, width) that the network draws at resolution r."""
        return r * self.cells[0] // 4, r * self.cells[1] // 4

    def pixels(self, r: int) -> tuple[int, int]:
        """Return (height, width) that is shown of it: even along the axis, for video needs that."""
        height, width = self.own.pixels(r)
        drawn = self.find_drawn(r)
        if self.axis == -1:
            return height, max(2, min(drawn[1], 2 * round(height * self.ratio / 2)))
        return max(2, min(drawn[0], 2 * round(width / self.ratio / 2))), width
