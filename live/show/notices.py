"""What the performer is told: one line for each thing that happened, in the terminal, in the monitor and on the surface.

Whoever does something says so by tell(). Never more than a few lines a second come of it: what is too much waits, and of a
kind that happens again and again only the newest is said. A player of the loop, since lines that wait are said frame by frame.
"""
import logging
from collections import deque
from collections.abc import Callable

from live.show.clock import now
from live.show.journal import Budget

log = logging.getLogger(__name__)

BURST, RATE = 4, 3.0                # lines at once, and a second after that
WAITING = 8                         # lines that may wait; older ones make room
KEPT = 40                           # newest lines of the log


class Notices:
    """newest: the last lines of the log, oldest first, as (moment on the clock, level, text)."""

    def __init__(self, now: Callable[[], float] = now):
        self.now = now
        self.newest: deque[tuple[float, int, str]] = deque(maxlen=KEPT)
        self._waiting: dict[str, str] = {}               # kind -> the newest line of it
        self._level, self._moment = float(BURST), now()

    def tell(self, text: str, kind: str = ""):
        """Say a line now or as soon as there is room; of one kind (else of the same text) the newest counts."""
        kind = kind or text
        self._waiting.pop(kind, None)
        self._waiting[kind] = text
        while len(self._waiting) > WAITING:
            self._waiting.pop(next(iter(self._waiting)))
        self._say()

    def _say(self):
        """Log the lines that wait, as many as there is room for."""
        moment = self.now()
        self._level = min(float(BURST), self._level + (moment - self._moment) * RATE)
        self._moment = moment
        while self._waiting and self._level >= 1.0:
            log.info("%s", self._waiting.pop(next(iter(self._waiting))))
            self._level -= 1.0

    def listen(self) -> Callable[[], None]:
        """Keep the newest lines of the log, from any thread; returns a function that stops that."""
        ear, root = _Listener(self), logging.getLogger("live")
        root.addHandler(ear)
        return lambda: root.removeHandler(ear)

    def report(self) -> list[dict]:
        """Return the newest lines, newest first, ready for JSON: how many seconds ago, the level's name, the text."""
        moment = self.now()
        return [{"ago": round(moment - at, 1), "level": logging.getLevelName(level), "text": text} for at, level, text in reversed(list(self.newest))]

    def play(self, tick) -> list:
        """Say what waited; nothing is to be applied."""
        if self._waiting:
            self._say()
        return []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: this concerns no parameter."""
        return []

    def recover(self):
        """Forget what waits: something of it had a bug."""
        self._waiting = {}


class _Listener(logging.Handler):
    """Keeps the lines of the log, a few of each kind, for reports."""

    def __init__(self, notices):
        super().__init__(logging.INFO)
        self.notices = notices
        self.addFilter(Budget(notices.now))

    def emit(self, record):
        self.notices.newest.append((self.notices.now(), record.levelno, record.getMessage().partition("\n")[0][:300]))
