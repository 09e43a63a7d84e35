"""What the flags about sources mean: opening them for a show, and finding a take's again. Knows flags and files."""
import hashlib
import logging
from pathlib import Path

from engine.errors import UserError
from live import sources
from live.sources.feed import Feed
from live.sources.recorder import SourceRecorder
from live.sources.stream import hide_password
from live.sources.watching import Replayed, Watching

log = logging.getLogger(__name__)

SPARE = 2                           # times what the encoder looks at: what a zoom finds between its pixels
ENDS = 1 << 16                      # bytes at either end of a file that tell it from another


def add_arguments(group):
    """Add the flags of the source."""
    group.add_argument("--source", metavar="SOURCE", help=f"what the encoder sees: {sources.list_sources()}")
    group.add_argument("--encoder", metavar="FILE", help="the encoder to see it by; default: the instrument's own")
    group.add_argument("--source-preview", metavar="FILE.jpg", help="keep the source's newest picture in this file, for the performer's own screen")
    group.add_argument("--record-source", metavar="FILE.mkv",
                       help="keep the pictures that are seen, small, so that takes played to a camera can be played again")


def find_longest_side(instrument) -> int:
    """Return how many pixels the longer side of a source's pictures has."""
    parts = [part for part in (instrument.live_encoder, find_look(instrument)) if part is not None]
    return SPARE * max(side for part in parts for side in part.encoder.size)


def find_look_rate(instrument) -> int:
    """Return how often a picture of the source was looked at, by the encoder or the reader."""
    parts = instrument.live_encoder, find_look(instrument)
    return sum(part.encoded for part in parts if part is not None) + (instrument.live_reader.ran if getattr(instrument, "live_reader", None) else 0)


def find_look(instrument):
    """Return what leads the walk by the source's pictures, None where there is none."""
    return getattr(getattr(instrument, "sight", None), "look", None)


def open_source(text, instrument):
    """Return the source that a flag or a take names. UserError: what is wrong with it, or that there is no encoder to see it by."""
    if instrument.live_encoder is None and find_look(instrument) is None:
        raise UserError(f"source {text}: this instrument has no encoder to see it by; make one with `run_live.py train-encoder`, "
                        "or name one with --encoder, or have the walk led by it once `run_live.py analyse` has made its look")
    return sources.make(text, find_longest_side(instrument))


def make_reference(options, instrument) -> tuple[str, str, str]:
    """Return (what a take says its source is, the fingerprints of its file and of the encoder): what open_source() will find again."""
    encoder = instrument.live_encoder.fingerprint() if options.source and instrument.live_encoder else ""
    if options.record_source:
        return f"video={Path(options.record_source).resolve()}", "", encoder
    return *resolve_reference(options.source or ""), encoder


def resolve_reference(text: str) -> tuple[str, str]:
    """Return a source's text with its path made whole, and its fingerprint."""
    name, _, target = text.partition("=")
    if "://" in target:
        return f"{name}={hide_password(target)}", ""
    if name not in sources.SOURCES or not sources.SOURCES[name].file or not target:
        return text, ""
    return f"{name}={Path(target).resolve()}", fingerprint(target)


def fingerprint(path) -> str:
    """Return what tells a file, or a folder's pictures, from another: sizes, names, and the ends of a file."""
    path, digest = Path(path), hashlib.sha256()
    if path.is_dir():
        for file in sorted(p for p in path.iterdir() if p.is_file()):
            digest.update(f"{file.name} {file.stat().st_size}\n".encode())
    elif path.is_file():
        with open(path, "rb") as file:
            digest.update(f"{path.stat().st_size} ".encode() + file.read(ENDS))
            file.seek(max(0, path.stat().st_size - ENDS))
            digest.update(file.read())
    return digest.hexdigest()[:16]


def open_watching(options, show):
    """Bring the source of the flags into a show. Returns what to close and to ask for a report, or None."""
    if not options.source:
        if options.record_source:
            raise UserError("--record-source needs a --source to record")
        return None
    instrument = show.instrument
    source = open_source(options.source, instrument)
    feed = Feed(options.source, find_longest_side(instrument), made=source, preview=options.source_preview)
    recorder = SourceRecorder(options.record_source) if options.record_source else None
    if not feed.source.exact and recorder is None and options.take:
        log.warning("source %s: its pictures will not be in the take, which plays again without them; --record-source keeps them", options.source)
    watching = Watching(show, feed.start(), lambda: find_look_rate(instrument), recorder)
    watching.join()
    return watching


def reopen(take, instrument, text=None) -> Replayed:
    """Return the pictures of a take. text: its source, where that has moved. What can't be found is said, and left out."""
    wanted = text or take.origin.source
    if not wanted:
        return Replayed(None)
    try:
        source = open_source(wanted, instrument)
    except UserError as error:
        if text:
            raise
        log.warning("%s: %s; it plays without its source", take.path, error)
        return Replayed(None)
    if not source.exact:
        log.warning("%s: it was played to %s, whose pictures were not recorded; it plays without them", take.path, wanted)
        return Replayed(None)
    if take.origin.source_hash and resolve_reference(wanted)[1] != take.origin.source_hash:
        log.warning("%s: %s is not the file it was played to; the pictures will be others", take.path, wanted)
    if take.origin.encoder and (instrument.live_encoder is None or instrument.live_encoder.fingerprint() != take.origin.encoder):
        log.warning("%s: it was played with another encoder; --encoder names one; the pictures will be others", take.path)
    return Replayed(source)
