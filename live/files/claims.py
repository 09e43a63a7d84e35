"""A file that one show at a time keeps: the first takes the name, the next one running takes the name with a number.

The claim is a lock that the system takes back when the program ends, however it ends.
"""
import contextlib
import sys
from pathlib import Path
from typing import IO

from engine.errors import UserError
from engine.json_text import parse_json

MOST = 16                           # shows of one instrument at once


class Claim:
    """path: the file this show may write. close() gives it back."""

    def __init__(self, path: Path, lock: IO | None):
        self.path, self._lock = path, lock

    def close(self):
        """Let another show have it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def claim(path: Path, port: int) -> Claim:
    """Return a claim to a file, or to one beside it: name-2, name-3, ... Where nothing can be locked, as in a folder that can't be written, the file
    itself.
    """
    names = [path] + [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(2, MOST + 1)]
    held = [(name, try_lock(name)) for name in names if name == path or name.exists()]
    free = [(name, lock) for name, lock in held if lock is not None]
    mine = next((pair for pair in free if _read_port(pair[0]) == port), free[0] if free else None)
    for name, lock in free:
        if (name, lock) != mine:
            lock.close()
    if mine is None:                                     # all there are belong to running shows
        mine = next(((name, lock) for name in names if not name.exists() and (lock := try_lock(name)) is not None), (path, None))
    return Claim(*mine)


def _read_port(path):
    """Return the OSC port that a file names for its show, None where it names none."""
    with contextlib.suppress(OSError, ValueError, AttributeError, UserError):
        return parse_json(path.read_bytes()).get("port")


def try_lock(path):
    """Return an open lock beside a file, None where another program has it or none can be made."""
    file = None
    try:
        file = open(path.with_name(path.name + ".lock"), "a+b")
        _lock_whole(file)
        return file
    except OSError:
        if file is not None:
            file.close()
        return None


def _lock_whole(file):
    """Take an exclusive lock. OSError: another program has it."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
