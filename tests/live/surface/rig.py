"""A show with a tiny network behind a real server, its clock driven by hand or by a thread; and a browser to look at it."""
import contextlib
import shutil
import threading
import types

from engine.clusters import Clusters
from live.show.commands import load_commands
from live.surface import service
from tests.live.memory_rig import Rig

load_commands()
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def options(**changes):
    """Flags as play has them; port 0 is off there, so the rig binds a free one itself."""
    flags = dict(surface_port=0, surface_host="127.0.0.1", surface_token="", surface_watch_token="", surface_name=[], surface_cert=None, surface_key=None, no_browser=True)
    return types.SimpleNamespace(**flags | changes)


class Page:
    """rig: the show. url: where its page is. play(n): n frames, by hand; running(): a thread plays meanwhile."""

    def __init__(self, folder, bends=(), checkpoint="", **flags):
        """checkpoint: the network's file, where the studio is to work with it."""
        (folder / "scenes").mkdir(exist_ok=True)
        self.rig = Rig(folder, bends=bends, weights=True)
        self.show = self.rig.show
        self.rig.screen.name, self.rig.screen.dropped = "kept", 0
        self.show.instrument.clusters = Clusters({"b16.conv1": {"eyes": (0, 1), "3": (2, 3)}})
        self.closing = contextlib.ExitStack()
        about = {"instrument": "tiny", "fps": 30.0, "late": lambda: 0, "size": lambda: 32, "folder": folder, "checkpoint": str(checkpoint)}
        self.server = service.start(self.show, options(**flags), self.closing, about)
        self.url = f"http://127.0.0.1:{self.server.port}/"
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = None

    def play(self, frames=1):
        with self._lock:
            self.rig.play(frames)

    def run(self):
        """Play by a thread until the end."""
        def work():
            while not self._stop.wait(0.01):
                self.play()
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()
        return self

    def close(self):
        self._stop.set()
        if self._thread:
            self._thread.join(5)
        self.closing.close()
        self.rig.close()
