"""Many changes of one parameter into few breakpoints whose lines pass near all of them. Numbers only."""
from engine.morphing import path
from engine.parameter import Parameter
from live.stage.lane_file import STEP

NEAR = 1 / 256                      # of the range: how far a line may pass from what was played
APART = 0.25                        # of the unit: after a longer rest a value is a step, not the end of a line


def make_points(parameter: Parameter, changes, length: float, near: float = NEAR, apart: float = APART) -> list:
    """Return [(time, value, ease)] for [(time, value)] of one turn of a loop, in order.

    near: in shares of the range. A value that comes after a rest is a step; what was there at the end of the loop is there at its
    beginning until the first change.
    """
    newest: dict = dict(changes)                          # of two at the same moment the later
    rows = list(newest.items())
    if not rows:
        return []
    stepped = bool(parameter.choices or parameter.size or parameter.step)
    points = [] if rows[0][0] <= 0.0 else [(0.0, rows[-1][1], STEP)]
    runs: list = []
    for at, value in rows:
        if not runs or stepped or at - runs[-1][-1][0] > apart:
            runs.append([])
        runs[-1].append((at, value))
    for run in runs:
        first, *rest = thin(parameter, run, near)
        points += [(*first, STEP), *((*point, "linear") for point in rest)]
    if points and points[0][0] == 0.0:
        points[0] = (*points[0][:2], "linear")
    return [point for n, point in enumerate(points) if n == 0 or _says_something(points, n)]


def _says_something(points, n) -> bool:
    """Return whether a point is needed: a step to the value there was before is not, unless a line begins at it."""
    _, value, ease = points[n]
    return ease != STEP or value != points[n - 1][1] or n + 1 < len(points) and points[n + 1][2] != STEP


def thin(parameter: Parameter, rows: list, near: float = NEAR) -> list:
    """Return the rows [(time, value)] without those that the line between their neighbours passes within `near` of."""
    if len(rows) <= 2 or near <= 0:
        return list(rows)
    kept, waiting = {0, len(rows) - 1}, [(0, len(rows) - 1)]
    while waiting:
        first, last = waiting.pop()
        away, worst = _find_farthest(parameter, rows, first, last)
        if away > near:
            kept.add(worst)
            waiting += [(first, worst), (worst, last)]
    return [rows[n] for n in sorted(kept)]


def _find_farthest(parameter, rows, first, last) -> tuple[float, int]:
    """Return (how far, in shares of the range, which row) of the row between two others that is farthest from their line."""
    (begin, start), (end, goal) = rows[first], rows[last]
    way, found = path(parameter, start, goal, step_at=1.0), (0.0, first)
    for n in range(first + 1, last):
        at, value = rows[n]
        away = _measure_distance(parameter, way((at - begin) / (end - begin) if end > begin else 1.0), value)
        found = max(found, (away, n))
    return found


def _measure_distance(parameter, a, b) -> float:
    """Return how far two values are apart, in shares of the range."""
    if isinstance(a, (str, tuple)):
        return 0.0 if a == b else 1.0
    away = abs(parameter.normalized(a) - parameter.normalized(b))
    return min(away, 1.0 - away) if parameter.curve == "circular" else away
