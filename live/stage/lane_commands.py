"""Commands of lanes. Each returns what the loop shall apply."""
from engine.errors import UserError
from live.files.names import check_name
from live.show.commands import command
from live.stage.lane_file import Lanes
from live.stage.lanes import LanePlayer
from live.stage.thinning import make_points


def find_lanes(show) -> LanePlayer:
    """Return what plays lanes in a show. UserError: it was started without."""
    lanes = show.find_player("lanes")
    if lanes is None:
        raise UserError("this show has no lanes: it was started without")
    return lanes


@command("/lanes/play")
def play(show, name):
    """Play the lanes of a file from their beginning, beside those that play; waits for /quantise."""
    return find_lanes(show).begin(name)


@command("/lanes/stop")
def stop(show, name=None):
    """End these lanes, or all; parameters stay where they are."""
    find_lanes(show).end(name if isinstance(name, str) and name else None)


@command("/lanes/keep")
def keep(show, name):
    """Keep the loop of gestures that plays as lanes of this name, in few points."""
    lanes, name = find_lanes(show), check_name(name, "lanes")
    gesture = show.looper.gesture if show.looper else None
    if gesture is None or gesture.state not in ("looping", "overdub") or not gesture.changes:
        raise UserError("/lanes/keep: no loop of gestures plays; /gesture records one, and loops it at the second press")
    if name in lanes.folder.list_names():
        raise UserError(f"/lanes/keep: there are lanes {name!r} already; choose another name")
    rows: dict = {}
    for at, change in gesture.changes:
        if change.address in show.scene.parameters:
            value = show.scene.parameters[change.address].clamp(change.value)
            rows.setdefault(change.address, []).append((at, value))
    points = {address: make_points(show.scene.parameters[address], found, gesture.length) for address, found in rows.items()}
    lanes.folder.store(Lanes(name, gesture.length, "beats", True, 0.0, points))
    show.notices.tell(f"lanes {name}: {sum(map(len, points.values()))} points of {len(gesture.changes)}", "lanes")
