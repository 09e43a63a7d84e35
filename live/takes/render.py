"""Rendering a take to a file: the same performance again, at any size and rate, as slowly as it needs.

Works in parts of some seconds, each whole when its file appears, so an interrupted render goes on where it was. Knows
the instrument only as something that renders (scene, motion).
"""
import contextlib
import hashlib
import heapq
import json
import shutil
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UserError
from engine.files import whole, write_text
from engine.motion import darkness
from live.outputs.recorder import CONTAINERS, MILLISECONDS, Coding, VideoFile
from live.takes import sound
from live.takes.performance import evenly, played
from live.takes.take import TakeReader

if TYPE_CHECKING:                   # it brings torch
    from engine.instrument import Instrument

LIBRARIES = ("PIL", "av")
PART = 300                          # frames
PARTS = ".nut"                      # a container that keeps any codec and any times exactly
NOMINAL_FPS = 30.0                    # told to players of files whose frames have times of their own
BROKEN = (OSError, ValueError)      # what a codec or a disk raises


def render(take: TakeReader, instrument, out, size=None, fps=None, lossless=False, audio=None, progress=None) -> Path:
    """Render the take to FILE.mkv, .mp4, .mov or a folder of PNG files; returns the path.

    size: of the pictures, where it is not the one the instrument renders at. fps: evenly spaced frames; None = the
    take's own ticks, whose frames are those of the show to the bit. audio: a sound file to put beside the pictures,
    or a live.takes.sound.Sound.
    progress(done, total): called after each frame.
    """
    out = Path(out)
    if fps is not None and not 0 < fps <= 1000:
        raise UserError(f"{fps} frames a second: expected a number above 0")
    if size is not None and size < 1:
        raise UserError(f"size {size}: expected a number of pixels above 0")
    audio = audio if audio is None or isinstance(audio, sound.Sound) else sound.Sound(audio)
    if audio is not None and out.suffix in CONTAINERS:
        sound.check_sound(audio.path, out.suffix, audio.offset)
    frames, _ = take.length()
    if not frames:
        raise UserError(f"{take.path}: the take has no frames")
    moments = played(take) if fps is None else evenly(played(take), fps)
    if fps is not None or instrument.size != take.origin.size:
        moments = (_at_full_quality(moment) for moment in moments)
    job = _Job(take, instrument, out, size or instrument.size, fps, lossless)
    total = frames if fps is None else int(job.seconds() * fps + 1e-6) + 1
    note = (lambda done: progress(done, total)) if progress else (lambda done: None)
    try:
        if out.suffix in CONTAINERS:
            _to_video(job, moments, audio, note)
        elif out.suffix:
            raise UserError(f"{out}: expected a name ending in {', '.join(CONTAINERS)}, or a folder for single pictures")
        else:
            if audio is not None:
                raise UserError("pictures in a folder have no place for sound; choose a .mkv or .mp4")
            _to_folder(job, moments, note)
    except BROKEN as error:
        raise UserError(f"{out}: can't be written: {getattr(error, 'strerror', None) or error}") from error
    return out


def _at_full_quality(moment):
    """Drawn as large as the pictures are, whatever the machine managed in the show."""
    address = "/quality/size"
    if address not in moment.scene.values:
        return moment
    scene = moment.scene.set_values({address: moment.scene.parameters[address].high})
    return replace(moment, scene=scene)


def _unseen(moment) -> bool:
    """Whether no freeze can hold a moment's picture, as it was black and so not drawn."""
    return not moment.scene["/output/freeze"] and darkness(moment.scene, moment.motion) >= 1.0


@dataclass
class _Job:
    take: TakeReader
    instrument: "Instrument"
    out: Path
    size: int
    fps: float | None
    lossless: bool

    def seconds(self) -> float:
        """From the take's first tick to its last."""
        return self.take.length()[1] - next(self.take.frames())[0].time

    def key(self) -> str:
        """What makes two renders the same: parts of another are not gone on with."""
        digest = hashlib.sha256(self.take.path.read_bytes())
        what = [self.size, self.instrument.size, self.fps, self.lossless, self.take.generator]
        digest.update(json.dumps(what + ([self.instrument.pixels] if self.instrument.shape else [])).encode())
        digest.update(getattr(self.take, "also", "").encode())
        return digest.hexdigest()

    def shape(self) -> tuple[int, int]:
        """(height, width) of the pictures to write."""
        height, width = self._drawn.shape[:2]
        return height * self.size // self.instrument.size, width * self.size // self.instrument.size

    def drawn(self, moments, done: int):
        """(number, moment, pixels) of every frame from number `done` on."""
        if self.take.shown:                              # what a freeze at the very beginning holds
            scene, motion = self.take.shown
            self.instrument.render(scene, motion, self.take.source.picture(scene))
        held = None
        for number, moment in enumerate(moments):
            frozen = moment.scene["/output/freeze"]
            if number < done:
                held = moment if not frozen or held is None or _unseen(held) else held
                self.instrument.follow(moment.scene, moment.motion, self.take.source.picture(moment.scene))
                continue
            if held is not None and number == done and frozen:
                self._picture(held)
            yield number, moment, self._picture(moment)

    def _picture(self, moment):
        self._drawn = self.instrument.render(moment.scene, moment.motion, self.take.source.picture(moment.scene)).pixels
        return self._drawn


