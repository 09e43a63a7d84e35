"""What a rehearsal of a whole show needs around it: a folder in which it changes nothing of the user's, free ports, its log, and room on the disks."""
import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from live.outputs import OUTPUTS
from live.outputs.recorder import RESERVE
from live.outputs.spec import OutputSpec
from live.processes.acts import ASKED, Acts, Played
from live.processes.pulling import Pull
from live.processes.show import make_supervisor
from live.processes.trial import Probe, Trial, read_end
from live.show import journal
from live.stage.rehearsal import Row


class Rehearsed:
    """A show that is rehearsed. options: as it is played. kill: whether its processes are killed. tell(row): called with each row as it is found."""

    def __init__(self, options, specs, folder: Path, kill: bool, tell: Callable[[Row], None]):
        self.options, self.specs, self.folder, self.tell = options, specs, folder, tell
        options.osc_port = options.osc_port or find_free_port(socket.SOCK_DGRAM)
        options.oscquery_port = find_free_port(socket.SOCK_STREAM)
        pull = Pull(options.source, folder) if options.source else None
        options.source = pull.text if pull is not None else None
        self.played = Played(specs, options.osc_port, pull, kill)

    def run(self, play, modules):
        """Play it, and do everything to it."""
        log = self.folder / "log"
        with contextlib.ExitStack() as closing:
            closing.enter_context(contextlib.chdir(self.folder))
            closing.enter_context(write_to(log))
            closing.callback(journal.start_log(self.options.verbose))
            probe = Probe(self.options.oscquery_port, ASKED)
            closing.callback(probe.close)
            acts = Acts(self.played, probe, self.tell)
            closing.callback(acts.close)
            trial = make_supervisor(Trial, self.options, self.specs, play, modules, log=log)
            status = trial.play(acts)
        if not acts.rows:
            self.tell(Row("the show begins", False, f"it ended with status {status}: {read_end(log)}"))
        elif not trial.over:
            self.tell(Row("the show goes on", False, f"it ended with status {status}: {read_end(log)}"))


@contextlib.contextmanager
def write_to(path: Path):
    """Have what this process and those it starts say go to a file."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(path, "ab") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def link_instrument(instrument, folder: Path) -> Path:
    """Return a place to play an instrument from where a show may keep its scene: with links to all that the instrument has."""
    whole = folder / "instrument"
    whole.mkdir()
    if not (instrument.folder / "instrument.yaml").exists():                # a checkpoint, with a folder beside it
        link(instrument.generator, whole / instrument.generator.name)
        whole, place = whole / instrument.generator.stem, whole / instrument.generator.name
        whole.mkdir()
    else:
        place = whole
    for entry in sorted(instrument.folder.iterdir()) if instrument.folder.is_dir() else ():
        if not entry.name.startswith("."):
            link(entry, whole / entry.name)
    return place


def link(target: Path, path: Path):
    """Make a link, or a copy where the system lets us make none."""
    try:
        os.symlink(target.absolute(), path, target_is_directory=target.is_dir())
    except OSError:
        (shutil.copytree if target.is_dir() else shutil.copy2)(target, path)


def divert_outputs(specs: list[OutputSpec], closing) -> list[OutputSpec]:
    """Return outputs that write where the show's own would, but under names of their own, which are deleted at the end; the others as they are."""
    found: list[OutputSpec] = []
    for spec in specs:
        if getattr(OUTPUTS[spec.kind], "fresh", False):
            place = Path(spec.target).absolute()
            beside = place.with_name(f".rehearsal-{os.getpid()}-{len(found)}{place.suffix if spec.target else '.mkv' if spec.kind == 'recorder' else ''}")
            closing.callback(delete, beside)
            spec = replace(spec, target=str(beside))
        found.append(spec)
    return found


def delete(beside: Path):
    """Delete what a rehearsal has written under this name, its parts too."""
    for path in beside.parent.glob(f"{beside.stem}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def look_at_disks(folders: list[Path]) -> list[Row]:
    """Return a row for each folder whose disk is full or can't be written; one for all where none is."""
    rows = []
    for folder in dict.fromkeys(_find_existing(folder) for folder in folders):
        free = shutil.disk_usage(folder).free
        reason = f"{free >> 20} MB are free, and recordings leave the last {RESERVE >> 20} alone: make room, or record elsewhere" if free < RESERVE else ""
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError as error:
            reason = reason or f"nothing can be written there ({error.strerror}): change its rights, or record elsewhere"
        rows += [Row(f"disk of {folder}", False, reason)] if reason else []
    return rows or [Row("disks", True)]


def _find_existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def find_free_port(kind) -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
