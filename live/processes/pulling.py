"""Sources that are pulled away in a rehearsal: a show is given a link to its file, which can go and come back. The file itself is not touched."""
import contextlib
import os
from pathlib import Path

from live.files.paths import find_path
from live.sources import SOURCES
from live.sources.stream import is_address


class Pull:
    """name: the source as it is named. text: what --source is to name in the rehearsal. remark: why it can't be pulled, "" where it can."""

    def __init__(self, source: str, folder: Path):
        self.name, self.text, self.remark = source, source, ""
        kind, _, target = source.partition("=")
        if kind not in SOURCES or not SOURCES[kind].file or is_address(target):
            self.remark = "not pulled away: that is for you to do, by its cable or its program"
            return
        self._target, self._link = find_path(target).absolute(), folder / f"pulled{Path(target).suffix}"
        self.text = f"{kind}={self._link}"
        try:
            self.back()
        except OSError as error:                         # Windows lets not everybody make links
            self.text, self.remark = source, f"not pulled away: this system makes no links ({error.strerror})"

    def away(self):
        """Take the file away."""
        with contextlib.suppress(OSError):
            self._link.unlink()

    def back(self):
        """Bring the file back."""
        os.symlink(self._target, self._link, target_is_directory=self._target.is_dir())