# -- a folder of pictures


def _to_folder(job: _Job, moments, progress):
    from PIL import Image

    job.out.mkdir(parents=True, exist_ok=True)
    _claim(job.out / "render.json", job.key(), any(job.out.glob("frame_*.png")))
    done = 0
    while (job.out / f"frame_{done:06d}.png").exists():
        done += 1
    for number, _, pixels in job.drawn(moments, done):
        picture = Image.fromarray(pixels)
        if pixels.shape[:2] != job.shape():
            picture = picture.resize(job.shape()[::-1], Image.Resampling.LANCZOS)
        with whole(job.out / f"frame_{number:06d}.png") as temporary:
            picture.save(temporary, "PNG", compress_level=1)
        progress(number + 1)


def _claim(path: Path, key: str, used: bool):
    """Mark a folder as this render's; UserError if it is another's."""
    found = json.loads(path.read_text()).get("key") if path.exists() else None
    if found not in (None, key) or found is None and used:
        raise UserError(f"{path.parent}: there are frames of another render in it; choose another folder, or empty it")
    if found is None:
        write_text(path, json.dumps({"key": key}))


# -- a video


def _to_video(job: _Job, moments, audio, progress):
    if job.out.exists():
        raise UserError(f"{job.out}: there is a file of that name already; choose another")
    parts = job.out.with_name(f".{job.out.name}.{job.key()[:12]}.parts")
    parts.mkdir(parents=True, exist_ok=True)
    done = 0
    while (parts / f"{done // PART:05d}{PARTS}").exists():
        done += PART
    with contextlib.ExitStack() as open_part:
        video = None
        for number, moment, pixels in job.drawn(moments, done):
            if video is None or number % PART == 0:
                open_part.close()
                video = open_part.enter_context(_part(job, parts / f"{number // PART:05d}{PARTS}"))
            video.write(pixels, number if job.fps else round(moment.time * 1000))
            progress(number + 1)
    _join(sorted(parts.glob(f"[0-9]*{PARTS}")), job, audio)
    shutil.rmtree(parts)


@contextlib.contextmanager
def _part(job: _Job, path: Path):
    """A part of the video; it appears under its name when it is whole."""
    time_base = 1 / Fraction(job.fps).limit_denominator(1001) if job.fps else MILLISECONDS
    coding = Coding(job.lossless, preset="medium", container=job.out.suffix)
    with whole(path) as temporary:
        video = VideoFile(temporary, *job.shape(), coding, job.fps or NOMINAL_FPS, time_base)
        try:
            yield video
        finally:
            video.close()


def _join(parts, job: _Job, audio):
    """The parts, one after the other and with the sound beside them, as one file."""
    import av

    with whole(job.out) as temporary, contextlib.ExitStack() as files:
        made = files.enter_context(av.open(str(temporary), "w", options={"movflags": "+faststart"}))
        given = [files.enter_context(av.open(str(part))) for part in parts]
        stream = made.add_stream_from_template(given[0].streams.video[0])
        tracks = [_packets(given, stream)]
        if audio is not None:
            end = job.seconds() + 1.0 / (job.fps or NOMINAL_FPS)
            tracks.append(sound.track(files.enter_context(av.open(str(audio.path))), made, job.out.suffix, end, audio.offset))
        for _, packet in heapq.merge(*tracks, key=lambda found: found[0]):
            made.mux(packet)


def _packets(files, stream):
    """(seconds, packet) of the pictures of all parts; each frame has its time in the whole."""
    for file in files:
        for packet in file.demux(video=0):
            if packet.dts is not None:
                seconds = float(packet.dts * packet.time_base)
                packet.stream = stream
                yield seconds, packet
