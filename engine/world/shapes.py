"""Drawing tools: signed distances (negative inside), soft edges, and a canvas that remembers who is on top.

Letters: N batch, H, W pixels. Coordinates and distances are [N, H, W] in half pictures.
"""
import torch

from engine.easing import smoothstep

SHARPEST = 0.0047    # half pictures: beyond 580 px edges stay this wide (2.4 px at 1024), as four channels can learn them


def grid(left, top, pitch, height, width):
    """Return x, y [N, H, W] of the pixel centres of a window: left, top [N] its corner, pitch the size of a pixel."""
    x = left[:, None, None] + (torch.arange(width, device=left.device) + 0.5) * pitch
    y = top[:, None, None] + ((torch.arange(height, device=left.device) + 0.5) * pitch)[:, None]
    shape = (len(left), height, width)
    return x.expand(shape), y.expand(shape)


def length(x, y):
    return torch.sqrt(x * x + y * y + 1e-8)


def ellipse(x, y, rx, ry):
    """Return the first-order distance to an axis-aligned ellipse: exact on its edge, fair near it."""
    near = torch.sqrt((x / rx).square() + (y / ry).square() + 1e-8)
    slope = torch.sqrt((x / (rx * rx)).square() + (y / (ry * ry)).square() + 1e-8 / (rx * ry))
    return near * (near - 1) / slope


def lens(x, y, half_width, up, down):
    """Return an almond: parabolic lids `up` above and `down` below the axis, meeting at +-half_width."""
    t = x / half_width
    arch = 1 - t * t
    lid = torch.where(y < 0, up, down)
    slope = torch.sqrt(1 + (2 * lid * t / half_width).square())
    return (y.abs() - lid * arch) / slope


def smooth(x, low, high):
    """Return 0 below low, 1 above high, cubic between."""
    return smoothstep(((x - low) / (high - low)).clamp(0, 1))


def rotate(x, y, angle):
    c, s = torch.cos(angle), torch.sin(angle)
    return x * c + y * s, y * c - x * s


class Canvas:
    """A picture under way, back to front. `lay` puts a named part on top; the light functions change colours only."""

    def __init__(self, pitch):
        self.softness = max(1.4 * pitch, SHARPEST)       # a diagonal pixel: the width over which an edge fades
        self.picture = torch.zeros(())                   # [N, 3, H, W] in 0..1, from the first part on
        self.layers: list = []                           # (name, coverage [N, H, W]) back to front

    def cover(self, distance):
        """Return coverage 0..1 of signed distances, the edge one pixel wide."""
        return (0.5 - distance / self.softness).clamp(0, 1)

    def lay(self, name, coverage, colour):
        over = coverage[:, None]
        self.picture = torch.lerp(self.picture, colour.expand_as(self.picture), over) if self.layers else colour * over
        self.layers.append((name, coverage))

    def tint(self, amount, colour):
        """Mix a colour in without laying a part: shadow, blush."""
        self.picture = torch.lerp(self.picture, colour.expand_as(self.picture), amount[:, None])

    def shine(self, amount, colour):
        """Add light, as two projectors on one wall do: never beyond white."""
        self.picture = 1 - (1 - self.picture) * (1 - (amount[:, None] * colour).clamp(0, 1))

    def visible(self):
        """Return {name: [N, H, W]}: the share of each pixel where the part is on top. They sum to 1."""
        shown: dict[str, torch.Tensor] = {}
        left = 1.0
        for name, coverage in reversed(self.layers):
            here = coverage * left
            shown[name] = (shown[name] + here).clamp(max=1) if name in shown else here          # rounding goes beyond
            left = left * (1 - coverage)
        return shown
