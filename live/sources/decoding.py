"""Films and streams opened and decoded: which of a file's streams, by which decoder, at which times, with pixels of which shape."""
from collections.abc import Iterator
from fractions import Fraction

from engine.errors import UserError

LIBRARIES = ("av",)
NOMINAL = 25.0                      # frames a second where a file names no rate
SHORTEST = 0.001                    # seconds that a frame lasts at least
LEAP = 10.0                         # seconds that times may go on by; more is where two recordings were joined
CLEAR = {"vp8": "libvpx", "vp9": "libvpx-vp9"}          # decoders that see the alpha of WebM
UNSHAPED = ("mpegts", "mpeg", "mpegvideo", "h264", "hevc", "avi", "m4v", "rtsp", "sdp", "rtp", "flv")     # containers that say nothing of pixels' shapes
PROBE = 64                          # lines of the picture that tells a frame's shape of pixels


def find_film(file, name: str):
    """Return the stream of an open container that a player would show. UserError: there is none, and what there is."""
    films = [s for s in file.streams.video if not s.disposition & s.disposition.__class__.attached_pic]
    if films and not (films := [s for s in films if s.codec_context is not None]):
        raise UserError(f"source video={name}: it is cut off, or nothing here can decode it; an .mp4 that is not finished yet can't be seen")
    if not films:
        what = "only a cover picture" if file.streams.video else "only sound" if file.streams.audio else "no picture"
        raise UserError(f"source video={name}: there is {what} in it")
    default = [s for s in films if s.disposition & s.disposition.__class__.default] or films
    return max(default, key=lambda s: s.codec_context.width * s.codec_context.height)


def read_rate(stream) -> float:
    """Return the frames a second that the file declares; a usual rate where it declares none."""
    found = float(stream.average_rate or stream.guessed_rate or NOMINAL)
    return found if 0.01 <= found <= 1000 else NOMINAL


def decode_frames(file, stream) -> Iterator:
    """Yield the frames that can be decoded; ends where the file is damaged or cut off."""
    import av

    decoder = _make_decoder(stream)
    packets = file.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):                               # cut off here
            return
        try:
            decoded = decoder.decode(packet if packet.size else None)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:                                                # one damaged packet
            continue
        yield from decoded


def _make_decoder(stream):
    """Return the stream's own decoder, or the one that can read its alpha channel. It uses one thread, as the cores are for the network."""
    import av

    context = stream.codec_context
    other = CLEAR.get(context.name)
    if other in av.codecs_available and any(name.lower() == "alpha_mode" and value == "1" for name, value in stream.metadata.items()):
        context = av.CodecContext.create(other, "r")
        context.extradata = stream.codec_context.extradata
    context.thread_type, context.thread_count = "SLICE", 1
    return context


def time_frames(decoded, stream) -> Iterator:
    """Yield (number, frame, seconds from the first, seconds it lasts) of a stream's frames, whatever their times do.

    Times that stand still or go back are moved on, leaps of more than LEAP are left out.
    """
    waiting, at, before, usual = None, 0.0, None, 1 / read_rate(stream)
    for number, frame in enumerate(decoded):
        time = None if frame.pts is None else float(frame.pts * stream.time_base)
        step = usual if time is None or before is None else time - before
        before = time if time is not None else before
        if step < 0 or step > LEAP:
            step = usual
        step = max(step, SHORTEST)
        if waiting is not None:
            yield (*waiting, at, step)
            at += step
        waiting = number, frame
    if waiting is not None:
        yield (*waiting, at, usual)


class Shape:
    """How wide a frame's pixels are by their height: as the container says, else as each frame does."""

    def __init__(self, file, stream):
        self._stream, self._probe = stream, None
        self._said = _share(stream.sample_aspect_ratio)
        self._each = bool(set(file.format.name.split(",")) & set(UNSHAPED))

    def of(self, frame) -> float:
        """Return the shape of a frame's pixels."""
        if not self._each:
            return self._said
        small = self._shrink(frame)
        return small.width / PROBE

    def _shrink(self, frame):
        """Return the frame as a picture PROBE lines high whose width tells the shape of its pixels: av has no other way to find out."""
        import av

        key = frame.width, frame.height, frame.format.name
        if self._probe is None or self._probe[0] != key:
            graph = av.filter.Graph()
            begin = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000))
            scale = graph.add("scale", f"w='clip(round({PROBE}*if(sar,sar,1)),1,{PROBE * 16})':h={PROBE}:flags=neighbor:eval=frame")
            begin.link_to(scale)
            scale.link_to(graph.add("buffersink"))
            graph.configure()
            self._probe = key, graph
        graph = self._probe[1]
        graph.push(frame)
        return graph.pull()


def _share(ratio) -> float:
    return float(ratio) if ratio and ratio > 0 else 1.0
