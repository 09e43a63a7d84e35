"""Syphon: what another program on the same Mac sends. Untested on real hardware: from syphon-python's interface (SURFACE.md O.4)."""
from engine.errors import UserError
from live.outputs.extras import check_system, import_extra
from live.show.clock import now, sleep
from live.sources import Seen, source
from live.sources.frames import convert_pixels

LIBRARIES = ("syphon",)
FPS = 60                            # looks a second
FOUND = 5.0                         # seconds for finding a server
BGRA = 80                           # Metal's number for the order of channels that Syphon uses


@source
class Syphon:
    """target: a part of the server's or its program's name, default: the first one there is.

    Its pictures are gone once they were seen: a take that was played to one needs them recorded.
    """
    exact, listed = False, ("syphon", "syphon=NAME")

    def __init__(self, target, longest):
        check_system("source syphon", "darwin", instead="Windows has --source spout, and --source ndi is everywhere")
        with import_extra("source syphon", "syphon-python"):
            import syphon  # noqa: F401  (only whether it is there: what it opens belongs to the source's thread)
        self.target, self.longest = target, longest

    def pictures(self):
        import syphon
        from syphon.utils.numpy import copy_mtl_texture_to_image

        client = syphon.SyphonMetalClient(self._find(syphon.SyphonServerDirectory()))
        try:
            number = 0
            while client.is_valid:
                if client.has_new_frame:
                    texture = client.new_frame_image
                    pixels = copy_mtl_texture_to_image(texture)[::-1]                # Syphon's first row is the lower one
                    yield Seen(convert_pixels(pixels, self.longest, "bgr" if texture.pixelFormat() == BGRA else "rgb"), number, None, 1 / FPS)
                    number += 1
                sleep(1 / FPS)
        finally:
            client.stop()

    def at(self, number):
        raise KeyError(number)

    def close(self):
        pass

    def _find(self, directory):
        """Return a server's description. UserError: which there are instead."""
        directory.run_loop_interval, began, servers = 0.1, now(), []
        while now() - began < FOUND:
            servers = directory.servers
            for server in servers:
                if self.target.lower() in f"{server.app_name} {server.name}".lower():
                    return server
        there = ", ".join(f"{server.app_name} {server.name}".strip() for server in servers) or "none"
        raise UserError(f"source syphon={self.target}: no such server; there are: {there}")
