import math

import torch

from engine.bends import transform
from engine.parameter import Parameter
from engine.region import make_middle
from engine.sampling import unless

TURN = 2.399963                     # radians from one copy to the next in a spiral: the golden angle
FAR = 9.0                           # half map widths: nothing there is seen


@transform(pattern=Parameter("ring", choices=("ring", "row", "spiral"), about="how the copies stand"),
           count=Parameter(6, 1, 16, step=1, about="copies"),
           spread=Parameter(0.45, 0.0, 2.0, unit="half map widths", about="how far away they stand; in a row, from end to middle"),
           angle=Parameter(0.0, -360.0, 360.0, unit="degrees", about="where the first one stands; turn it and they go round"),
           size=Parameter(0.7, 0.0, 2.0, about="of the copies"),
           middle=Parameter(1.0, 1.0, 3.0, about="how much larger what is copied becomes itself; 1 = as it is"),
           static=("pattern", "count"), moves=True, neutral={"size": 0.0, "middle": 1.0}, shown={"middle": 1.5})
def repeat(x, pattern, count, spread, angle, size, middle, *, place=None):
    """Copies of what is here in a ring, a row or a spiral, about it: third eyes, crowns of eyes."""
    where = make_middle(x.device) if place is None else place

    def paste():
        ways, sizes = _standing(pattern, int(count), spread, angle, size)
        if isinstance(middle, torch.Tensor):
            stays = middle == 1                              # then it is not pasted: made a point, and far outside
            return where.paste(x, [*ways, (torch.where(stays, FAR, 0.0), 0.0)], [*sizes, torch.where(stays, 0.0, middle)])
        return where.paste(x, ways, sizes) if middle == 1 else where.paste(x, [*ways, (0.0, 0.0)], [*sizes, middle])

    return unless((size == 0) & (middle == 1), x, paste)


def _standing(pattern, count, spread, angle, size):
    """Return (the way to each copy, its size)."""
    ways, sizes = [], []
    first = angle * (math.pi / 180) - math.pi / 2
    for n in range(count):
        if pattern == "row":
            away, turned = spread * (2 * (n + 0.5) / count - 1), first + math.pi / 2
        elif pattern == "spiral":
            away, turned = spread * math.sqrt((n + 1) / count), first + n * TURN
        else:
            away, turned = spread, first + 2 * math.pi * n / count
        c, s = (torch.cos(turned), torch.sin(turned)) if isinstance(turned, torch.Tensor) else (math.cos(turned), math.sin(turned))
        ways.append((away * c, away * s))
        sizes.append(size * (0.4 + 0.6 * (n + 1) / count) if pattern == "spiral" else size)
    return ways, sizes
