"""A video file, round and round at its own times; a picture under a film's name stays, an address is a stream."""
from pathlib import Path

from engine.errors import UserError
from live.sources import Seen, source
from live.sources.decoding import Shape, decode_frames, find_film, time_frames
from live.sources.frames import convert_video_frame
from live.sources.images import Images, is_picture
from live.sources.stream import Stream, is_address

LIBRARIES = ("av",)
AGAIN = 0.5                         # seconds before a film of one picture, which may be growing, is read again


@source
class Video:
    """target: the file, or an address in the network. Frame n of a file has number n, in every round."""
    listed, file = ("video=FILE", "video=ADDRESS (http, rtsp, udp, ...)"), True

    def __init__(self, target, longest):
        self.path, self.longest = Path(target), longest
        self._other: Stream | Images | None = Stream(target, longest) if is_address(target) else None
        self._opened, self._frames, self._next, self._last = None, None, 0, None
        if self._other:
            return
        if target == "-":
            raise UserError("source video=-: standard input can't be a source; name a file, or an address such as udp://127.0.0.1:5000")
        if not target or not self.path.exists():
            raise UserError(f"source video={target}: there is no such file")
        if target.startswith("/dev/"):
            raise UserError(f"source video={target}: that is a device; --source camera={target}")
        if not self.path.is_file():
            raise UserError(f"source video={target}: expected a file" + ("; a folder of pictures is --source images=" + target if self.path.is_dir() else ""))
        self._other = Images(target, longest) if is_picture(self.path) else None

    @property
    def exact(self) -> bool:
        """Whether at() has the very pictures that were shown: of a file, not of a stream."""
        return self._other is None or self._other.exact

    def pictures(self):
        if self._other:
            yield from self._other.pictures()
            return
        begun = 0.0
        while True:
            ended = begun
            for number, pixels, time, lasts in self._play_round():
                ended = begun + time + lasts
                yield Seen(pixels, number, begun + time, lasts)
            if ended == begun:
                raise UserError(f"source video={self.path}: there is no picture in it that can be decoded")
            begun = ended + (AGAIN if number == 0 else 0.0)

    def at(self, number):
        """Return frame `number`; quick where numbers rise."""
        if self._other:
            return self._other.at(number)
        if self._last is not None and self._last[0] == number:
            return self._last[1]
        if self._frames is None or number < self._next:
            self._frames, self._next = self._play_round(number), 0
        for here, pixels, _, _ in self._frames:
            self._next = here + 1
            if here == number:
                self._last = number, pixels
                return pixels
        self._frames = None
        raise KeyError(number)

    def _play_round(self, first=0):
        """Yield (number, pixels, seconds from the first, seconds it lasts) of one round, from frame `first`; ends where the file is damaged."""
        with self._open() as file:
            stream = find_film(file, str(self.path))
            shape, longest = Shape(file, stream), self.longest
            for number, frame, time, lasts in time_frames(decode_frames(file, stream), stream):
                aspect = shape.of(frame)
                if number >= first:
                    yield number, convert_video_frame(frame, longest, aspect), time, lasts

    def _open(self):
        import av

        try:
            return av.open(str(self.path))
        except av.error.InvalidDataError:
            raise UserError(f"source video={self.path}: can't be read as a film; an .mp4 that was cut off, or is not finished yet, can't be") from None

    def close(self):
        self._frames = None
