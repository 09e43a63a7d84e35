"""Spout: pictures to programs on the same Windows machine, as Resolume, TouchDesigner, MadMapper and OBS (with its plugin) take them.

Untested on real hardware: written from SpoutGL's interface (SURFACE.md O.4). Pictures go through the processor's memory.
"""
from live.outputs import output
from live.outputs.extras import check_system, import_extra

LIBRARIES = ("cv2", "SpoutGL")
GL_RGBA = 0x1908


@output
class Spout:
    """called: the name receivers choose from."""
    apart, called = True, "Latent Jockey"

    def __init__(self, called=called):
        check_system("output spout", "win32", instead="macOS has --output syphon, and --output ndi is everywhere")
        with import_extra("output spout", "SpoutGL"):
            import SpoutGL  # noqa: F401  (only whether it is there: what it opens belongs to the thread that sends)
        self.name, self._sender = called, None

    def send(self, frame):
        """Hand a picture to the graphics card under this name."""
        import cv2
        import SpoutGL

        if self._sender is None:
            self._sender = SpoutGL.SpoutSender()
            self._sender.setSenderName(self.name)
        height, width = frame.pixels.shape[:2]
        pixels = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2RGBA)
        if not self._sender.sendImage(pixels, width, height, GL_RGBA, False, 0):
            raise RuntimeError("spout: the graphics card takes no picture; is its driver there, and are both programs on the same card?")
        self._sender.setFrameSync(self.name)

    def close(self):
        """Take the name back."""
        if self._sender is not None:
            self._sender.releaseSender()
            self._sender = None
