"""When the system tells a show to end: Ctrl-C, a polite kill, a terminal that is closed."""
import signal
from collections.abc import Callable

from live.show.clock import now

HANGUP = getattr(signal, "SIGHUP", None)                         # Windows has none
TOLD = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
TWICE = 0.5                         # seconds after which being told again means: at once


class Ending:
    """What a show is told to end by, from before there is one: call it to end, attach(stop) once the show is made."""

    def __init__(self):
        self.told, self._stop = False, None

    def __call__(self):
        """End the show; one that is still being opened ends as soon as it could play."""
        self.told = True
        if self._stop is not None:
            self._stop()

    def attach(self, stop: Callable[[], None]):
        """Call stop() when the show is to end, or at once if that has been asked for already."""
        self._stop = stop
        if self.told:
            stop()


def handle_signals(stop: Callable[[], None]):
    """Have Ctrl-C, a polite kill and a closed terminal call stop(); told again by a person, the program ends at once.

    A terminal's end comes twice, from the shell and from the system, and so may Ctrl-C through a program that started us.
    """
    moments = []

    def act(number, _):
        moments.append(now())
        stop()
        if number != HANGUP and moments[-1] - moments[0] > TWICE:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in TOLD:
        signal.signal(number, act)
    if HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN:        # nohup: it shall play on
        signal.signal(HANGUP, act)
