"""Logging for a show: lines go through a queue, so that a slow terminal never holds up the loop,
and what can happen many times a second is said rarely.
"""
import logging
import logging.handlers
import queue
import sys

QUIET = 1.0                         # seconds between two lines in the log, of each kind


def start(verbose: bool = False):
    """Log to standard error from a thread of its own; returns a function that writes out the rest and stops."""
    lines = queue.SimpleQueue()
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    listener = logging.handlers.QueueListener(lines, console)
    root = logging.getLogger()
    handler = logging.handlers.QueueHandler(lines)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    listener.start()

    def stop():
        listener.stop()
        root.removeHandler(handler)
    return stop


class Seldom:
    """Warns in `log` at most once in `quiet` seconds, and says how many were left out since; a `burst` may come at once."""

    def __init__(self, log, now, quiet=QUIET, burst=1):
        self.log, self.now, self.quiet, self.ahead = log, now, quiet, (burst - 1) * quiet
        self.due, self.left_out = -float("inf"), 0

    def warn(self, text, *details):
        moment = self.now()
        if moment < self.due - self.ahead:
            self.left_out += 1
            return
        more = f" (and {self.left_out} more like it)" if self.left_out else ""
        self.due, self.left_out = max(self.due, moment) + self.quiet, 0
        self.log.warning(text + more, *details)
