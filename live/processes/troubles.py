"""Warnings of a process that has no unattended log of its own: kept until they can be told to the one that has."""
import logging
from collections import deque

from live.show.clock import wall_time

WAITING = 200                       # warnings that wait; the oldest give way


class Troubles(logging.Handler):
    """Keeps warnings as (text, seconds since 1970)."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self._waiting: deque = deque(maxlen=WAITING)

    def emit(self, record):
        """Keep a warning."""
        self.keep(record.getMessage(), wall_time())

    def keep(self, text, moment):
        """Keep a warning of another process."""
        self._waiting.append((text, moment))

    def deliver(self, send):
        """Send what waits: send(("trouble", text, moment))."""
        while self._waiting:
            send(("trouble", *self._waiting.popleft()))
