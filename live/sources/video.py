"""A video file, round and round at its own times."""
from pathlib import Path

from engine.errors import UserError
from live.sources import Seen, source
from live.sources.frames import from_video

LIBRARIES = ("av",)
NOMINAL = 25.0                      # frames a second where a file names no rate
FASTEST = 0.001                     # seconds that a frame lasts at least


@source
class Video:
    """target: the file. Frame n of it has number n, in every round."""
    exact = True

    def __init__(self, target, longest):
        self.path, self.longest = Path(target), longest
        self._opened, self._frames, self._next, self._last = None, None, 0, None
        if not target or not self.path.is_file():
            raise UserError(f"source video={target}: there is no such file")

    def pictures(self):
        begun = 0.0
        while True:
            ended = begun
            for number, frame, time, lasts in self._played():
                ended = begun + time + lasts
                yield Seen(from_video(frame, self.longest), number, begun + time, lasts)
            if ended == begun:
                raise UserError(f"source video={self.path}: there is no picture in it")
            begun = ended

    def at(self, number):
        """Frame `number`; quick where numbers rise."""
        if self._last is not None and self._last[0] == number:
            return self._last[1]
        if self._frames is None or number < self._next:
            self._frames, self._next = self._played(), 0
        for here, frame, _, _ in self._frames:
            self._next = here + 1
            if here == number:
                self._last = number, from_video(frame, self.longest)
                return self._last[1]
        self._frames = None
        raise KeyError(number)

    def _played(self):
        """(number, frame, seconds from the first, seconds it lasts) of one round; ends where the file is damaged."""
        import av

        with av.open(str(self.path)) as file:
            if not file.streams.video:
                raise UserError(f"source video={self.path}: there is no picture in it")
            stream = file.streams.video[0]
            stream.thread_type, stream.codec_context.thread_count = "SLICE", 1      # the cores are the network's
            usual = 1.0 / float(stream.average_rate or NOMINAL)
            start, last = None, -usual
            for number, frame in enumerate(_whole(file, stream)):
                time = last + usual if frame.time is None else frame.time
                start = time if start is None else start
                last = max(time - start, last + FASTEST)                            # times that do not rise are made to
                yield number, frame, last, usual

    def close(self):
        self._frames = None


def _whole(file, stream):
    """The frames that can be decoded."""
    import av

    packets = file.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):                               # the file was cut off here
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:                                                # one damaged packet
            continue
        yield from frames
