"""NDI: what another program or machine sends under a name. NDI® is a trademark of Vizrt NDI AB (ndi.video). Source: SURFACE.md O.3."""
import numpy as np

from engine.errors import UserError
from live.outputs.extras import import_extra
from live.show.clock import now, sleep
from live.sources import Seen, source
from live.sources.frames import convert_pixels

LIBRARIES = ("cyndilib",)
FOUND = 6.0                         # seconds for finding a sender: it is heard of within a few
SILENT = 5.0                        # seconds without a picture after which its sender has gone
POLL = 0.003                        # seconds between looks at the newest picture, of some microseconds each


@source
class Ndi:
    """target: a part of the sender's name, default: the first one there is.

    Its pictures are gone once they were seen: a take that was played to one needs them recorded.
    """
    exact, listed = False, ("ndi", "ndi=NAME")

    def __init__(self, target, longest):
        with import_extra("source ndi", "cyndilib"):
            import cyndilib  # noqa: F401  (only whether it is there: it is opened in the source's thread)
        self.target, self.longest = target, longest

    def pictures(self):
        from cyndilib import Finder, Receiver, RecvBandwidth, RecvColorFormat
        from cyndilib.video_frame import VideoFrameSync

        finder, receiver, frame = Finder(), None, VideoFrameSync()
        finder.open()
        try:
            sender = finder.get_source(self._find(finder))
            receiver = Receiver(color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest)
            newest = receiver.frame_sync                 # asked without waiting: receive() loses most pictures then, and else holds the interpreter
            newest.set_video_frame(frame)
            receiver.set_source(sender)
            number, came, before = 0, now(), None
            while now() - came < SILENT:
                newest.capture_video()
                if min(frame.get_resolution()) > 0 and (sent := frame.get_timestamp_posix()) != before:
                    came, before = now(), sent
                    yield Seen(self._read(frame), number, None, 1 / float(frame.get_frame_rate() or 1))
                    number += 1
                else:
                    sleep(POLL)
        finally:
            if receiver is not None:
                receiver.disconnect()
            finder.close()

    def at(self, number):
        raise KeyError(number)

    def close(self):
        pass

    def _find(self, finder) -> str:
        """Return a sender's whole name, once it has been found on the network. UserError: which others there are."""
        began, names = now(), []
        while now() - began < FOUND:
            names = finder.get_source_names()
            if found := [name for name in names if self.target.lower() in name.lower()]:
                return found[0]
            sleep(0.1)
        there = f"there are: {', '.join(names)}" if names else "none is heard of; on another network, name its machine in NDI's access manager"
        raise UserError(f"source ndi={self.target}: no such sender; {there}")

    def _read(self, frame) -> np.ndarray:
        width, height = frame.get_resolution()
        pixels = np.array(frame.get_array(), np.uint8)
        return convert_pixels(pixels.reshape(height, -1, 4)[:, :width], self.longest)
