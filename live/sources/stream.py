"""A camera or a film in the network: http, rtsp, rtmp, srt, udp, ... as it comes. What ends is opened again from outside."""
from itertools import count

from engine.errors import UserError
from live.sources import Seen
from live.sources.decoding import Shape, decode_frames, find_film, read_rate, time_frames
from live.sources.frames import convert_video_frame

LIBRARIES = ("av",)
PATIENCE = (8.0, 5.0)               # seconds for opening, and for what comes next
SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "udp", "tcp", "hls", "mms", "ftp", "unix")
OPTIONS = {"analyzeduration": "2000000"}                # microseconds of it that may be looked at first
OF_SCHEME = {"rtsp": {"rtsp_transport": "tcp"}, "udp": {"overrun_nonfatal": "1", "fifo_size": "100000"}}


def is_address(target: str) -> bool:
    """Return whether a target is an address in the network."""
    return "://" in target and not target.startswith("file://")


class Stream:
    """target: its address. One that has a length is played at its own times and round and round, others as they come.

    Its pictures are gone once they were seen: a take that was played to one needs them recorded.
    """
    exact = False

    def __init__(self, target, longest):
        self.target, self.longest = target, longest
        scheme = target.partition("://")[0].lower()
        if not is_address(target) or scheme not in SCHEMES:
            raise UserError(f"source {hide_password(target)}: expected an address that begins with {', '.join(f'{name}://' for name in SCHEMES)}")
        self._options = OPTIONS | OF_SCHEME.get(scheme, {})

    def pictures(self):
        import av

        begun, numbers = 0.0, count()
        while True:
            ended = begun
            try:
                with av.open(self.target, timeout=PATIENCE, options=self._options) as file:
                    stream = find_film(file, hide_password(self.target))
                    usual, shape, has_length = 1 / read_rate(stream), Shape(file, stream), file.duration is not None or file.size > 0
                    decoded = decode_frames(file, stream)
                    for _, frame, time, lasts in time_frames(decoded, stream) if has_length else ((0, frame, 0.0, usual) for frame in decoded):
                        ended = begun + time + lasts
                        yield Seen(convert_video_frame(frame, self.longest, shape.of(frame)), next(numbers), begun + time if has_length else None, lasts)
            except av.error.ExitError:
                raise UserError(f"source {hide_password(self.target)}: no answer") from None
            except av.error.FFmpegError as error:                       # its own text has the password in it
                raise UserError(f"source {hide_password(self.target)}: {error.strerror}") from None
            if not has_length or ended == begun:
                return
            begun = ended

    def at(self, number):
        raise KeyError(number)

    def close(self):
        pass


def hide_password(address: str) -> str:
    """Return an address without its password."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    user, at, host = host.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{':***' if ':' in user else ''}{at}{host}{slash}{path}" if rest else address
