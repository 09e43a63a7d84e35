"""Paths as people type, copy and drag them, and places that are to be written to, looked at before any work is done."""
import glob
import os
import re
import tempfile
import unicodedata
import urllib.parse
import urllib.request
from pathlib import Path

from engine.errors import UserError
from engine.web_address import local_path

QUOTES = ("\"\"", "''", "“”", "‘’", "«»")
WINDOWS_VARIABLE = re.compile(r"%(\w+)%")
HOME = ("USERPROFILE", "HOME")      # what this machine calls the other's
TYPED = re.compile(r"^(?:--?[\w-]+=)?(?:[a-z_]+=)?|,(?:[a-z_]+=)?")                # where a path may begin in an argument


def find_path(text, folder="") -> Path:
    """Return the path that a person means, from a folder: as it is typed where that exists, else with ~, variables, quotes,
    file:// and back-slashes understood, and accents in either Unicode form. UserError: it can't be a path at all.
    """
    text, folder = str(text), Path(folder)
    if "\0" not in text and os.path.lexists(folder / text):
        return folder / text
    path = folder / expand(text)
    if not path.exists() and "\\" in text and os.sep != "\\" and (folder / expand(text.replace("\\", "/"))).exists():
        path = folder / expand(text.replace("\\", "/"))
    return path if os.path.lexists(path) else _find_spelling(path)


def expand(text: str) -> str:
    """Return a path with quotes and spaces around it gone, and ~, ~user, $HOME, %USERPROFILE% and file:// written out.

    UserError: it is a web address, or a back-slash in double quotes has become a character of another kind.
    """
    text = text.strip()
    for pair in QUOTES:
        if len(text) > 1 and text[0] == pair[0] and text[-1] == pair[1]:
            text = text[1:-1].strip()
    if any(ord(letter) < 32 for letter in text):
        raise UserError(f"{text!r}: a path has no such characters; in double quotes a backslash begins an escape: use single quotes, or /")
    if text.lower().startswith("file:"):
        parts = urllib.parse.urlsplit(text)
        if parts.netloc not in ("", "localhost"):
            raise UserError(f"{text}: a file of another machine; copy it here and give its path")
        return urllib.request.url2pathname(parts.path)
    local_path(text)                                     # a web address is refused, with what to do about it
    text = WINDOWS_VARIABLE.sub(lambda found: _read_variable(found[1]) or found[0], os.path.expandvars(text))
    if not text.startswith("~"):
        return text
    try:
        return str(Path(text.replace("\\", "/") if os.sep != "\\" else text).expanduser())
    except RuntimeError:
        raise UserError(f"{text}: the home folder is not known here; write the whole path") from None


def _read_variable(name):
    return os.environ.get(name) or (os.path.expanduser("~") if name.upper() in HOME else None)


def expand_argument(argument: str) -> str:
    """Return an argument of the command line with the paths in it expanded that a shell has left alone: ~/a, video=~/a,
    null,files=~/a, --report=~/a, file:///a, %USERPROFILE%. What does not look like one stays as it is.
    """
    for begin in reversed([found.end() for found in TYPED.finditer(argument)]):
        rest = argument[begin:]
        end = min((at for at in (rest.find(",files="), rest.find(",recorder=")) if at >= 0), default=len(rest))
        piece = rest[:end]
        if re.match(r"~[\w.-]*([/\\]|$)|file:/|\$\{?\w+\}?[/\\]|%\w+%|[\"'“‘«].*[/\\.].*[\"'”’»]\s*$", piece):
            argument = argument[:begin] + expand(piece) + rest[end:]
    return argument


def _find_spelling(path: Path) -> Path:
    """Return the path that is there under the same name in another Unicode form of its accents; without one, the path."""
    found = Path(path.anchor)
    for part in path.parts[1 if path.anchor else 0:]:
        if not os.path.lexists(found / part):
            wanted = unicodedata.normalize("NFC", part)
            try:
                part = next(p.name for p in found.iterdir() if unicodedata.normalize("NFC", p.name) == wanted)
            except (StopIteration, OSError, ValueError):
                return path
        found /= part
    return found


def prepare_file(path, what="") -> Path:
    """Return the path of a file that will be written later; its folder is made. UserError: why it could not be written.

    what: the flag it comes from, for the message.
    """
    folder, path, begin = str(path).endswith(("/", os.sep)), Path(path), f"{what} " if what else ""
    if folder or path.is_dir():
        raise UserError(f"{begin}{path}: is a folder; expected the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{begin}{path}: can't be written: {path.parent} is not a folder") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{begin}{path}: can't be written: {getattr(error, 'strerror', None) or error}") from None


def find_free_part(path: Path) -> Path:
    """Return the path, or where there is something of its name, with whatever suffix: NAME-002, NAME-003, ..."""
    names = {path.stem} | {f"{path.stem}-{number:03d}" for number in range(2, 1000)}
    taken = {there.stem for there in path.parent.glob(f"{glob.escape(path.stem)}*")}
    return path.with_name(min(names - taken, key=lambda name: (len(name), name)) + path.suffix)
