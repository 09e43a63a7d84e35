"""lanes/<name>.yaml: breakpoints of addresses over beats, seconds or timecode; and the curves they make. Knows files and numbers only."""
import bisect
import math
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from engine.errors import UserError
from engine.morphing import EASES, path
from engine.parameter import Parameter
from engine.scene import Scene
from live.files.config import Model, build, read_plain
from live.show import sound_parameters, stage_parameters
from live.show.parameters import is_below

SCHEMA = 1
STEP = "step"
SHOWN = (*sound_parameters.TURNED, *stage_parameters.TURNED, "/source/signal", "/source/picture", "/source/seen")     # what the show turns itself
MOST = 200_000                      # points of a file


class LaneFile(Model):
    """length: how long it plays, in `unit`. start: of the timecode it begins at, in seconds. lanes: {address: [[at, value, ease?], ...]}."""
    schema_version: int = Field(alias="schema", ge=1, le=SCHEMA)
    about: str = ""
    length: float = Field(gt=0.0)
    unit: Literal["beats", "seconds", "timecode"] = "beats"
    loop: bool = True
    start: float = Field(0.0, ge=0.0)
    lanes: dict[str, list[list]]


@dataclass(frozen=True)
class Curve:
    """Breakpoints of one address, in the order of their times. eases[n]: how the way to point n goes; step: not before it is there."""
    parameter: Parameter
    times: tuple
    values: tuple
    eases: tuple

    def find_value(self, at: float):
        """Return the value at a time: the first point's before it, the last point's after."""
        after = bisect.bisect_right(self.times, at)
        if after == 0 or after == len(self.times):
            return self.values[max(after - 1, 0)]
        begin, end, ease = self.times[after - 1], self.times[after], self.eases[after]
        if ease == STEP:
            return self.values[after - 1]
        way = path(self.parameter, self.values[after - 1], self.values[after], step_at=1.0)
        return way(EASES[ease]((at - begin) / (end - begin)))


@dataclass(frozen=True)
class Lanes:
    """What a lane file says: curves by address. missing: addresses that this instrument has not now, with what is said of them."""
    name: str
    length: float
    unit: str
    loop: bool
    start: float
    points: dict

    def make_curves(self, scene: Scene) -> dict[str, Curve]:
        """Return the curves of the addresses that a scene has. UserError: a value that can't be one."""
        return {address: _make_curve(f"lanes {self.name} > {address}", scene.parameters[address], points)
                for address, points in self.points.items() if address in scene.parameters}


def _make_curve(where, parameter, points) -> Curve:
    values = []
    for number, (_, value, _) in enumerate(points, 1):
        try:
            values.append(parameter.clamp(tuple(value) if isinstance(value, list) else value))
        except UserError as error:
            raise UserError(f"{where} > {number}: {error}") from None
    return Curve(parameter, tuple(at for at, _, _ in points), tuple(values), tuple(ease for _, _, ease in points))


def read_lanes(file, scene: Scene) -> Lanes:
    """Return the lanes of a file; values of addresses that the scene has are checked. UserError: what is wrong, and where."""
    found = build(LaneFile, read_plain(file), file)
    return make_lanes(file.stem, found, scene, file)


def make_lanes(name, found: LaneFile, scene: Scene, where) -> Lanes:
    """Return checked lanes of a file's keys."""
    if sum(map(len, found.lanes.values())) > MOST:
        raise UserError(f"{where}: more than {MOST} points")
    points = {}
    for address, rows in found.lanes.items():
        here = f"{where} > lanes > {address}"
        if not address.startswith("/"):
            raise UserError(f"{here}: expected an address, such as /truncation")
        if is_below(address, SHOWN):
            raise UserError(f"{here}: the show turns this by itself")
        points[address] = _check_points(rows, found.length, here)
    lanes = Lanes(name, found.length, found.unit, found.loop and found.unit != "timecode", found.start, points)
    lanes.make_curves(scene)
    return lanes


def _check_points(rows, length, where) -> list:
    """Return [(time, value, ease)] of a file's rows."""
    if not rows:
        raise UserError(f"{where}: expected at least one point [time, value]")
    points: list = []
    for number, row in enumerate(rows, 1):
        here = f"{where} > {number}"
        if not 2 <= len(row) <= 3:
            raise UserError(f"{here}: expected [time, value] or [time, value, ease], got {len(row)} entries")
        at, value, ease = (*row, "linear")[:3]
        if type(at) not in (int, float) or not math.isfinite(at) or not 0 <= at <= length:
            raise UserError(f"{here}: expected a time from 0 to the length, {length:g}, got {at!r}")
        if points and at < points[-1][0]:
            raise UserError(f"{here}: expected a time of {points[-1][0]:g} or later, got {at:g}")
        if ease != STEP and ease not in EASES:
            raise UserError(f"{here}: expected one of {', '.join((*EASES, STEP))}, got {ease!r}")
        points.append((float(at), value, ease))
    return points


def to_file(lanes: Lanes, about: str = "") -> dict:
    """Return lanes as the keys of their file."""
    data: dict = {"schema": SCHEMA} | ({"about": about} if about else {}) | {"length": lanes.length, "unit": lanes.unit, "loop": lanes.loop}
    rows = {address: [[at, list(value) if isinstance(value, tuple) else value] + ([ease] if ease != "linear" else []) for at, value, ease in points]
            for address, points in lanes.points.items()}
    return data | ({"start": lanes.start} if lanes.start else {}) | {"lanes": rows}
