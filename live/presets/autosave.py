"""Keeps the scene that is playing on the disk, so that a crash costs a second of it. Writes from a thread of its own."""
import json
import logging
import threading
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from engine.errors import UserError
from engine.files import whole
from engine.json_text import parse_json
from engine.motion import Motion
from engine.scene import Scene
from live.show.data import motion_from_plain, motion_to_plain, scene_from_plain, scene_to_plain
from live.show.parameters import add_parameters
from live.show.threads import end_thread, make_thread

log = logging.getLogger(__name__)

EVERY = 1.0                         # seconds
WATCHED = 0.25                      # where the show is started again by itself when it dies
SCHEMA = 1


class Autosave:
    """newest() -> (Scene, Motion), or None: called from the thread that writes. about() -> what else is kept, plain data. every: seconds."""

    def __init__(self, path, newest, generator: str = "", about=dict, every: float = EVERY):
        self.path, self.newest, self.generator, self.about, self.every = Path(path), newest, generator, about, every
        self._closing, self._complained = threading.Event(), False
        self._saved: tuple | None = None
        self._thread = make_thread("autosave", self._work, self._closing)
        self._thread.start()

    def _work(self):
        while not self._closing.wait(self.every):
            self.save()
        self.save()

    def save(self):
        """Write the scene that plays now, if it differs from what was written last."""
        found = self.newest()
        if found is None or (found, self.about()) == self._saved:
            return
        (scene, motion), about = found, self.about()
        data = {"schema": SCHEMA, "generator": self.generator, **about, "scene": scene_to_plain(scene), "motion": motion_to_plain(motion)}
        try:
            with whole(self.path, make_folder=True) as temporary:
                temporary.write_text(json.dumps(data), encoding="utf-8")
            self._saved, self._complained = (found, about), False
        except UserError as error:
            if not self._complained:
                log.warning("the scene can't be autosaved: %s", error)
            self._complained = True

    def close(self):
        """Save a last time and end the thread."""
        self._closing.set()
        end_thread(self._thread)


def load_autosave(path, base: Scene, generator: str = "", make_bend=None) -> tuple[Scene, Motion]:
    """Return the scene and motion the last show ended with. make_bend(data) -> Bend: the instrument's check of bends.

    What the instrument has no longer, as an edit whose file has gone, is left out and said. UserError: there is nothing
    to resume, it is damaged, or it is another instrument's.
    """
    path = Path(path)
    try:
        data = parse_json(path.read_bytes())
        if data["schema"] != SCHEMA:
            raise UserError(f"schema version {data['schema']}; this version reads {SCHEMA}")
        if generator and data["generator"] not in ("", generator):
            raise UserError("it is of another generator")
        return _read(scene_from_plain(data["scene"], add_parameters(base), make_bend), path), motion_from_plain(data["motion"])
    except FileNotFoundError:
        raise UserError(f"{path}: nothing to resume: no show of this instrument has been saved yet") from None
    except UserError as error:
        raise UserError(f"{path}: can't resume: {error}") from None
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UserError(f"{path}: can't resume: the file is damaged ({type(error).__name__})") from None


def resume(show, path, instrument, generator: str = "", must: bool = True):
    """Set a show to where the last one ended, its locks too. UserError: it can't be had; unless it must be, that is said and the show begins anew."""
    try:
        show.scene, show.motion = load_autosave(path, instrument.scene().with_parameters(show.added), generator, instrument.bend)
    except UserError as error:
        if must:
            raise
        log.warning("%s; the show begins anew", error)
        return
    show.recall.locks = read_locks(path)


def read_locks(path) -> tuple[str, ...]:
    """Return the addresses that were locked when the last show ended; none where the file doesn't say so."""
    try:
        locks = parse_json(Path(path).read_bytes()).get("locks", ())
    except (OSError, ValueError, AttributeError):
        return ()
    return tuple(lock for lock in locks if isinstance(lock, str)) if isinstance(locks, list) else ()


def _read(scene: Scene, path) -> Scene:
    gone = sorted(address for address in scene.values if address not in scene.parameters)
    if gone:
        log.warning("%s: left out: %s", path, ", ".join(gone))
    return replace(scene, values=MappingProxyType({a: v for a, v in scene.values.items() if a in scene.parameters}))
