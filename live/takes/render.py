"""Rendering a take to a file: the same performance again, at any size and rate, as slowly as it needs.

Works in parts of some seconds, each whole when its file appears, so an interrupted render goes on where it was, and several processes
can draw at once.
"""
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.errors import UserError
from engine.files import write_text
from live.takes import sound, video_parts
from live.takes.drawer import Drawer
from live.takes.job import Job
from live.takes.take import TakeReader

BROKEN = (OSError, ValueError)      # what a codec or a disk raises


class Crew(Protocol):
    """Others who draw parts: live.takes.farm."""

    def draw(self, job: "Job", parts: list, note: Callable[[int], None]):
        """Have all these parts (first frame, frame after the last) drawn into job.parts. note(frames more, or fewer)."""


def render(take: TakeReader, instrument, out, size=None, fps=None, lossless=False, audio=None, progress=None) -> Path:
    """Render the take to FILE.mkv, .mp4, .mov or a folder of PNG files; returns the path.

    size: of the pictures, where it is not the one the instrument renders at. fps: evenly spaced frames; None = the
    take's own ticks, whose frames are those of the show to the bit. audio: a sound file to put beside the pictures,
    or a live.takes.sound.Sound.
    progress(done, total): called after each frame.
    """
    audio = audio if audio is None or isinstance(audio, sound.Sound) else sound.Sound(audio)
    if size is not None and size < 1:
        raise UserError(f"size {size}: expected a number of pixels above 0")
    return render_job(Job(take, instrument, Path(out), size or instrument.size, fps, lossless), audio, progress)


def render_job(job: "Job", audio=None, progress=None, crew: Crew | None = None) -> Path:
    """Render a job; returns the path. See render(). crew: others who draw."""
    job.check(audio)
    try:
        if job.is_video:
            _render_video(job, audio, progress, crew)
        else:
            _render_folder(job, progress, crew)
    except BROKEN as error:
        raise UserError(f"{job.out}: can't be written: {getattr(error, 'strerror', None) or error}") from error
    return job.out


def _draw_parts(job: Job, parts, is_there, progress, crew):
    """Draw the parts that are not there yet. is_there(frame): whether the part or the picture that begins with it is."""
    total = parts[-1][1]
    done = sum(stop - start for start, stop in parts if is_there(start)) if job.is_video else sum(map(is_there, range(total)))
    missing = [part for part in parts if not (is_there(part[0]) if job.is_video else all(map(is_there, range(*part))))]

    def note(more):
        nonlocal done
        done += more
        if progress:
            progress(done, total)

    if crew is not None and missing:
        crew.draw(job, missing, note)
        return
    drawer = Drawer(job)
    for part in missing:
        drawer.draw(part, note)


# -- a folder of pictures


def _render_folder(job: Job, progress, crew):
    job.out.mkdir(parents=True, exist_ok=True)
    _claim(job.out / "render.json", job.key, any(job.out.glob("frame_*.png")))
    _draw_parts(job, job.plan(), lambda number: job.find_path(number).exists(), progress, crew)


def _claim(path: Path, key: str, used: bool):
    """Mark a folder as this render's; UserError if it is another's."""
    found = json.loads(path.read_text()).get("key") if path.exists() else None
    if found not in (None, key) or found is None and used:
        raise UserError(f"{path.parent}: there are frames of another render in it; choose another folder, or empty it")
    if found is None:
        write_text(path, json.dumps({"key": key}))


# -- a video


def _render_video(job: Job, audio, progress, crew):
    if job.out.exists():
        raise UserError(f"{job.out}: there is a file of that name already; choose another")
    job.parts.mkdir(parents=True, exist_ok=True)
    parts = job.plan()
    _draw_parts(job, parts, lambda number: job.find_path(number).exists(), progress, crew)
    video_parts.join_parts([job.find_path(start) for start, _ in parts], job.out, audio, job.measure_seconds(), job.fps)
    shutil.rmtree(job.parts)
