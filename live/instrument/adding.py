"""Kept latents that join a show while it plays: what plays now, and photographs, which are seen at once and looked for more exactly beside the show.

Files are read and written in threads, and looking is done in a process of low priority. Knows no tensors.
"""
import hashlib
import logging
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from engine.errors import UserError
from engine.names import make_name
from live.files.stills import read_still
from live.instrument.found import LATENTS, choose_folder
from live.show.beside import end_beside, start_beside
from live.show.threads import make_thread

log = logging.getLogger(__name__)
LOOKING = ("--steps", "100", "--beside")                 # how a photograph is looked for beside the show


class Adding:
    """show, opened: of the Finds. read(go): what brings the folder's latents in, in a thread; go: the name that the show then goes to.

    refines: whether photographs are looked for more exactly.
    """

    def __init__(self, show, opened, read: Callable, refines: bool):
        self.show, self.opened, self.read, self.refines = show, opened, read, refines
        self.refining = ""                           # the name of the photograph that is looked for
        self._turn, self._closed = threading.Lock(), False
        self._newest: dict[Path, str] = {}           # {file of a latent: hash of its photograph}
        self._process: subprocess.Popen | None = None

    def keep(self, name: str):
        """Keep what plays now as a kept latent, written in a thread; then it joins the show."""
        from engine import kept
        from engine.kept.made import keep_playing

        show, path = self.show, self._find_path(name)
        made = keep_playing(self.opened.instrument, show.scene, show.motion, show.picture)
        make_thread("kept latent", lambda: self._write(path, lambda: kept.save(path, made))).start()

    def add_picture(self, picture: str, name: str | None, look):
        """Make a kept latent of a picture's file in a thread: by the network's look, where it has one; then the show goes there."""
        make_thread("kept latent", lambda: self._add(Path(picture), name, look)).start()

    def close(self):
        """End of the show: what is looked for is left as it was seen."""
        self._closed = True
        end_beside(self._process)

    def _find_path(self, name: str) -> Path:
        return choose_folder(self.opened.folder.folder, self.opened.generator) / LATENTS / f"{name}.safetensors"

    # -- in threads

    def _write(self, path, write, go=False) -> bool:
        """Write a kept latent, and bring it in; return whether that worked."""
        try:
            write()
        except UserError as error:
            self.show.notices.tell(str(error), "kept latent")
            return False
        self.show.notices.tell(f"kept latent {path.stem}", "kept latent")
        self.read(path.stem if go else "")
        return True

    def _add(self, picture, name, look):
        try:
            pixels, digest = read_still(picture), hashlib.sha256(picture.read_bytes()).hexdigest()[:16]
            path = self._find_path(name) if name else self._find_free(make_name(picture.stem), digest)
        except (UserError, OSError) as error:
            self.show.notices.tell(str(error), "kept latent")
            return
        self._newest[path] = digest
        if look is None:
            self.show.notices.tell(f"this network has no look yet, which sees a picture at once: {path.stem} is looked for beside the show", "kept latent")
        elif not self._write(path, lambda: self._see(pixels, digest, picture.name, path, look), go=True):
            return
        if self.refines or look is None:
            make_thread("refining", lambda: self._refine(picture, path, digest, go=look is None)).start()

    def _find_free(self, name, digest) -> Path:
        """Return where the latent of a photograph goes: one that was made of another is not written over."""
        from engine import kept

        for n in range(1, 1000):
            path = self._find_path(name if n == 1 else f"{name}-{n}")
            try:
                if not path.exists() and path not in self._newest or kept.load(path).recipe.get("picture") == digest:
                    return path
            except UserError:
                continue
        raise UserError(f"{name}: there are a thousand of that name; give it another one")

    def _see(self, pixels, digest, source, path, look):
        from engine import kept
        from engine.kept.made import keep_picture

        kept.save(path, keep_picture(look, pixels, source, digest))

    def _refine(self, picture, path, digest, go):
        """Look for a photograph more exactly in a process; bring in what it has found, unless there is a newer photograph of that name."""
        with self._turn:
            if self._closed or self._newest.get(path) != digest:
                return
            self.refining = path.stem
            what = ["--instrument", str(self.opened.folder.whole), "-o", str(path), "--sheets", "none", "--device", "cpu", *LOOKING]
            process = self._process = start_beside("project", str(picture), *what, stderr=subprocess.PIPE)
            told = process.communicate()[1]
            self.refining = ""
            if self._closed:
                return
            if process.returncode == 0:
                self.show.notices.tell(f"{path.stem}: nearer to its photograph now", "kept latent")
                self.read(path.stem if go else "")
            else:
                log.warning("%s was not looked for: %s", path.stem, (told.strip().splitlines() or ["the process ended"])[-1])
