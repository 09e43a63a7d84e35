"""Spout: what another program on the same Windows machine sends. Untested on real hardware: from SpoutGL's interface (SURFACE.md O.4)."""
import numpy as np

from engine.errors import UserError
from live.outputs.extras import check_system, import_extra
from live.show.clock import now, sleep
from live.sources import Seen, source
from live.sources.frames import convert_pixels

LIBRARIES = ("SpoutGL",)
GL_RGBA = 0x1908
FPS = 60                            # looks a second
SILENT = 5.0                        # seconds without a picture after which its sender has gone


@source
class Spout:
    """target: the sender's name, default: the one that was opened last.

    Its pictures are gone once they were seen: a take that was played to one needs them recorded.
    """
    exact, listed = False, ("spout", "spout=NAME")

    def __init__(self, target, longest):
        check_system("source spout", "win32", instead="macOS has --source syphon, and --source ndi is everywhere")
        with import_extra("source spout", "SpoutGL"):
            import SpoutGL  # noqa: F401  (only whether it is there: what it opens belongs to the source's thread)
        self.target, self.longest = target, longest

    def pictures(self):
        import SpoutGL

        receiver = SpoutGL.SpoutReceiver()
        try:
            if self.target:
                receiver.setReceiverName(self.target)
            pixels, number, came = None, 0, now()
            while now() - came < SILENT:
                got = receiver.receiveImage(pixels, GL_RGBA, False, 0)
                if receiver.isUpdated():                 # another sender, or another size: the next picture is of that
                    pixels = np.zeros((receiver.getSenderHeight(), receiver.getSenderWidth(), 4), np.uint8)
                elif got and pixels is not None:
                    came = now()
                    yield Seen(convert_pixels(pixels, self.longest), number, None, 1 / FPS)
                    number += 1
                sleep(1 / FPS)
            if not number:
                names = ", ".join(receiver.getSenderList()) or "none"
                raise UserError(f"source spout={self.target}: no such sender; there are: {names}")
        finally:
            receiver.releaseReceiver()

    def at(self, number):
        raise KeyError(number)

    def close(self):
        pass
