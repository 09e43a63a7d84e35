"""Takes cut, joined, stretched and cleaned: each function writes another take. Whatever a function does not concern stays the same, byte for byte."""
import itertools
import wave
from pathlib import Path

from engine.errors import UserError
from live.show.data import motion_to_plain, scene_to_plain
from live.show.parameters import is_below
from live.takes.lines import Line, TakeLines, is_change, write_line, write_take
from live.takes.performance import apply_frame
from live.takes.take import TakeReader

NEARLY = 1e-9                       # seconds
BY_THE_SHOW = ("/audio", "/tempo", "/source/signal", "/source/picture", "/source/seen", "/timecode", "/quality")       # no hand turned these


def split(reader: TakeReader, places, outs) -> list[int]:
    """Write the parts of a take between times in seconds from its beginning; returns the frames of each. Each plays as it did there.

    places: where parts begin and end, rising; outs: a path for each part, None: it is left away.
    """
    lines = TakeLines(reader.path)
    if list(places) != sorted(set(places)):
        raise UserError(f"expected times that rise, got {', '.join(f'{place:g}' for place in places)}")
    parts, counts, kept = _State(reader), [], iter(lines)
    pending: list[Line] = []
    for begin, end, out in zip(places, places[1:], outs):
        take_until = lambda stop: itertools.chain(*_split_off(kept, pending, lines.start + stop))
        for line in take_until(begin):
            parts.advance(line)
        part = take_until(end)
        if out is None:
            for line in part:
                parts.advance(line)
            continue
        first = next(part, None)
        if first is None:
            raise UserError(f"{reader.path}: there is no frame from {begin:g} to {end:g} s")
        head = lines.head if parts.at_start else parts.make_head(lines.header)
        counts.append(write_take(out, head, _follow(itertools.chain([first], part), parts)))
        cut_sound(reader.path, out, begin, end)
    return counts


def _split_off(lines, pending, stop):
    """Yield the lines before a time; the first one that is later waits in `pending`."""
    while True:
        line = pending.pop() if pending else next(lines, None)
        if line is None:
            return
        if line.time > stop - NEARLY:
            pending.append(line)
            return
        yield [line]


def _follow(lines, state):
    for line in lines:
        state.advance(line)
        yield line


class _State:
    """Where a take has got to: its scene and motion, and what a freeze holds."""

    def __init__(self, reader: TakeReader):
        self.reader = reader
        self.scene, self.motion = reader.scene, reader.motion
        self.shown = reader.shown
        self.at_start = True
        self._frames = reader.read_frames()

    def advance(self, line):
        """Play the next frame of the take, which is that of this line."""
        tick, applied = next(self._frames)
        self.at_start = False
        self.scene, self.motion, _ = apply_frame(self.scene, self.motion, applied)
        self.motion = self.motion.advance(self.scene, tick.dt)
        if not self.scene["/output/freeze"]:
            self.shown = self.scene, self.motion

    def make_head(self, header: dict) -> bytes:
        """Return the first line of a take that begins here."""
        found = {key: value for key, value in header.items() if key != "shown"}
        found |= {"scene": scene_to_plain(self.scene), "motion": motion_to_plain(self.motion)}
        if self.shown is not None and self.scene["/output/freeze"]:
            found["shown"] = {"scene": scene_to_plain(self.shown[0]), "motion": motion_to_plain(self.shown[1])}
        return write_line(found)


def join(paths, out) -> int:
    """Write several takes as one, each beginning where the one before ends; returns its frames. UserError: they are of different weights."""
    takes = [TakeLines(path) for path in paths]
    first = takes[0]
    for take in takes[1:]:
        for key in ("generator", "size", "frame"):
            if take.header.get(key) != first.header.get(key):
                raise UserError(f"{take.path}: its {key} is {take.header.get(key)!r}, that of {first.path} {first.header.get(key)!r}: they can't be one take")
    return write_take(out, first.head, _join(takes))


