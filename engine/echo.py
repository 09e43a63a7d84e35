"""The echo: what was shown before stays in the picture for a while, grows, turns and fades. Knows finished pictures, no network.

Pictures are uint8 [H, W, 3] on the CPU and are written to in place. The trail is kept at LARGEST px at most, which is enough for
what is soft, and in float32, so that it fades to nothing. It depends on the pictures since it was last off, which a take plays
again in order; speeds are per second of the motion's own time, so it looks the same at any rate of frames.
"""
import math

import torch
from torch.nn import functional as F

from engine.compiled.functions import find_passes
from engine.parameter import Parameter

LARGEST = 384                       # px of the trail
LONGEST = 60.0                      # seconds without a picture (a freeze) after which a trail begins anew: no decay is longer
LEFT = 0.1                          # of a trail's light, when its decay is over
SHARES = 128                        # the trail is laid over a picture in so many steps: 255 times it is a 16-bit number

PARAMETERS = {
    "/echo/amount": Parameter(0.0, about="how much of what was shown before stays in the picture; at 0 nothing is kept, and nothing computed"),
    "/echo/decay": Parameter(1.5, 0.05, 60.0, curve="log", unit="s", about="how long it stays: then a tenth of its light is left"),
    "/echo/zoom": Parameter(1.25, 0.1, 10.0, curve="log", unit="times/s", about="how much larger it becomes each second; below 1 smaller"),
    "/echo/turn": Parameter(0.0, -360.0, 360.0, unit="degrees/s", about="how fast it turns, counter-clockwise"),
    "/echo/way": Parameter("light", choices=("light", "over"), about="light: what is brighter is seen; over: each picture covers the one before bit by bit"),
}


class Echo:
    """The echo of one show."""

    def __init__(self):
        self.forget()

    def forget(self):
        """Forget the pictures shown before."""
        self._trail: torch.Tensor | None = None         # [1, 3, h, w], 0..255
        self._at = 0.0

    def play(self, scene, time: float, pixels):
        """Lay what was shown before over `pixels`, uint8 [H, W, 3], and keep them for the next time; time: the motion's, in seconds."""
        amount = scene["/echo/amount"]
        if amount <= 0:
            return self.forget()
        gone, self._at = time - self._at, time
        passes = find_passes() if pixels.shape[1] % 4 == 0 and pixels.is_contiguous() else None
        shape = (*_find_size(pixels), 4) if passes else (1, 3, *_find_size(pixels))
        if self._trail is None or self._trail.shape != shape or not 0 <= gone <= LONGEST:
            self._trail = passes.carry(torch.zeros(shape), pixels, (1.0, 0.0), 0.0, False)[1] if passes else _reduce(pixels)
            return None
        left, over = LEFT ** (gone / scene["/echo/decay"]), scene["/echo/way"] != "light"
        moved = _find_matrix(scene["/echo/zoom"] ** gone, scene["/echo/turn"] * gone)
        if passes:
            before, self._trail = passes.carry(self._trail, pixels, moved, left, over)
            passes.lay(pixels, before, amount * left if over else amount, over)
        else:
            self._trail = _play_by_torch(self._trail, pixels, moved, left, amount, over)
        return None


def _play_by_torch(trail, pixels, moved, left, amount, over):
    """Lay a trail [1, 3, h, w] over the pixels, and return it with them in it: what passes compiled from C do in two."""
    now, before = _reduce(pixels), _carry(trail, *moved)
    if over:
        _mix(pixels, _enlarge(before, pixels), left * amount)
        return now.lerp_(before, left)
    before.mul_(left)
    _mix(pixels, torch.maximum(pixels, _enlarge(before, pixels)), amount)
    return torch.maximum(now, before, out=before)


def _find_size(pixels) -> tuple[int, ...]:
    """Return (height, width) of a picture's trail, of LARGEST px at most."""
    most = max(pixels.shape[:2])
    return tuple(pixels.shape[:2]) if most <= LARGEST else tuple(max(1, round(side * LARGEST / most)) for side in pixels.shape[:2])


def _find_matrix(zoom: float, degrees: float) -> tuple[float, float]:
    """Return (cosine, sine) of a turn, over how much larger things become."""
    return math.cos(math.radians(degrees)) / zoom, math.sin(math.radians(degrees)) / zoom


def _reduce(pixels):
    """Return a picture as float32 [1, 3, h, w], of its trail's size."""
    picture, size = pixels.permute(2, 0, 1)[None], _find_size(pixels)
    if size != tuple(pixels.shape[:2]):
        picture = F.interpolate(picture, size, mode="bilinear", align_corners=False)
    return picture.float()


def _carry(trail, c: float, s: float):
    """Return the trail moved by _find_matrix()'s numbers about the middle; black comes in from outside."""
    height, width = trail.shape[2:]
    matrix = torch.tensor([[[c, -s * height / width, 0.0], [s * width / height, c, 0.0]]])
    return F.grid_sample(trail, F.affine_grid(matrix, list(trail.shape), align_corners=False), align_corners=False)


def _enlarge(trail, pixels):
    """Return the trail as a picture uint8 [H, W, 3] like `pixels`."""
    picture = trail.permute(0, 2, 3, 1).add(0.5).to(torch.uint8).permute(0, 3, 1, 2)       # channels last
    if picture.shape[2:] != pixels.shape[:2]:
        picture = F.interpolate(picture, pixels.shape[:2], mode="bilinear", align_corners=False)
    return picture[0].permute(1, 2, 0)


def _mix(pixels, other, amount: float):
    """Bring the pixels so far towards another picture."""
    share = round(amount * SHARES)
    if share >= SHARES:
        pixels.copy_(other)
    else:
        way = other.to(torch.int16).sub_(pixels).mul_(share).bitwise_right_shift_(7)
        pixels.add_(way.to(torch.uint8))                                        # wraps around: what is negative comes out right
