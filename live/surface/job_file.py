"""Jobs of the studio on the disk: a show that is started again goes on with them. One show of an instrument at a time keeps them."""
import json
import logging
from pathlib import Path

from engine.errors import UserError
from engine.files import write_text
from engine.json_text import parse_json
from live.files.claims import try_lock

log = logging.getLogger(__name__)


class JobFile:
    """path: the file, None: nothing is kept."""

    def __init__(self, path):
        self.path = Path(path) if path else None
        self._lock = None

    def read(self) -> list[dict]:
        """Return the jobs as they were last written, [{what pages see of it..., job: what is still to be done}]; [] where another show has the file."""
        if self.path is None or not self._open() or not self.path.exists():
            return []
        try:
            found = parse_json(self.path.read_bytes())["jobs"]
        except (OSError, ValueError, UserError, KeyError, TypeError) as error:
            log.info("%s: jobs of the show before can't be read: %s", self.path, error)
            return []
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def _open(self) -> bool:
        if self.path is None:
            return False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        self._lock = self._lock or try_lock(self.path)
        return self._lock is not None

    def write(self, jobs: list[dict]):
        """Write the jobs as they are."""
        if self._lock is None:
            return
        try:
            write_text(self.path, json.dumps({"jobs": jobs}))
        except UserError as error:
            log.info("jobs are not kept: %s", error)

    def close(self):
        """Let another show keep them."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
