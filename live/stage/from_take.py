"""Lanes out of a take: what moved in it, in few points."""
from engine.errors import UserError
from engine.scene import Scene
from live.show.data import from_plain
from live.show.parameters import MASTERS, is_below
from live.stage.lane_file import SHOWN, Lanes
from live.stage.thinning import APART, NEAR, make_points
from live.takes.curves import read_curves
from live.takes.lines import TakeLines
from live.takes.on_beat import count_beats

PER_SECOND = 2.0                    # a rest in beats is one in seconds at 120 bpm


def make_lanes(name: str, take: TakeLines, scene: Scene, addresses=None, unit: str = "seconds", near: float = NEAR) -> Lanes:
    """Return the lanes of what moves in a take: all but the performer's own, or these addresses and what lies below them. UserError: nothing does."""
    lines = list(take)
    times = [line.time - take.start for line in lines]
    beats = count_beats(take, lines) if unit == "beats" else times
    begin, length = beats[0], beats[-1] - beats[0]
    if not length > 0:
        raise UserError(f"{take.path}: the take is over at once: there is nothing to make lanes of")
    place = dict(zip(times, beats))
    points = {}
    for address, rows in read_curves(take, addresses).items():
        if address not in scene.parameters or is_below(address, SHOWN) or addresses is None and is_below(address, MASTERS):
            continue
        parameter = scene.parameters[address]
        found = [(max(0.0, place.get(at, begin) - begin), parameter.clamp(from_plain(value))) for at, value in rows]
        points[address] = make_points(parameter, found, length, near, APART / (1.0 if unit == "beats" else PER_SECOND))
    if not points:
        raise UserError(f"{take.path}: nothing that lanes can move moves in it")
    return Lanes(name, length, unit, False, 0.0, points)
