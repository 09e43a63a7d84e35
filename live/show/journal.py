"""Logging for a show: lines are written by a thread of its own, so that a terminal nobody reads holds up nothing.

What can happen many times a second is said rarely, whoever says it: no sender can fill a disk with lines. What came from
outside cannot write to the terminal: control characters are spelled out.
"""
import logging
import logging.handlers
import os
import queue
import sys
import threading
from collections import OrderedDict

from live.show.clock import now
from live.show.threads import end_thread, make_thread

QUIET = 1.0                         # seconds between two lines in the log, of each kind
WAITING = 2000                      # lines that may wait for a reader; more are lost and counted
BURST, RATE = 12, 1.0               # lines of one kind that may come together; then so many a second
KINDS = 256                         # kinds of lines remembered
ALL_BURST, ALL_RATE = 200, 20.0     # the same for all lines together
ENDING = 1.0                        # seconds the last lines may take
INDENT = "\n" + " " * 17            # a line of a message that has several is not taken for a new entry
LONGEST = 2000                      # letters of a message that are written
PASSED = {"\n", "\t"}


def start_log(verbose: bool = False):
    """Write the log to standard error from a thread of its own; returns a function that writes the rest and stops it."""
    lines: queue.Queue = queue.Queue(WAITING)
    root = logging.getLogger()
    handler = _Waiting(lines)
    handler.addFilter(Budget(now))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    writer = make_thread("log", lambda: _write_lines(lines, handler))
    writer.start()

    def stop():
        root.removeHandler(handler)
        try:
            lines.put_nowait(None)
            end_thread(writer, ENDING, quiet=True)
        except queue.Full:                               # nobody reads: what waits is lost
            pass
    return stop


def _write_lines(lines, handler):
    """Write lines until None comes; says how many were lost while nobody read.

    No logging.Handler: its lock would be held while a full pipe is written to, and the end of the program waits for it.
    """
    plain = Plain("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    while (record := lines.get()) is not None:
        _write(plain.format(record) + "\n")
        if handler.lost and lines.empty():
            lost, handler.lost = handler.lost, 0
            _write(plain.format(logging.LogRecord(__name__, logging.WARNING, "", 0, "%d lines were lost while nobody read the log", (lost,), None)) + "\n")


def _write(text):
    """Write to standard error without a lock that the end of the program would wait for."""
    stream = sys.stderr
    if stream is None:                                   # pythonw, or closed
        return
    try:
        number = stream.fileno()
    except (OSError, ValueError, AttributeError):        # a test's, which is no file
        stream.write(text)
        return
    data = text.encode(stream.encoding or "utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(number, data):]
    except OSError:                                      # its other end has gone; the show goes on
        pass


class _Waiting(logging.handlers.QueueHandler):
    """Puts lines into the queue without ever waiting. lost: how many found it full."""

    lost = 0

    def enqueue(self, record):
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.lost += 1


class Plain(logging.Formatter):
    """Formats a record so that nothing in it acts on a terminal or looks like another entry."""

    def formatMessage(self, record):
        text = record.message
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]} ... ({len(text) - LONGEST} more letters)"
        record.message = INDENT.join(spell_out(text).split("\n"))
        return super().formatMessage(record)


def spell_out(text: str, passed=PASSED) -> str:
    """Return a text with its control and direction characters written as escapes; those in `passed`, line ends and tabs, stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in passed else c.encode("unicode_escape").decode() for c in text)


class _Bucket:
    """So many at once, then so many a second."""

    __slots__ = ("level", "moment", "left_out")

    def __init__(self, burst, moment):
        self.level, self.moment, self.left_out = burst, moment, 0

    def take(self, moment, burst, rate) -> bool:
        self.level = min(burst, self.level + (moment - self.moment) * rate)
        self.moment = moment
        if self.level < 1.0:
            self.left_out += 1
            return False
        self.level -= 1.0
        return True


class Budget(logging.Filter):
    """Lets through a few lines of each kind, and says with the next one how many like it were left out."""

    def __init__(self, now):
        super().__init__()
        self.now, self._kinds, self._all = now, OrderedDict(), _Bucket(ALL_BURST, now())
        self._lock = threading.Lock()

    def filter(self, record) -> bool:
        """Return whether a record is to be written."""
        key, moment = (record.name, record.levelno, record.msg), self.now()
        with self._lock:
            kind = self._kinds.get(key)
            if kind is None:
                kind = self._kinds[key] = _Bucket(BURST, moment)
                if len(self._kinds) > KINDS:
                    self._kinds.popitem(last=False)
            if not kind.take(moment, BURST, RATE) or not self._all.take(moment, ALL_BURST, ALL_RATE):
                return False
            if left_out := kind.left_out + self._all.left_out:
                record.msg, record.args = f"{record.getMessage()} (and {left_out} more lines)", ()
                kind.left_out = self._all.left_out = 0
        return True


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


def find_origin(error):
    """Return where an error was raised: (code, line), whatever its text."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_code, trace.tb_lineno
