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

    def __init__(self, folder, bends=(), checkpoint="", generator=None, size=None, **flags):
        """checkpoint: the network's file or folder, where the studio is to work with it. generator, size: of another network than the tiny one."""
        (folder / "scenes").mkdir(exist_ok=True)
        self.rig = Rig(folder, generator, bends=bends, weights=True, size=size)
        self.show = self.rig.show
        self.rig.screen.name, self.rig.screen.dropped = "kept", 0
        self.show.instrument.clusters = Clusters({"b16.conv1": {"eyes": (0, 1), "3": (2, 3)}})
        self.closing = contextlib.ExitStack()
        about = {"instrument": "tiny", "fps": 30.0, "late": lambda: 0, "size": lambda: 32, "folder": folder, "checkpoint": str(checkpoint)}
        self.server = service.start_surface(self.show, options(**flags), self.closing, about)
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
            self._thread.join(60)
        self.closing.close()
        self.rig.close()


STEADY = """(selector) => new Promise((resolve) => {
    let before = "", since = 0, frames = 0;
    const look = () => {
        const one = document.querySelector(selector), box = one && one.getBoundingClientRect(), now = box ? [box.x, box.y, box.width, box.height].join() : "";
        if (!now || now !== before) { before = now; since = performance.now(); frames = 0; } else frames += 1;
        if (frames >= 5 && performance.now() - since > 400) resolve(true); else requestAnimationFrame(look);
    };
    look();
})"""


def find_box(page, selector):
    """Where the first of these lies, once it has come to rest: what a page is told while it opens moves what it shows."""
    page.wait_for_selector(selector)
    page.locator(selector).first.scroll_into_view_if_needed()
    page.evaluate(STEADY, selector)
    return page.locator(selector).first.bounding_box()


def insist(page, gesture, taken, tries=12) -> int:
    """Make a gesture until it is taken for what it is, a few seconds each time; returns how often it was not: a slow page takes a drag for a hold."""
    pause = threading.Event()
    for missed in range(tries):
        gesture()
        for _ in range(250):
            if taken():
                return missed
            pause.wait(0.02)
        page.keyboard.press("Escape")                     # whatever it has opened
    raise AssertionError("it was never taken")


def furnish(shown):
    """Have something of each kind on every view."""
    shown.rig.send("/bends/add", "turn", "b16.conv1", "eyes", "rotate", 0.0)
    shown.rig.send("/modulators/add", "swell", "/truncation", "sine", 0.2)
    shown.rig.send("/preset/store", "first")
