"""Commands of takes, gestures and live video recording."""
import logging

from engine.errors import UserError
from live.files.names import check_name
from live.show.commands import command, to_number
from live.takes.looper import Looper
from live.takes.recording import Recording
from live.takes.replay import Chase, Replay
from live.takes.take import TakeReader

log = logging.getLogger(__name__)


def find_recording(show) -> Recording:
    """Return what records and plays takes in a show. UserError: it was started without."""
    if show.recording is None:
        raise UserError("this show records nothing: it was started without")
    return show.recording


def find_looper(show) -> Looper:
    """Return the looper of a show. UserError: it was started without."""
    if show.looper is None:
        raise UserError("this show loops nothing: it was started without")
    return show.looper


def find_free_name(folder, stem: str, suffix: str):
    """Return a path in the folder whose name no take or video has yet: stem-001, stem-002, ..."""
    taken = {path.stem for path in folder.glob(f"{stem}-*.*")}
    return folder / next(f"{name}{suffix}" for n in range(1, 100000) if (name := f"{stem}-{n:03d}") not in taken)


def _make_path(recording, name, suffix):
    stem = name if isinstance(name, str) and name else None
    if stem is None:
        return find_free_name(recording.takes, recording.origin.instrument or "take", suffix)
    return recording.takes / (check_name(stem, "recording") + suffix)


@command("/take/record")
def record_take(show, name=None):
    """Record the performance to a file in takes/; again: end the take."""
    recording = find_recording(show)
    if recording.recording:
        recording.stop_take()
        return
    path = _make_path(recording, name, ".take")
    recording.record_to(path)
    log.info("recording a take to %s", path)


@command("/take/stop")
def stop_take(show, on=None):
    """End the take that is being recorded, and the one that plays."""
    recording = find_recording(show)
    recording.stop_take()
    recording.replay = None


@command("/take/play")
def play_take(show, name):
    """Play a take of this folder from its beginning; hands play on top of it."""
    find_recording(show).replay = _replay(show, name)


@command("/take/loop")
def loop_take(show, name):
    """Play a take round and round; hands play on top of it."""
    find_recording(show).replay = _replay(show, name, loop=True)


@command("/take/chase")
def chase_take(show, name, begin=0.0):
    """Play a take by the timecode that is followed: it begins at so many seconds of it, jumps with it and stands with it."""
    at = to_number(begin, "seconds of the timecode", "/take/chase")
    recording = find_recording(show)
    recording.replay = Chase(_open_take(show, name), at)


def _replay(show, name, loop=False):
    return Replay(_open_take(show, name), loop)


def _open_take(show, name):
    recording = find_recording(show)
    path = recording.takes / f"{check_name(name, 'take')}.take"
    if not path.exists():
        there = sorted(p.stem for p in recording.takes.glob("*.take"))
        raise UserError(f"no take {name!r}; there are: {', '.join(there) or 'none yet'}")
    return TakeReader(path, show.scene, recording.origin.generator, show.instrument.bend)


@command("/video/record")
def record_video(show, name=None):
    """Record the picture to a video in takes/; again: end it. The show never waits for the file."""
    recording = find_recording(show)
    if recording.video is not None:
        running = not recording.video.broken                # one that has ended by itself is not there to be ended
        recording.stop_video()
        if running:
            return
    path = _make_path(recording, name, ".mp4")
    recording.record_video_to(path)
    log.info("recording video to %s", path)


@command("/still")
def still(show, name=None):
    """Keep the picture that is up as a PNG in takes/, with its scene in it and its preset beside it: `render` draws it again at any size."""
    named = name if isinstance(name, str) and name else ""
    find_recording(show).keep_still(check_name(named, "still") if named else "")


@command("/gesture")
def gesture(show, on=None):
    """Record what hands do to parameters; again: loop it; again: record a new one. Waits for /quantise."""
    loop, quantiser = find_looper(show).gesture, show.quantiser

    def act():
        if loop.state == "recording":
            loop.loop(quantiser.beat, quantiser.quantum)
        else:
            loop.record(quantiser.beat)
        return []
    return quantiser.schedule(act, "gesture")


@command("/gesture/overdub")
def overdub(show, on=None):
    """Lay what hands do over the loop; again: only play it."""
    loop = find_looper(show).gesture
    loop.overdub(loop.state != "overdub")


@command("/gesture/stop")
def stop_gesture(show, on=None):
    """End the loop; its parameters stay where they are."""
    find_looper(show).gesture.stop()


@command("/gesture/only")
def only(show, address=None):
    """Gestures listen to this address, or what lies below it, only; no address = to all."""
    find_looper(show).gesture.only = (address,) if isinstance(address, str) else ()
