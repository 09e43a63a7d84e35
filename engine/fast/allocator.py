"""Keep freed memory instead of handing it back to the system. Knows the C library's allocator, no tensors.

A feature map of 1024 px is large enough for glibc to map it afresh and to unmap it when it is freed, so that each
frame pays for every one of its pages again: a quarter of the frame time where it was measured (docs/speed.md).
"""
import ctypes
import sys

MMAP_MAX, TRIM_THRESHOLD, ARENA_MAX = -4, -1, -8            # mallopt(3)
LARGEST = 2 ** 31 - 1


def keep_freed() -> bool:
    """Make this process keep the memory it frees, for the next frame; return whether that could be arranged."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)   # the musl library has none
    if mallopt is None:
        return False
    return all([mallopt(TRIM_THRESHOLD, LARGEST), mallopt(MMAP_MAX, 0), mallopt(ARENA_MAX, 1)])
