"""Commands of takes, gestures and live video recording."""
import logging

from engine.errors import UserError
from live.files.names import check_name
from live.show.commands import command
from live.takes.replay import Replay
from live.takes.take import TakeReader

log = logging.getLogger(__name__)


def recording_of(show):
    """Return what records and plays takes in a show. UserError: it was started without."""
    if show.recording is None:
        raise UserError("this show records nothing: it was started without")
    return show.recording


def looper_of(show):
    """Return the looper of a show. UserError: it was started without."""
    if show.looper is None:
        raise UserError("this show loops nothing: it was started without")
    return show.looper


def free_name(folder, stem: str, suffix: str):
    """A path in the folder whose name no take or video has yet: stem-001, stem-002, ..."""
    taken = {path.stem for path in folder.glob(f"{stem}-*.*")}
    return folder / next(f"{name}{suffix}" for n in range(1, 100000) if (name := f"{stem}-{n:03d}") not in taken)


def _path(recording, name, suffix):
    stem = name if isinstance(name, str) and name else None
    if stem is None:
        return free_name(recording.takes, recording.origin.instrument or "take", suffix)
    return recording.takes / (check_name(stem, "recording") + suffix)


@command("/take/record")
def record_take(show, name=None):
    """Record the performance to a file in takes/; again: end the take."""
    recording = recording_of(show)
    if recording.recording:
        recording.stop_take()
        return
    path = _path(recording, name, ".take")
    recording.record_to(path)
    log.info("recording a take to %s", path)


@command("/take/stop")
def stop_take(show, on=None):
    """End the take that is being recorded, and the one that plays."""
    recording = recording_of(show)
    recording.stop_take()
    recording.replay = None


@command("/take/play")
def play_take(show, name):
    """Play a take of this folder from its beginning; hands play on top of it."""
    recording_of(show).replay = _replay(show, name)


@command("/take/loop")
def loop_take(show, name):
    """Play a take round and round; hands play on top of it."""
    recording_of(show).replay = _replay(show, name, loop=True)


def _replay(show, name, loop=False):
    recording = recording_of(show)
    path = recording.takes / f"{check_name(name, 'take')}.take"
    if not path.exists():
        there = sorted(p.stem for p in recording.takes.glob("*.take"))
        raise UserError(f"no take {name!r}; there are: {', '.join(there) or 'none yet'}")
    return Replay(TakeReader(path, show.scene, recording.origin.generator, show.instrument.bend), loop)


@command("/video/record")
def record_video(show, name=None):
    """Record the picture to a video in takes/; again: end it. The show never waits for the file."""
    recording = recording_of(show)
    if recording.video is not None:
        running = not recording.video.broken                # one that has ended by itself is not there to be ended
        recording.stop_video()
        if running:
            return
    path = _path(recording, name, ".mp4")
    recording.record_video_to(path)
    log.info("recording video to %s", path)


@command("/still")
def still(show, name=None):
    """Keep the picture that is up as a PNG in takes/, with its scene in it and its preset beside it: `render` draws it again at any size."""
    named = name if isinstance(name, str) and name else ""
    recording_of(show).keep_still(check_name(named, "still") if named else "")


@command("/gesture")
def gesture(show, on=None):
    """Record what hands do to parameters; again: loop it; again: record a new one. Waits for /quantise."""
    loop, quantiser = looper_of(show).gesture, show.quantiser

    def act():
        if loop.state == "recording":
            loop.loop(quantiser.beat, quantiser.quantum)
        else:
            loop.record(quantiser.beat)
        return []
    return quantiser.wait(act, "gesture")


@command("/gesture/overdub")
def overdub(show, on=None):
    """Lay what hands do over the loop; again: only play it."""
    loop = looper_of(show).gesture
    loop.overdub(loop.state != "overdub")


@command("/gesture/stop")
def stop_gesture(show, on=None):
    """End the loop; its parameters stay where they are."""
    looper_of(show).gesture.stop()


@command("/gesture/only")
def only(show, address=None):
    """Gestures listen to this address, or what lies below it, only; no address = to all."""
    looper_of(show).gesture.only = (address,) if isinstance(address, str) else ()
