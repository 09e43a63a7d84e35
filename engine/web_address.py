"""Web addresses where a file's path belongs: nothing is fetched here, but what to do is told. Imports nothing heavy."""
import hashlib
import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from engine.errors import UserError

SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{1,11}):/{1,2}(?=[^/\\])|www\.[^/]+\.[^/]+/")     # Path makes one of two slashes
CACHES = ("DNNLIB_CACHE_DIR", "~/.cache/dnnlib/downloads")       # where NVIDIA's tools keep what they fetched, under md5(url)_name


def local_path(where) -> Path:
    """Return `where` as a path, file:// undone. UserError for a web address: which file to download, and how."""
    text = str(where)
    if re.match(r"file:/", text, re.IGNORECASE):
        return Path(url2pathname(urlsplit(text).path))
    match = SCHEME.match(text)
    if not match or Path(text).exists():
        return Path(os.path.expanduser(text))                       # which leaves alone what it can't expand
    address = text if not match[1] or "://" in text else text.replace(":/", "://", 1)
    name = unquote(PurePosixPath(urlsplit(address).path).name) or "network.pkl"
    raise UserError(f"{address[:200]}: a web address, and nothing is fetched for you: " + _advice(address, name))


def _advice(address: str, name: str) -> str:
    kept = next((path for path in _copies(address, name) if path.is_file()), None)
    if kept:
        return f"there is a copy of it at {kept}; give that"
    if not address.lower().startswith(("http", "www", "ftp")):
        return f"download {name} with your tool for such addresses, then give the file's path"
    return f"download {name} first (curl -L -o '{name}' '{address[:200]}'), then give its path, {name}"


def _copies(address: str, name: str):
    """Yield where a copy may lie: here, in the folder of downloads, in the cache of NVIDIA's tools."""
    yield Path(name)
    yield Path(os.path.expanduser("~/Downloads")) / name
    digest = hashlib.md5(address.encode(), usedforsecurity=False).hexdigest()
    for folder in CACHES:
        folder = os.environ.get(folder, "") if folder.isupper() else folder
        if folder:
            with_name = Path(os.path.expanduser(folder))
            yield from with_name.glob(f"{digest}_*") if with_name.is_dir() else ()
