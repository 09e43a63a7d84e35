"""A full disk stops several things at once, each with a warning; the log of an unattended show says it once."""
import errno

DISK_FULL = "disk full"
NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))        # Windows has no quota of its own number


def name_trouble(error) -> dict:
    """Return what a log record carries (its `extra`) of an error: {"trouble": "disk full"} where there is no room, else {}."""
    return {"trouble": DISK_FULL} if isinstance(error, OSError) and error.errno in NO_ROOM else {}
