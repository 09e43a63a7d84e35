"""Syphon: pictures to programs on the same Mac, as Resolume, MadMapper, VDMX and OBS take them.

Untested on real hardware: written from syphon-python's interface (SURFACE.md O.4). Pictures go through the processor's memory.
"""
from live.outputs import output
from live.outputs.extras import check_system, import_extra

LIBRARIES = ("cv2", "syphon")


@output
class Syphon:
    """called: the server's name, which receivers choose from."""
    apart, called = True, "Latent Jockey"

    def __init__(self, called=called):
        check_system("output syphon", "darwin", instead="Windows has --output spout, and --output ndi is everywhere")
        with import_extra("output syphon", "syphon-python"):
            import syphon
        self.name, self._server, self._texture, self._size = called, None, None, None
        self._directory = syphon.SyphonServerDirectory()
        self._directory.run_loop_interval = 0.0          # one look at what waits: it must not hold up the pictures

    def run_once(self, emit, wait=0.0):
        """Answer programs that ask which servers there are. Main thread only, often: without it nobody finds this one."""
        self._directory.update_run_loop()

    def send(self, frame):
        """Publish a picture."""
        import cv2
        import syphon
        from syphon.utils.numpy import copy_image_to_mtl_texture
        from syphon.utils.raw import create_mtl_texture

        if self._server is None:
            self._server = syphon.SyphonMetalServer(self.name)
        height, width = frame.pixels.shape[:2]
        if self._size != (width, height):
            self._texture, self._size = create_mtl_texture(self._server.device, width, height), (width, height)
        copy_image_to_mtl_texture(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2RGBA), self._texture)
        self._server.publish_frame_texture(self._texture, is_flipped=True)           # our first row is the upper one

    def close(self):
        """End the server."""
        if self._server is not None:
            self._server.stop()
            self._server = None
