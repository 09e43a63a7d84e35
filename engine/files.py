"""Files that appear whole or not at all: written under a temporary name, then renamed. Knows no format and no tensors."""
import os
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from engine.errors import UserError


def find_cache(kind: str) -> Path:
    """Return the folder for results of one kind that can be had again, below the user's cache folder. It need not exist yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "latent-jockey" / kind


@contextmanager
def whole(path, make_folder=False):
    """Yield a temporary path to write to; it is renamed to `path` if nothing went wrong. UserError: why it can't be written.

    make_folder: for files with a folder of their kind, which need not be there yet.
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")           # the ending stays: some writers go by it
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except (OSError, SafetensorError, UnicodeEncodeError) as error:      # the last: a name in letters the file system lacks
        raise UserError(f"{path}: can't be written: {getattr(error, 'strerror', None) or error}") from None
    finally:
        with suppress(OSError, UnicodeEncodeError):
            temporary.unlink(missing_ok=True)


def write_text(path, text: str, make_folder=False) -> Path:
    """Write a text file, whole and flushed to the disk. UserError: why it can't be written."""
    with whole(path, make_folder) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(path)


def append_text(path, text: str, head: str = "", make_folder=True) -> Path:
    """Write text at the end of a file, all of it or nothing; a file that is not there yet begins with `head`. UserError: why it can't be written."""
    path = Path(path)
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab") as file:
            size = file.tell()
            try:
                file.write(((head if size == 0 else "") + text).encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(size)
                raise
    except OSError as error:
        raise UserError(f"{path}: can't be written: {error.strerror or error}") from None
    return path
