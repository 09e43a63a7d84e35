"""Logging for a show: lines go through a queue, so that a slow terminal never holds up the loop."""
import logging
import logging.handlers
import queue
import sys


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
