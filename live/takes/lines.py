"""A take as the lines of its file: read one by one and written again, unchanged lines byte for byte. Knows no instrument."""
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.files import whole
from engine.json_text import parse_json
from live.takes.take import LONGEST, SCHEMA, read_header


@dataclass
class Line:
    """A frame of a take. items: what was applied in it, as plain data. raw: its bytes, None where it is another than in the file."""
    frame: int
    time: float
    dt: float
    items: list
    raw: bytes | None = None

    def to_bytes(self) -> bytes:
        """Return the line as it stands in a file."""
        if self.raw is not None:
            return self.raw
        return write_line([self.frame, self.time, self.dt, *([self.items] if self.items else [])])


def write_line(data) -> bytes:
    """Return plain data as a line of a take."""
    return (json.dumps(data, separators=(",", ":"), allow_nan=False) + "\n").encode()


class TakeLines:
    """path: of a take. header: its first line; start: its first tick's time. Iterated: its frames, read as it goes."""

    def __init__(self, path):
        self.path = Path(path)
        self.header = read_header(self.path)
        if self.header.get("schema") != SCHEMA:
            raise UserError(f"{path}: schema version {self.header.get('schema')}; this version edits {SCHEMA}")
        with open(self.path, "rb") as file:
            self.head = file.readline(LONGEST)
        first = next(iter(self), None)
        if first is None:
            raise UserError(f"{path}: the take has no frames")
        self.start = first.time

    def __iter__(self) -> Iterator[Line]:
        with open(self.path, "rb") as file:
            file.readline(LONGEST)
            for number, raw in enumerate(iter(lambda: file.readline(LONGEST), b""), 2):
                try:
                    data = parse_json(raw)
                    if isinstance(data, dict):           # its end
                        return
                    frame, time, dt, *rest = data
                    items = rest[0] if rest else []
                    if not isinstance(items, list) or not all(isinstance(n, (int, float)) for n in (frame, time, dt)):
                        raise ValueError
                except (ValueError, TypeError):
                    if raw.endswith(b"\n"):
                        raise UserError(f"{self.path} line {number}: damaged") from None
                    return                               # cut off there
                yield Line(frame, time, dt, items, raw)

    def measure_end(self) -> float:
        """Return the last tick's time."""
        last = self.start
        for line in self:
            last = line.time
        return last

    @property
    def first_values(self) -> dict:
        """The plain values that the take's first scene has turned, by address."""
        return self.header["scene"]["values"]


def write_take(path, head: bytes, lines: Iterable[Line]) -> int:
    """Write a take whole or not at all; returns its frames. UserError: there is one of that name already, or it can't be written."""
    path = Path(path)
    if path.exists():
        raise UserError(f"{path}: there is a take of that name already; choose another")
    count = 0
    with whole(path, make_folder=True) as temporary, open(temporary, "wb") as file:
        file.write(head)
        for line in lines:
            file.write(line.to_bytes())
            count += 1
        file.write(write_line({"end": count}))
    return count


def is_change(item, addresses=None) -> bool:
    """Return whether an item of a line is a change, of one of these addresses or below."""
    from live.show.parameters import is_below

    return isinstance(item, list) and (addresses is None or is_below(item[0], addresses))
