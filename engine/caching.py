"""Tensors made once and kept for the next time. Knows how long a captured program needs them, nothing of what they are.

A program captured on a GPU reads a tensor where it lay when it was captured: it has to stay there for as long as the
program is in use, even where the cache that it comes from has long dropped it.
"""
import threading
from contextlib import contextmanager
from functools import lru_cache, wraps

_capture = threading.local()


def make_once(most: int):
    """Cache a function that gives tensors as functools.lru_cache(most) does, and let keep_tensors() collect all that it gives."""
    def declare(function):
        cached = lru_cache(maxsize=most)(function)

        @wraps(function)
        def give(*arguments):
            found = cached(*arguments)
            getattr(_capture, "held", []).append(found)
            return found

        return give
    return declare


@contextmanager
def keep_tensors():
    """Yield a list that make_once() functions add their tensors to in this thread meanwhile: keep it to keep the tensors."""
    _capture.held = []
    try:
        yield _capture.held
    finally:
        del _capture.held
