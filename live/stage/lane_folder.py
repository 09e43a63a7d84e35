"""The lanes of one instrument: a folder of files, read by a thread and kept in memory, written by another. The loop waits for no disk."""
import logging
import threading
from pathlib import Path

from engine.errors import UserError
from live.files.config import write_yaml
from live.files.writer import Writer
from live.presets.library import find_spelling, read_stamp
from live.show.threads import end_thread, make_thread
from live.stage.lane_file import Lanes, read_lanes, to_file

log = logging.getLogger(__name__)

EVERY = 0.5                         # seconds between looks at the files


class LaneFolder:
    """folder: where lanes lie. find_scene() -> a scene of the instrument, for its parameters."""

    def __init__(self, folder, find_scene):
        self.folder, self.find_scene = Path(folder), find_scene
        self._table: dict = {}                           # name -> (stamp, Lanes or UserError); never changed in place
        self._unwritten: dict[str, Lanes] = {}
        self._looking = threading.Lock()
        self._closing = threading.Event()
        self._jobs: Writer | None = None
        self.refresh()
        self._thread = make_thread("lanes read", self._watch_files, self._closing)
        self._thread.start()

    def _watch_files(self):
        while not self._closing.wait(EVERY):
            self.refresh()

    def refresh(self):
        """Look at the files, and read those that have changed. Not for the loop's thread."""
        with self._looking:
            before, table = self._table, {}
            for path in sorted(self.folder.glob("*.yaml")):
                stamp = None if path.name.startswith(".") else read_stamp(path)
                if stamp is not None:
                    known = before.get(path.stem)
                    table[path.stem] = known if known is not None and known[0] == stamp else (stamp, self._read(path))
            self._table = table

    def _read(self, path):
        try:
            return read_lanes(path, self.find_scene())
        except UserError as error:
            return error

    def list_names(self) -> list[str]:
        """Return the names of the lanes there are."""
        return sorted({*self._table, *self._unwritten})

    def find(self, name) -> Lanes:
        """Return the lanes of a name. UserError: there are none, or what is wrong with their file."""
        spelled = find_spelling(str(name), self.list_names())
        if spelled is None:
            raise UserError(f"no lanes {name!r}; there are: {', '.join(self.list_names()) or 'none yet'}")
        found = self._unwritten.get(spelled) or self._table[spelled][1]
        if isinstance(found, UserError):
            raise found
        return found

    def store(self, lanes: Lanes):
        """Keep lanes under their name: in memory at once, on the disk soon."""
        self._unwritten = {**self._unwritten, lanes.name: lanes}
        self._jobs = self._jobs or Writer("lanes")
        self._jobs.put(lambda: self._write(lanes), lanes.name)

    def _write(self, lanes: Lanes):
        write_yaml(self.folder / f"{lanes.name}.yaml", to_file(lanes), make_folder=True)
        self.refresh()
        if self._unwritten.get(lanes.name) is lanes:
            self._unwritten = {name: kept for name, kept in self._unwritten.items() if name != lanes.name}

    def flush(self):
        """Wait until everything kept so far is on the disk."""
        if self._jobs:
            self._jobs.flush()

    def close(self):
        """Write what is left and end the threads."""
        if self._jobs:
            self._jobs.close()
        self._closing.set()
        end_thread(self._thread)
