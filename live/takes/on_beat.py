"""A take whose moves begin on the beat: each move of the hands is shifted as a whole, by as much as its beginning is off the beat. Knows no instrument."""
from collections import defaultdict

from engine.errors import UserError
from live.takes.editing import BY_THE_SHOW
from live.takes.lines import Line, TakeLines, is_change, write_take

LOOK = "look"                       # scenes, motions and fades: they move together
RESTS = 0.5                         # beats without a change after which the next one begins a new move
STEP = 60.0


def quantise(path, out, grid: float, strength: float = 1.0) -> int:
    """Write a take whose moves begin on multiples of `grid` beats, or on the way there by `strength` 0..1; returns its frames."""
    if not 0 < grid <= 256:
        raise UserError(f"expected a grid above 0 and up to 256 beats, got {grid:g}")
    if not 0 <= strength <= 1:
        raise UserError(f"expected a strength from 0 to 1, got {strength:g}")
    take = TakeLines(path)
    lines = list(take)
    if strength == 0:
        return write_take(out, take.head, lines)
    beats = count_beats(take, lines)
    moved: dict[int, list] = defaultdict(list)
    starts: dict = {}
    for n, line in enumerate(lines):
        for item in line.items:
            key = find_key(item)
            if key is None:
                moved[n].append(item)
                continue
            shift, last = starts.get(key, (0.0, -1e9))
            if beats[n] - last > RESTS:
                shift = (round(beats[n] / grid) * grid - beats[n]) * strength
            starts[key] = shift, beats[n]
            moved[_find_frame(beats, beats[n] + shift, n)].append(item)
    return write_take(out, take.head, (line if moved[n] == line.items else Line(line.frame, line.time, line.dt, moved[n]) for n, line in enumerate(lines)))


def find_key(item):
    """Return what an item moves together with; None: it keeps its time, as the show itself did it."""
    if is_change(item, BY_THE_SHOW):
        return None
    if is_change(item):
        return item[0]
    if "touch" in item:
        return tuple(item["touch"])[:1]
    return LOOK


def _find_frame(beats, wanted, near) -> int:
    """Return the frame whose beat is next to the one wanted."""
    n = near
    while n + 1 < len(beats) and beats[n + 1] <= wanted + 1e-9:
        n += 1
    while n > 0 and beats[n] > wanted + 1e-9 and abs(beats[n - 1] - wanted) <= abs(beats[n] - wanted):
        n -= 1
    if n + 1 < len(beats) and abs(beats[n + 1] - wanted) < abs(beats[n] - wanted):
        n += 1
    return n


def count_beats(take, lines) -> list[float]:
    """Return the beat of each frame, as its tempo and its clock had it."""
    defaults, values = take.header["defaults"], dict(take.first_values)
    read = lambda address: values.get(address, defaults.get(address, 120.0 if address == "/tempo" else 0.0))
    beat, beats = float(take.header["motion"].get("beat", 0.0)), []
    for line in lines:
        for item in line.items:
            if isinstance(item, list):
                values[item[0]] = item[1]
            elif "motion" in item:
                beat = float(item["motion"].get("beat", 0.0))
            elif "scene" in item:
                values = dict(item["scene"]["values"])
        beat += max(line.dt, 0.0) * read("/tempo") / STEP * (1.0 + read("/tempo/nudge"))
        beats.append(beat)
    return beats