def _join(takes):
    number, time = 0, 0.0
    for n, take in enumerate(takes):
        for k, line in enumerate(take):
            if n == 0:
                number, time = line.frame + 1, line.time
                yield line
                continue
            begins = [{"scene": take.header["scene"]}, {"motion": take.header["motion"]}] if k == 0 else []
            time = time + line.dt if k else time + max(line.dt, 1.0 / (take.header.get("fps") or 30.0))
            yield Line(number, time, line.dt, [*begins, *line.items])
            number += 1


def scale(path, out, factor: float) -> int:
    """Write a take that lasts `factor` times as long; returns its frames. The hands and the walk go slower, or faster, alike."""
    if not 0 < factor < 1e6:
        raise UserError(f"expected a factor above 0, got {factor:g}")
    take = TakeLines(path)
    if factor == 1.0:
        return write_take(out, take.head, take)
    return write_take(out, take.head, (Line(line.frame, take.start + (line.time - take.start) * factor, line.dt * factor, line.items) for line in take))


def mute(path, out, addresses, others=False) -> int:
    """Write a take in which these addresses, and all below them, stay as they were at its beginning; others: all but them. Returns its frames."""
    take = TakeLines(path)
    first = take.first_values
    silent = lambda address: is_below(address, addresses) != others
    return write_take(out, take.head, (mute_line(line, silent, first) for line in take))


def mute_line(line, silent, first) -> Line:
    """Return a line without the changes of addresses that are silent(address); scenes have the first values there."""
    items = [item if not isinstance(item, dict) or "scene" not in item else _mute_scene(item, silent, first)
             for item in line.items if not (isinstance(item, list) and silent(item[0]))]
    return line if items == line.items else Line(line.frame, line.time, line.dt, items)


def _mute_scene(item, silent, first):
    values = {address: value for address, value in item["scene"]["values"].items() if not silent(address)}
    values |= {address: value for address, value in first.items() if silent(address)}
    return item if values == item["scene"]["values"] else {"scene": {**item["scene"], "values": values}}


def thin(path, out, scene, near: float) -> int:
    """Write a take without the changes that move a parameter by less than `near` of its range; returns its frames. The last of a move stays."""
    if not 0 <= near <= 1:
        raise UserError(f"expected a share of the range from 0 to 1, got {near:g}")
    take = TakeLines(path)
    return write_take(out, take.head, _thin(take, scene, near) if near else take)


def _thin(take, scene, near):
    parameters, kept = scene.parameters, dict[str, float]()
    for line, after in itertools.pairwise(itertools.chain(take, [None])):
        moving = {item[0] for item in after.items if is_change(item)} if after is not None else set()
        items = []
        for item in line.items:
            if isinstance(item, dict) and "scene" in item:
                kept = {}
            parameter = parameters.get(item[0]) if is_change(item) else None
            if parameter is None or parameter.choices or parameter.size:
                items.append(item)
                continue
            place, address = parameter.normalized(item[1]), item[0]
            if address not in kept or abs(place - kept[address]) >= near or address not in moving and place != kept[address]:
                kept[address] = place
                items.append(item)
        yield line if len(items) == len(line.items) else Line(line.frame, line.time, line.dt, items)


def cut_sound(path, out, begin: float, end: float):
    """Write the part of the sound beside a take that belongs to a part of it, where there is any."""
    own = Path(f"{path}.wav")
    if not own.is_file():
        return
    with wave.open(str(own), "rb") as read, wave.open(f"{out}.wav", "wb") as written:
        written.setparams(read.getparams())
        rate, frames = read.getframerate(), read.getnframes()
        first = min(frames, round(begin * rate))
        read.setpos(first)
        left = min(frames, round(end * rate)) - first if end < float("inf") else frames - first
        while left > 0:
            written.writeframes(read.readframes(min(left, 65536)))
            left -= 65536
