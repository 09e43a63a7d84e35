"""Pictures of presets, kept beside them: of the frame that is up when one is stored or has come, or drawn by the studio."""
import hashlib
import logging
from pathlib import Path

from engine.errors import UserError
from engine.files import whole
from live.show.clock import now
from live.surface.preview import encode_jpeg

log = logging.getLogger(__name__)

FOLDER, SIDE = ".thumbs", 160
SETTLED = 0.5                       # seconds after a recall until its picture is taken


class Thumbnails:
    """show: whose presets. preview: where the frame that is up can be had."""

    def __init__(self, show, preview):
        self.show, self.preview = show, preview
        self._hashes: dict = {}                          # name -> (date and size of its file, hash)
        self._made: set = set()                          # (name, hash) that lie in the folder
        self._since: tuple = (None, 0.0)

    @property
    def library(self):
        """The presets, or None."""
        recall = self.show.recall
        return recall.library if recall is not None and recall.has_library else None

    def hash_preset(self, name: str) -> str | None:
        """Return what names a preset's picture: of the bytes of its file and of the weights; None: no such file yet."""
        path = self.library.make_path(name)
        try:
            stat = path.stat()
            key = stat.st_mtime_ns, stat.st_size
            if self._hashes.get(name, (None,))[0] != key:
                self._hashes[name] = key, hashlib.sha256(path.read_bytes() + self.library.generator.encode()).hexdigest()[:16]
        except OSError:
            return None
        return self._hashes[name][1]

    def make_path(self, name: str, digest: str) -> Path:
        """Return where a picture lies."""
        return self.library.folder / FOLDER / f"{name}.{digest}.jpg"

    def refresh(self, names) -> dict:
        """Return {name: hash} of presets, and take a picture of the one that plays if it has none. Once a second."""
        if self.library is None:
            return {}
        found = {name: digest for name in names if (digest := self.hash_preset(name)) is not None}
        self._take(found)
        return found

    def _take(self, found):
        recall = self.show.recall
        name, moment = recall.current, now()
        if (name, found.get(name)) != self._since[0]:
            self._since = (name, found.get(name)), moment
        black = self.show.scene["/output/blackout"] > 0.0
        if name not in found or recall.leading or black or moment - self._since[1] < SETTLED or self.is_there(name, found[name]):
            return
        digest = found[name]
        self._made.add((name, digest))
        self.preview.snaps = [*self.preview.snaps, lambda pixels: self._store(name, digest, pixels)]

    def is_there(self, name, digest) -> bool:
        """Return whether a picture lies there."""
        if (name, digest) not in self._made and self.make_path(name, digest).exists():
            self._made.add((name, digest))
        return (name, digest) in self._made

    def _store(self, name, digest, pixels):
        self.store(name, digest, encode_jpeg(pixels, SIDE))

    def store(self, name: str, digest: str, data: bytes):
        """Write a picture; those of the preset as it was go."""
        path = self.make_path(name, digest)
        try:
            with whole(path, make_folder=True) as temporary:
                temporary.write_bytes(data)
            for old in path.parent.glob("*.jpg"):
                if old.stem.rpartition(".")[0] == name and old != path:
                    old.unlink(missing_ok=True)
        except (OSError, UserError) as error:
            log.info("no picture of %s is kept: %s", name, error)
        self._made.add((name, digest))
