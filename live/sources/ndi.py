"""NDI: what another program or machine sends under a name. NDI® is a trademark of Vizrt NDI AB (ndi.video). Source: SURFACE.md O.3."""
import numpy as np

from engine.errors import UserError
from live.outputs.extras import needed
from live.show.clock import now, sleep
from live.sources import Seen, source
from live.sources.frames import from_pixels

LIBRARIES = ("cyndilib",)
FOUND = 6.0                         # seconds for finding a sender: it is heard of within a few
SILENT = 5.0                        # seconds without a picture after which its sender has gone
POLL = 0.003                        # seconds between looks: cyndilib holds the interpreter while it waits, so it must not


@source
class Ndi:
    """target: a part of the sender's name, default: the first one there is.

    Its pictures are gone once they were seen: a take that was played to one needs them recorded.
    """
    exact, listed = False, ("ndi", "ndi=NAME")

    def __init__(self, target, longest):
        with needed("source ndi", "cyndilib"):
            import cyndilib  # noqa: F401  (only whether it is there: it is opened in the source's thread)
        self.target, self.longest = target, longest

    def pictures(self):
        from cyndilib import Finder, Receiver, RecvBandwidth, RecvColorFormat, VideoRecvFrame
        from cyndilib.receiver import ReceiveFrameType

        finder, receiver, frame = Finder(), None, VideoRecvFrame()
        finder.open()
        try:
            sender = finder.get_source(self._find(finder))
            receiver = Receiver(color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest)
            receiver.set_video_frame(frame)
            receiver.set_source(sender)
            number, came = 0, now()
            while now() - came < SILENT:
                if receiver.receive(ReceiveFrameType.recv_video, 0) & ReceiveFrameType.recv_video:
                    came = now()
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
        """Return a sender's whole name, once it is heard of. UserError: which there are instead."""
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
        pixels = np.empty(frame.get_buffer_size(), np.uint8)
        frame.fill_p_data(pixels)
        return from_pixels(pixels.reshape(height, -1, 4)[:, :width], self.longest)
