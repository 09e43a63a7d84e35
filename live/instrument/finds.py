"""What joins a show from its instrument's folder: directions, clusters. Found in a process of its own where an instrument has none.

A player of the loop. Files are read in a thread. Knows no tensors.
"""
import json
import logging
import queue
import subprocess
import threading
import zlib
from pathlib import Path

from engine.errors import UserError
from live.instrument.adding import Adding
from live.instrument.found import ENCODER, Found, choose_folder, read_found
from live.mapping.macros import Macro, Target, label
from live.show.beside import end_beside, start_beside
from live.show.events import Call
from live.show.parameters import MACROS
from live.show.threads import make_thread

log = logging.getLogger(__name__)
PICTURES = 2000                      # that are looked at, at most
SETTLED = 3.0                        # seconds of playing after which looking begins


class Finds:
    """show: the Show it plays in. opened: live.instrument.open.Opened. looks: whether it looks for what is not there."""

    def __init__(self, show, opened, looks: bool = False):
        self.show, self.opened, self.instrument = show, opened, opened.instrument
        self.macros: tuple = ()                      # those that directions were put on
        self.found: Found = opened.found
        self.stage = ""
        self.reading: threading.Thread | None = None
        self.looking: threading.Thread | None = None
        self._brought: queue.SimpleQueue = queue.SimpleQueue()
        self._process: subprocess.Popen | None = None
        self._looks = looks and not self.found.is_whole
        self._played = 0.0
        self.adding = Adding(show, opened, self._load, looks)
        self._marks = _mark_pictures(self.found)
        self.put_on_macros()

    # -- the loop's side

    def play(self, tick) -> list:
        """Return what joins in this frame."""
        self._played += tick.dt
        if self._looks and self._played >= SETTLED:
            self._looks = False
            self.looking = make_thread("analysis", self._look)
            self.looking.start()
        return [] if self._brought.empty() else self._join(*self._brought.get())

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: there is nothing to apply."""
        return []

    def reload(self):
        """Look at the instrument's folder again, in a thread."""
        if self.reading is not None and self.reading.is_alive():
            raise UserError("the instrument's folder is being read already")
        self.reading = make_thread("finds", self._load, aside=True)
        self.reading.start()

    def keep(self, name: str):
        """Keep what plays now as a kept latent, written in a thread; then it joins the show."""
        self.adding.keep(name)

    def add_picture(self, path: str, name: str | None = None):
        """Make a kept latent of a picture's file, in a thread; then it joins the show, which goes there, and is looked for more exactly beside it."""
        self.adding.add_picture(path, name, self.found.look)

    def describe(self) -> dict:
        """Return what is there, and what is being done: {"directions": [...], "latents": {name: how many}, "pictures": {name: a mark that changes with
        it}, "photographs": [those that have a picture in their file], "stage": text, "refining": the name of a photograph that is looked for}.
        """
        latents = {name: len(one.ws) for name, one in self.found.latents.items()}
        return {"directions": list(self.found.directions.names), "latents": latents, "pictures": self._marks, "stage": self.stage,
                "photographs": [name for name, one in self.found.latents.items() if one.picture is not None], "refining": self.adding.refining}

    def read_picture(self, name: str):
        """Return the thumbnail of a kept latent, uint8 [h, w, 3]; None where it has none."""
        one = self.found.latents.get(name)
        return None if one is None or one.picture is None else one.picture.numpy()

    def close(self):
        """End of the show: what is being looked for is left to the next."""
        self.adding.close()
        end_beside(self._process)

    def _join(self, found, faders, kept, go="") -> list:
        new = [name for name in found.directions.names if name not in self.found.directions.names]
        instrument, self.found, self._marks = self.instrument, found, _mark_pictures(found)
        instrument.use_directions(faders)
        instrument.latents.kept = kept
        if found.clusters is not None:
            instrument.clusters = found.clusters
        if found.look is not None:
            instrument.know_look(found.look)
        self.show.added |= faders.parameters
        recall = self.show.recall
        if recall is not None and recall.has_library and recall.library.generator == self.opened.generator:
            recall.library.extend_instrument(faders.parameters)
        if new:
            self.show.notices.tell(f"directions that joined: {', '.join(new)}", "directions")
        scene = self.show.scene.with_parameters(faders.parameters)
        then = [Call("/latents/go", (go,))] if go else []
        return [label(scene, self.show.mapping.macros) if self.put_on_macros() else scene, *then]

    def put_on_macros(self) -> bool:
        """Put the first eight directions on the eight macros, where none of those moves anything; return whether that was so."""
        mapping, names = self.show.mapping, self.found.directions.names[:MACROS]
        macros = getattr(mapping, "macros", None)
        if macros is None or not names or any(macro.to for macro in macros.values()):
            return False
        mapping.macros = {n: Macro(macro=n, name=name, to=[Target(to=f"/directions/{name}/amount", range=(0.5, 1.0))]) for n, name in enumerate(names, 1)}
        self.macros = tuple(mapping.macros.values())
        return True

    # -- in threads

    def _load(self, go: str = ""):
        """Read what is there; go: the kept latent that the show then goes to."""
        instrument, opened = self.instrument, self.opened
        try:
            seeing = instrument.live_encoder
            found = read_found(opened.folder.folder, instrument.generator, opened.generator, seeing and seeing.encoder)
            kept = instrument.latents.prepare_kept(found.latents)
            faders = instrument.prepare_directions(found.directions)          # last: it waits for what was uploaded
        except UserError as error:
            log.error("%s; directions and clusters stay as they were", error)
            return
        self._brought.put((found, faders, kept, go))

    def _find_encoder(self) -> list[str]:
        """Return the flag that names the instrument's encoder, if it has one."""
        path = Path(self.opened.folder.folder) / ENCODER
        return ["--encoder", str(path)] if path.exists() and self.instrument.live_encoder is not None else []

    def _look(self):
        """Find what is missing in a process of low priority; read it as soon as there is some of it."""
        opened, folder = self.opened, choose_folder(self.opened.folder.folder, self.opened.generator)
        log.info("looking for directions and clusters of %s beside the show; --no-analysis leaves that", opened.name)
        what = ["--checkpoint", str(opened.folder.generator), *self._find_encoder(), "--samples", str(PICTURES), "-o", str(folder), "--device", "cpu"]
        self._process = start_beside("analyse", *what, stdout=subprocess.PIPE)
        for line in self._process.stdout or ():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            self.stage = str(event.get("stage", ""))
            if self.stage == "written":
                self._load()
            elif self.stage == "failed":
                log.warning("analysis: %s", event.get("text"))
        self.stage = ""


def _mark_pictures(found) -> dict[str, int]:
    """Return {name of a kept latent: a number that changes with its file}."""
    return {name: zlib.crc32(one.ws.numpy().tobytes()) for name, one in found.latents.items()}
