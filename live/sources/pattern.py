"""A test pattern: colour bars, a grey ramp, and a disc that goes round, so that one sees whether pictures arrive."""
import math

import numpy as np

from engine.errors import UserError
from live.sources import Seen, source

BARS = ((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255))
FPS, ROUND = 30, 240                # pictures a second, and until it begins anew


@source
class Pattern:
    """target: nothing, or "still"."""
    exact = True

    def __init__(self, target, longest):
        if target not in ("", "still"):
            raise UserError(f"source pattern={target}: expected nothing, or still")
        self.still, self.size = target == "still", min(longest, 512)

    def pictures(self):
        frame = 0
        while True:
            yield Seen(self.at(frame % ROUND), frame % ROUND, frame / FPS, None if self.still else 1 / FPS)
            if self.still:
                return
            frame += 1

    def at(self, number):
        if not 0 <= number < ROUND:
            raise KeyError(number)
        size = self.size
        y, x = np.mgrid[:size, :size] / size
        picture = np.array(BARS, np.uint8)[(x * len(BARS)).astype(int)]
        picture[y > 0.75] = (x * 255).astype(np.uint8)[y > 0.75][:, None]
        turn = 2 * math.pi * number / ROUND
        disc = (x - 0.5 - 0.3 * math.cos(turn)) ** 2 + (y - 0.4 - 0.25 * math.sin(turn)) ** 2 < 0.01
        picture[disc] = (20, 20, 20)
        return picture

    def close(self):
        pass
