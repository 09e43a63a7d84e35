"""The presets of one instrument: a folder of scenes, a set list beside it. A table in memory, which threads keep fresh.

What the loop asks for is looked up in the table: it never waits for a disk. One thread looks at the files, and reads those whose
date has changed; another writes. Must not know the show.
"""
import logging
import os
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.scene import Scene
from live.files.config import build, read_plain, write_yaml
from live.files.names import check_name
from live.files.writer import Writer
from live.presets import set_list
from live.presets.preset import Preset, read_file, to_file
from live.presets.set_list import SetListFile
from live.show.data import bend_from_plain
from live.show.parameters import add_parameters
from live.show.threads import end_thread, make_thread

log = logging.getLogger(__name__)


EVERY = 0.25                        # seconds between looks at the files
ENDING = 2.0                        # seconds that the end of a show waits for the last look


@dataclass
class Entry:
    """What the table knows of a file. stamp: its date and size. preset: what is in it. wrong: why it can't be read.

    notes: what was left out or changed in reading it, said once, when it is first asked for.
    """
    stamp: tuple
    preset: Preset | None = None
    wrong: UserError | None = None
    notes: str = ""


class Library:
    """folder: where the scenes lie. base: a scene of the instrument. make_bend(data) -> Bend, checked.

    instrument, generator: name and hash, written into presets and compared on reading. show: the steps of the set list's show.
    """

    def __init__(self, folder, base: Scene, instrument: str = "", generator: str = "", make_bend=bend_from_plain):
        self.folder, self.base, self.instrument, self.generator = Path(folder), add_parameters(base), instrument, generator
        self.make_bend = make_bend
        self._table: dict[str, Entry] = {}           # by name; never changed in place: the loop reads it while a thread makes the next
        self._looking, self._list_lock = threading.Lock(), threading.Lock()
        self._awake, self._closing, self._stale = threading.Event(), threading.Event(), False
        self._unwritten: dict = {}                   # name -> Preset, or None where the file is to go
        self._order: list[str] = []
        self._banks: dict[str, list[str]] = {}
        self.show: list[set_list.Step] = []
        self._listed: tuple | None = None
        self._unlisted: UserError | None = None
        self._listing = False
        self.refresh()
        self._jobs = Writer("presets")
        self._thread = make_thread("presets read", self._watch_files, self._closing)
        self._thread.start()

    # -- the thread's side: files -> table

    def _watch_files(self):
        while not self._closing.is_set():
            self._awake.wait(EVERY)
            self._awake.clear()
            self.refresh()

    def refresh(self):
        """Look at the files, and read those that have changed. It waits for the disk: not for the loop's thread."""
        with self._looking:
            self._refresh_set_list()
            before = {} if self._stale else self._table
            self._stale, table = False, {}
            for path in self.folder.glob("*.yaml"):
                found = None if path.name.startswith(".") else read_stamp(path)
                if found is not None:
                    known = before.get(path.stem)
                    table[path.stem] = known if known is not None and known.stamp == found else self._load(path, found)
            self._table = table

    def _load(self, path, found):
        try:
            preset, notes = read_file(path, self.base, self.generator, self.make_bend)
        except UserError as error:
            return Entry(found, wrong=error)
        made = f" (made on {preset.instrument or 'another instrument'})" if preset.generator not in ("", self.generator) else ""
        return Entry(found, preset, notes=f"{path}{made}: left out or changed: {'; '.join(notes)}" if notes else "")

    # -- reading: from the table

    def list_names(self, bank: str = "") -> list[str]:
        """Return the presets in the order of the set list, or those of a bank."""
        found = set(self._table)
        for name, preset in list(self._unwritten.items()):
            (found.discard if preset is None else found.add)(name)
        order = self._banks.get(bank, []) if bank else [*self._order, *sorted(found - set(self._order))]
        return [name for name in order if name in found]

    def list_banks(self) -> dict[str, list[str]]:
        """Return {bank: its presets in order}."""
        return {name: list(presets) for name, presets in self._banks.items()}

    def find_name(self, which, bank: str = "") -> str:
        """Return the name of a preset given by name or by its number in the set list, counted from 1."""
        names = self.list_names(bank)
        if isinstance(which, str) and (found := find_spelling(which, [*names, *self.list_names()])):
            return found
        try:
            number = int(float(which))
        except (TypeError, ValueError, OverflowError):
            raise UserError(f"no preset {which!r}; there are: {', '.join(self.list_names()) or 'none yet'}") from None
        if not 1 <= number <= len(names):
            raise UserError(f"no preset number {number}; there are {len(names)}{f' in bank {bank}' if bank else ''}")
        return names[number - 1]

    def peek(self, name: str) -> Preset:
        """Return a preset; what was left out in reading it is not said yet. UserError: it can't be read, and why."""
        missing = object()
        waiting = self._unwritten.get(name, missing)
        if waiting is not missing and waiting is not None:
            return waiting
        entry = None if waiting is None else self._table.get(name)          # None waits: it is about to go
        if entry is None:
            raise UserError(f"no preset {name!r}; there are: {', '.join(self.list_names()) or 'none yet'}")
        if entry.preset is None:
            raise entry.wrong or UserError(f"preset {name!r} can't be read")
        return entry.preset

    def read(self, name: str) -> Preset:
        """Return a preset that is about to be played. UserError: it can't be read, and why."""
        preset, entry = self.peek(name), self._table.get(name)
        if entry is not None and entry.preset is preset and entry.notes:
            log.warning("%s", entry.notes)
            entry.notes = ""
        return preset

    def make_path(self, name: str) -> Path:
        return self.folder / f"{name}.yaml"

    def extend_instrument(self, parameters):
        """Give the instrument these as well: the thread reads what presets say of them."""
        self.base = self.base.with_parameters(parameters)
        self._stale = True
        self._awake.set()

    # -- writing: in memory at once, to the disk from a thread

    def store(self, name: str, preset: Preset | None):
        """Store a preset under a name; None takes it away."""
        name = check_name(name)
        self._unwritten[name] = preset
        self._jobs.put(lambda: self._write_preset(name, preset), ("preset", name))

    def get(self, name: str) -> Preset | None:
        """Return the preset of that name, None if there is none that can be read."""
        try:
            return self.peek(name)
        except UserError:
            return None

    def rename(self, old: str, new: str):
        """Give a preset another name: its file is moved as it is, with all that a person wrote into it."""
        new = check_name(new)
        preset, kept = self.peek(old), old not in self._unwritten
        self._unwritten[new], self._unwritten[old] = preset, None
        self._jobs.put(lambda: self._move_preset(old, new, preset, kept))

    def set_order(self, presets: list[str], banks: dict | None = None, show: list | None = None):
        """Change the set list: the order, and the banks and the show where they are given.

        UserError: its file can't be read, so writing it would lose what is in it.
        """
        if self._unlisted:
            raise UserError(f"the set list can't be changed until it can be read: {self._unlisted}")
        with self._list_lock:
            self._order = list(presets)
            self._banks = self._banks if banks is None else banks
            self.show = self.show if show is None else show
            self._listing = True                         # until it is on the disk, its file says less than we know
        data = set_list.to_file(self._order, self._banks, self.show)
        self._jobs.put(lambda: self._write_set_list(data), "set list")

    def list_order(self) -> list[str]:
        """Return the names in the set list, also those of presets that do not exist."""
        return list(self._order)

    @property
    def unlisted(self) -> UserError | None:
        """Why the set list can't be read, None where it can."""
        return self._unlisted

    @property
    def set_list(self) -> Path:
        return self.folder.parent / "setlist.yaml"

    def flush(self):
        """Wait until everything kept so far is on the disk."""
        self._jobs.flush()

    def close(self):
        """Write what is left, and end the threads."""
        self._jobs.close()
        self._closing.set()
        self._awake.set()
        end_thread(self._thread, ENDING)

    def _write_preset(self, name, preset):
        path = self.make_path(name)
        if preset is None:
            path.unlink(missing_ok=True)
        else:
            write_yaml(path, to_file(preset), make_folder=True)
        self.refresh()
        if self._unwritten.get(name) is preset:              # nothing newer waits under this name
            self._unwritten.pop(name, None)

    def _move_preset(self, old, new, preset, kept):
        """Rename a preset. kept: its file holds all of it; if not, the old file goes only once the new one exists."""
        if kept:
            os.replace(self.make_path(old), self.make_path(new))
        else:
            write_yaml(self.make_path(new), to_file(preset), make_folder=True)
            self.make_path(old).unlink(missing_ok=True)
        self.refresh()
        for name, was in ((new, preset), (old, None)):
            if self._unwritten.get(name, self) is was:       # nothing newer waits under this name
                self._unwritten.pop(name)

    def _write_set_list(self, data):
        write_yaml(self.set_list, data, make_folder=True)
        self._listed, self._listing = read_stamp(self.set_list), False

    def _refresh_set_list(self):
        """Read it if a person has changed it. One that can't be read changes nothing."""
        found = read_stamp(self.set_list)
        if self._listing or found == self._listed:
            return
        self._listed = found
        try:
            read = build(SetListFile, read_plain(self.set_list), self.set_list) if found else SetListFile()
        except UserError as error:
            self._unlisted = error
            log.warning("%s; the order of the presets stays as it is", error)
            return
        with self._list_lock:
            if not self._listing:                            # nobody has changed it in the meantime
                self._order, self._banks, self.show, self._unlisted = list(read.presets), dict(read.banks), list(read.show), None


def find_spelling(wanted: str, names) -> str | None:
    """Return the name among those there are that is written like the one wanted, accents in either Unicode form; None without one."""
    if wanted in names:
        return wanted
    form = unicodedata.normalize("NFC", wanted)
    return next((name for name in names if unicodedata.normalize("NFC", name) == form), None)


def read_stamp(path: Path):
    """Return what changes when a file does: its date and size; None if there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
