"""A part of a screen: what another program shows there plays the network."""
import numpy as np

from engine.errors import UserError
from live.outputs.extras import import_extra
from live.show.clock import now
from live.sources import Seen, source
from live.sources.frames import convert_pixels

LIBRARIES = ("mss",)
FPS = 30
WAYLAND = "under Wayland programs can't look at the screen; log in to an X11 session"


@source
class Screen:
    """target: the display's number, default 0, and, after a comma, the region's left, top, width and height in pixels.

    Its pictures are gone once they were seen: a take that was played to one needs them recorded.
    """
    exact, listed, default = False, ("screen", "screen=DISPLAY", "screen=DISPLAY,LEFT,TOP,WIDTH,HEIGHT"), "0"

    def __init__(self, target, longest):
        with import_extra("source screen", "mss"):
            import mss  # noqa: F401  (only whether it is there: it is opened in the source's thread)
        try:
            self.display, *region = (int(part) for part in target.split(","))
        except ValueError:
            self.display, region = -1, []
        if self.display < 0 or len(region) not in (0, 4) or any(side <= 0 for side in region[2:]) or any(place < 0 for place in region[:2]):
            raise UserError(f"source screen={target}: expected a display, or DISPLAY,LEFT,TOP,WIDTH,HEIGHT in pixels, as screen=0,100,50,640,360")
        self.target, self.region, self.longest = target, region, longest

    def pictures(self):
        import mss

        try:
            with mss.MSS() as grabber:
                place, start = self._find_place(grabber.monitors[1:]), now()
                number = 0
                while True:
                    pixels = np.asarray(grabber.grab(place))
                    yield Seen(convert_pixels(pixels, self.longest, "bgr"), number, number / FPS, 1 / FPS)
                    number = max(number + 1, int((now() - start) * FPS))
        except mss.ScreenShotError as error:
            raise UserError(f"source screen: {error}; {WAYLAND}") from None

    def at(self, number):
        raise KeyError(number)

    def close(self):
        pass

    def _find_place(self, displays) -> dict:
        """Return the region among all displays. UserError: there is no such display, or it is smaller."""
        if self.display >= len(displays):
            raise UserError(f"source screen={self.target}: there are {len(displays)} displays, counted from 0")
        whole = displays[self.display]
        left, top, width, height = self.region or (0, 0, whole["width"], whole["height"])
        if left + width > whole["width"] or top + height > whole["height"]:
            raise UserError(f"source screen={self.target}: display {self.display} has {whole['width']} x {whole['height']} pixels")
        return {"left": whole["left"] + left, "top": whole["top"] + top, "width": width, "height": height}
