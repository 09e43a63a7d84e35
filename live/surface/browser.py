"""Opening the page in a browser at the start of a show. Knows the screen and the address, no shows.

The browser is started by a process of its own, out of the terminal's sight: some are slow, some wait, some read what is typed.
"""
import logging
import os
import subprocess
import sys
import threading

from live.show.threads import make_thread

log = logging.getLogger(__name__)

PATIENCE = 5.0                      # seconds in which a page that was left open finds the show again; see page/link.js, WAITS
OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"
REMOTE = ("SSH_CONNECTION", "SSH_TTY")


def has_screen(environment=os.environ, platform=sys.platform) -> bool:
    """Return whether a browser opened on this machine would be seen by the user who started the show."""
    if any(environment.get(name) for name in REMOTE):
        return False
    return platform in ("darwin", "win32") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


class Opening:
    """Opens an address in the browser once it is plain that no page is open already: is_open() says so.

    Nothing waits for it: a thread does it, and close() ends that before it has.
    """

    def __init__(self, address: str, is_open, patience: float | None = None):
        self.address, self.is_open, self.patience = address, is_open, PATIENCE if patience is None else patience
        self._closing = threading.Event()
        self.thread = make_thread("browser", self._work)

    def start(self):
        """Begin to wait; returns itself."""
        self.thread.start()
        return self

    def close(self):
        """End of the show: what was not opened stays closed; what was, is the browser's own."""
        self._closing.set()

    def _work(self):
        if self._closing.wait(self.patience) or self.is_open():
            return
        try:
            started = subprocess.Popen([sys.executable, "-c", OPEN, self.address], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True)
        except OSError as error:
            log.info("no browser was opened: %s", error)
            return
        if started.wait():
            log.info("no browser was found to open the page in; its address is above")
