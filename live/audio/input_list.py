"""Which sound inputs there are, for a page to show: looked for beside the show, which waits for no driver."""
import threading
from collections.abc import Callable

from live.audio.device import list_inputs
from live.audio.port_audio import LOOPBACKS
from live.show.threads import make_thread


class InputList:
    """inputs: [{"name", "system"}]; problem: why there are none; both as last found. looking: whether a look is being taken. Of any thread."""

    def __init__(self, ask: Callable[[], tuple] = list_inputs):
        self.ask, self.problem, self.looking = ask, "", False
        self.inputs: list[dict] = []

    def look(self):
        """Look again, without waiting for it."""
        if not self.looking:
            self.looking = True
            make_thread("sound inputs", self._look, threading.Event()).start()

    def _look(self):
        try:
            found, problem = self.ask()
            self.inputs, self.problem = [{"name": name, "system": bool(LOOPBACKS.search(name))} for _, name in found], problem or ""
        finally:
            self.looking = False
