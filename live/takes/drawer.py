"""Draws parts of a render, whichever they are, and writes each to where it belongs. One a process."""
import itertools
from collections.abc import Callable

from engine.files import whole
from live.takes import video_parts
from live.takes.job import Job

LIBRARIES = ("PIL",)


class Drawer:
    """Draws parts of a job. They come in any order, fastest in rising order: what lies between is gone through without drawing."""

    def __init__(self, job: Job):
        self.job, self._at = job, 0
        self._moments = job.make_moments()

    def draw(self, part: tuple[int, int], note: Callable[[int], None]):
        """Draw a part and write it to where it belongs. note(1): called after each frame that is written."""
        if self._at > part[0]:
            self._at, self._moments = 0, self.job.make_moments()
            self.job.instrument.forget_shown()
        (self._write_video if self.job.is_video else self._write_pictures)(part, note)

    def _draw_frames(self, start, stop):
        """Yield (number, moment, pixels) of the frames of a part."""
        job = self.job
        if self._at == 0 and job.take.shown:             # what a freeze at the very beginning holds
            scene, motion = job.take.shown
            job.instrument.render(scene, motion, job.take.source.picture(scene))
        while self._at < stop:
            moment, number = next(self._moments), self._at
            self._at += 1
            source = job.take.source.picture(moment.scene)
            if number < start:
                job.instrument.follow(moment.scene, moment.motion, source)
            else:
                yield number, moment, job.instrument.render(moment.scene, moment.motion, source).pixels

    def _write_video(self, part, note):
        job, frames = self.job, self._draw_frames(*part)
        first = next(frames)
        with video_parts.open_part(job.find_path(part[0]), job.find_shape(first[2]), job.out.suffix, job.fps, job.lossless) as video:
            for number, moment, pixels in itertools.chain([first], frames):
                video.write(pixels, number if job.fps else round(moment.time * 1000))
                note(1)

    def _write_pictures(self, part, note):
        from PIL import Image

        for number, _, pixels in self._draw_frames(*part):
            path = self.job.find_path(number)
            if path.exists():
                continue
            picture = Image.fromarray(pixels)
            if pixels.shape[:2] != self.job.find_shape(pixels):
                picture = picture.resize(self.job.find_shape(pixels)[::-1], Image.Resampling.LANCZOS)
            with whole(path) as temporary:
                picture.save(temporary, "PNG", compress_level=1)
            note(1)
