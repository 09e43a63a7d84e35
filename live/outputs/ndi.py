"""NDI: pictures over the network, found by name in Resolume, OBS, TouchDesigner, MadMapper. NDI® is a trademark of Vizrt NDI AB (ndi.video).

The library that cyndilib brings copies each picture and lets go of the interpreter while it does. Source: SURFACE.md O.3.
"""
from fractions import Fraction
from typing import Any, cast

import numpy as np

from engine.errors import UserError
from live.outputs import output
from live.outputs.extras import import_extra
from live.show.clock import now

LIBRARIES = ("cv2", "cyndilib")
UNSEEN = 1.0                        # seconds between pictures while nobody receives them: one that comes finds one at once
LONGEST = 100                       # letters of a name


@output
class Ndi:
    """called: its name in the network. fps: what receivers are told."""
    apart, called = True, "Latent Jockey"

    def __init__(self, called=called, fps=30.0):
        with import_extra("output ndi", "cyndilib"):
            import cyndilib  # noqa: F401  (only whether it is there: the sender belongs to the thread that sends)
        self.name, self.fps = called, fps
        self._sender = cast(Any, None)
        self._size, self._at = (0, 0), -UNSEEN
        self._pixels = np.empty((0, 0, 4), np.uint8)

    @staticmethod
    def check(spec):
        """Raise UserError where a name is none that receivers could show."""
        name = spec.find_sender_name(Ndi.called)
        if len(name) > LONGEST or not name.isprintable():
            raise UserError(f"output {spec.name}: ndi={name!r}: expected a name of up to {LONGEST} letters in one line")

    def send(self, frame):
        """Send a picture to all who receive it; while there is nobody, one a second."""
        import cv2

        height, width = frame.pixels.shape[:2]
        if self._size != (width, height):
            self.close()
            self._open(width, height)
        if not self._sender.get_num_connections(0) and now() - self._at < UNSEEN:
            return
        self._at = now()
        cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2RGBA, self._pixels)
        self._sender.write_video_async(self._pixels.ravel())

    def close(self):
        """Leave the network."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def _open(self, width, height):
        from cyndilib import FourCC, Sender, VideoSendFrame

        picture = VideoSendFrame()
        picture.set_resolution(width, height)
        picture.set_frame_rate(to_exact_rate(self.fps))
        picture.set_fourcc(FourCC.RGBX)
        self._sender = Sender(self.name, clock_video=False, clock_audio=False)       # the show has its own clock
        self._sender.set_video_frame(picture)
        self._sender.open()
        self._size, self._pixels = (width, height), np.empty((height, width, 4), np.uint8)


def to_exact_rate(fps: float) -> Fraction:
    """Return frames a second as broadcasters count them: 29.97 is 30000/1001, 30 is 30."""
    film = Fraction(round(fps * 1.001) * 1000, 1001)
    if fps != round(fps) and abs(film - fps) < 0.01:
        return film
    return Fraction(fps).limit_denominator(1000)
