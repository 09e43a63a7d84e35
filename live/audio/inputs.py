"""What --audio names: an input by its name or number, the system's own sound, or a file. Knows words; opening is the others' business."""
from pathlib import Path

from engine.errors import UserError
from live.files.paths import find_path

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".wma", ".mka", ".mp4", ".mkv", ".mov", ".webm")
SYSTEM = "system"                   # what the machine itself plays
OFF = "none"
SHOWN = f"a name or part of it, a number of run_live.py ports, a sound file, {SYSTEM} (what this machine plays), or {OFF}"


class Lost(UserError):
    """An input that can't be had, or has gone: said once, and looked for again."""


class Over(UserError):
    """A file that has been played to its end."""


def is_file(text: str) -> bool:
    """Return whether a name means a file, there or not."""
    return _is_there(text) or Path(text).suffix.lower() in SUFFIXES


def _is_there(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):       # no name a file can have
        return False


def check(text: str | None):
    """Raise UserError for a file that is not there."""
    if text and is_file(text) and not _is_there(str(find_path(text))):
        raise UserError(f"--audio {text}: there is no such file; --audio takes {SHOWN}")
