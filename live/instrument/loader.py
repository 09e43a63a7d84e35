"""Networks made ready beside a show: found, read, checked and warmed up in a thread. What plays them is not decided here.

Knows no tensors and no players.
"""
import contextlib
import logging
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import UserError
from live.files.config import read_plain
from live.instrument import folder as instruments
from live.instrument.catalogue import find_own_folder
from live.presets.library import Library
from live.presets.preset import Preset, read_file
from live.show.threads import make_thread

log = logging.getLogger(__name__)
CHECKPOINTS = (".safetensors", ".pkl", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class Wish:
    """A network that a show asks for. names: what it may be called, the surest first; or folder: where it is known to lie.

    preset: the name of a look of it to begin with. keeps: whether the show's presets stay those it has; then the look lies in `path`, or, if that is
    None, among the network's own; look: it, where it is known already. ahead: it is only made ready. seconds: of the way there, None: as
    /instrument/seconds says. manner: of a look of the network that plays already. by_hand: whether undo takes it back.
    """
    names: tuple[str, ...] = ()
    folder: Any = None
    preset: str | None = None
    keeps: bool = False
    path: Path | None = None
    look: Preset | None = None
    ahead: bool = False
    seconds: float | None = None
    manner: Any = None
    by_hand: bool = True


@dataclass(frozen=True)
class Ready:
    """What became of a wish: opened (None: nothing), its library where the show is to have that, the look that was asked for."""
    wish: Wish
    opened: Any = None
    library: Library | None = None
    preset: Preset | None = None


class Loader:
    """open_one(folder) -> Opened, warmed up, and the seconds it takes a frame. costs: {path of the weights: those seconds}.

    resident: {path of the weights: Opened}, those that are open; changed by the loop's thread only.
    """

    def __init__(self, opened, open_one):
        self.open_one = open_one
        self.resident, self.costs = {opened.folder.generator: opened}, dict[Path, float]()
        self.thread: threading.Thread | None = None
        self._brought: queue.SimpleQueue[Ready] = queue.SimpleQueue()

    @property
    def is_busy(self) -> bool:
        """Whether it is at work."""
        return self.thread is not None and self.thread.is_alive()

    def begin(self, wish: Wish, beside):
        """See to a wish in a thread. beside: the folder of an instrument, beside which others are looked for."""
        self.thread = make_thread("instrument", lambda: self._work(wish, beside), aside=True)
        self.thread.start()

    def take(self) -> Ready | None:
        """Return what has become ready, or None."""
        return None if self._brought.empty() else self._brought.get()

    def keep_only(self, generators):
        """Let go of every network but those with these hashes."""
        self.resident = {path: one for path, one in self.resident.items() if one.generator in generators}

    # -- in the thread

    def _work(self, wish, beside):
        ready = Ready(wish)
        try:
            ready = self._prepare(wish, beside)
        finally:
            self._brought.put(ready)                         # also after a bug: the show does not ask again and again

    def _prepare(self, wish, beside) -> Ready:
        try:
            folder = wish.folder or find_named(wish.names, beside)
            opened = self.resident.get(folder.generator)
            if opened is None:
                opened, self.costs[folder.generator] = self.open_one(folder)
            if wish.ahead:
                return Ready(wish, opened)
            if not wish.keeps:
                return Ready(wish, opened, *_open_library(opened, wish.preset))
            return Ready(wish, opened, None, _read_look(opened, wish))
        except UserError as error:
            log.warning("%s is not opened: %s", wish.folder.name if wish.folder else wish.names[0], error)
            return Ready(wish)


def _open_library(opened, preset):
    """Return a network's own presets and the one of them that was asked for. UserError: there is none."""
    library = opened.open_library()
    try:
        return library, None if preset is None else library.read(library.find_name(preset))
    except UserError:
        library.close()
        raise


def _read_look(opened, wish) -> Preset | None:
    """Return the look that was asked for, as it is to be read for this network."""
    if wish.preset is None or wish.look is not None:
        return wish.look
    path = wish.path or opened.folder.scenes / f"{wish.preset}.yaml"
    preset, notes = read_file(path, opened.begin(), opened.generator, opened.instrument.bend)
    if notes:
        log.warning("%s: left out or changed: %s", path, "; ".join(notes))
    return preset


def find_instrument(where: str, beside):
    """Return the instrument that a text names: a path, a folder or file beside the one that plays, one that comes with the project, one that was added, or
    what an instrument in one of these places calls itself.
    """
    text, tried, rooms = str(where), [], _list_rooms(beside)
    for path in (Path(text), *(room / text for room in rooms), *(rooms[0] / f"{text}{suffix}" for suffix in CHECKPOINTS)):
        try:
            return instruments.find(path)
        except UserError as error:
            tried.append(error)
    for path in (path for room in rooms for path in sorted(room.glob("*/instrument.yaml"))):
        if _read_name(path) == text.casefold():
            return instruments.find(path.parent)
    raise tried[0]


def list_near(beside) -> list[str]:
    """Return the names that find_instrument() knows, of instruments' folders and of checkpoints beside the one that plays; those beside it first.
    Hidden files are left out, and a folder that can't be read.
    """
    rooms, names = _list_rooms(beside), []
    for number, room in enumerate(rooms):
        with contextlib.suppress(OSError):
            names += sorted(path.stem for path in room.glob("*") if path.suffix in CHECKPOINTS) if number == 0 else []
            names += sorted(path.parent.name for path in room.glob("*/instrument.yaml"))
    return [name for name in dict.fromkeys(names) if not name.startswith(".")]


def _list_rooms(beside) -> list[Path]:
    return [Path(beside).parent, instruments.ROOT / "presets", find_own_folder()]


def _read_name(path) -> str:
    try:
        data = read_plain(path)
    except UserError:
        return ""
    return str(data.get("name", "")).casefold() if isinstance(data, dict) else ""


def find_named(names, beside):
    """Return the first instrument that one of these names leads to. UserError: none does."""
    wrong = None
    for name in names:
        try:
            return find_instrument(name, beside)
        except UserError as error:
            wrong = wrong or error
    raise wrong or UserError("no instrument was named")
