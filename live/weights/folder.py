"""What an instrument's folder offers for its weights: edits/*.safetensors and weights.yaml. Reads and checks, at the start
of a show and, in a thread, during it. What fails its check is left out, with the reason. Must not know the show.
"""
import logging
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import UserError
from engine.names import check_name
from live.files.paths import find_path
from live.weights.presets import WeightsFile, read_file

log = logging.getLogger(__name__)

FILE, EDITS = "weights.yaml", "edits"


@dataclass(frozen=True)
class Offer:
    """edits: engine.rewriting.Edit, in the order of their names. checkpoints: {name: Generator}. greyed: {its address: why}.

    known: content hashes of the weights that edits may be for. read: {path: (date and size, what was in it)}.
    """
    folder: Path
    edits: tuple = ()
    checkpoints: dict = field(default_factory=dict)
    file: WeightsFile = WeightsFile(schema=1)
    greyed: dict[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    read: dict = field(default_factory=dict)


def read_folder(folder, generator, known=(), before: Offer | None = None) -> Offer:
    """Return what is there for this generator. before: the last look; files that have not changed are not read again.

    An edit or checkpoint that does not fit is greyed; a weights.yaml that can't be read is a UserError.
    """
    folder = Path(folder)
    read: dict = {}
    greyed: dict[str, str] = {}
    known = known or (before.known if before else ())
    found = read_file(folder / FILE)
    get = lambda path, load: _read_once(path, load, before.read if before else {}, read)
    edits, checkpoints = [], {}
    for path in sorted((folder / EDITS).glob("*.safetensors")):
        if not path.name.startswith("."):
            _try(f"/edits/{path.stem}", path, greyed, lambda: edits.append(get(path, lambda: _read_edit(path, generator, known))))
    for name, text in found.checkpoints.items():
        path = folder / text if "://" in text else find_path(text, folder)
        _try(f"/weights/{name}", path, greyed,
             lambda: checkpoints.update({check_name(name): get(path, lambda: _read_checkpoint(path, generator))}))
    for address, reason in greyed.items():
        if before is None or before.greyed.get(address) != reason:
            log.warning("%s is left out: %s", address, reason)
    return Offer(folder, tuple(edits), checkpoints, found, greyed, tuple(known), read)


def _try(address, path, greyed, act):
    try:
        act()
    except UserError as error:
        text = str(error)
        greyed[address] = text if text.startswith(str(path)) else f"{path}: {text}"


def _read_once(path, load, before: dict, read: dict):
    """Return what is in a file: as it was read last, if its date and size are what they were."""
    try:
        stat = path.stat()
    except OSError:
        raise UserError("there is no such file") from None
    stamp = stat.st_mtime_ns, stat.st_size
    kept = before.get(path)
    read[path] = kept if kept and kept[0] == stamp else (stamp, load())
    return read[path][1]


def _read_edit(path, generator, known):
    from engine import rewriting
    from engine.weights_check import check_edit

    edit = rewriting.load(path)
    check_edit(edit, generator, known)
    return edit


def _read_checkpoint(path, generator):
    from engine import checkpoints
    from engine.mixing import are_relatives
    from engine.weights_check import check_checkpoint
    from live.instrument import folder as instruments

    found = checkpoints.load(instruments.find(path).generator, generator.device)
    check_checkpoint(found, generator)
    if not are_relatives(generator, found):
        log.warning("%s: a stranger to this network, by all signs: at its ends it plays, between them expect mud", path)
    return found
