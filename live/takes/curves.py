"""What a take does to each address: as rows, as CSV and back, as lanes. Knows numbers and files, no instrument."""
import bisect
import csv
import io
import math

from engine.errors import UserError
from engine.files import write_text
from live.show.data import to_plain
from live.show.parameters import is_below
from live.takes.lines import Line, TakeLines, is_change, write_take

HEAD = ["time", "value"]


def read_curves(take: TakeLines, addresses=None) -> dict[str, list]:
    """Return {address: [(seconds, value)]} of what moves in a take, or of these addresses and all below them. Each begins with what there was."""
    defaults, values = take.header["defaults"], dict(take.first_values)
    curves: dict[str, list] = {}

    def note(address, at, value):
        if addresses is not None and not is_below(address, addresses):
            return
        rows = curves.get(address)
        if rows is None:
            before = values.get(address, defaults.get(address))
            rows = curves[address] = [(0.0, before)] if before is not None and (at > 0.0 or before == value) else []
        if not rows or rows[-1][1] != value:
            rows.append((at, value))

    for line in take:
        at = line.time - take.start
        for item in line.items:
            if is_change(item):
                note(item[0], at, item[1])
                values[item[0]] = item[1]
            elif isinstance(item, dict) and "scene" in item:
                brought = item["scene"]["values"]
                for address in {**values, **brought}:
                    value = brought.get(address, defaults.get(address))
                    if value is not None and value != values.get(address, defaults.get(address)):
                        note(address, at, value)
                values = dict(brought)
    return {address: rows for address, rows in curves.items() if len(rows) > 1 or addresses is not None and address in addresses}


def list_rows(take: TakeLines, address: str) -> list:
    """Return [(seconds, value)] of every change of an address, and of every scene that brought it another value."""
    default = take.header["defaults"].get(address)
    rows, now = [], take.first_values.get(address, default)
    for line in take:
        for item in line.items:
            if is_change(item) and item[0] == address:
                now = item[1]
                rows.append((line.time - take.start, now))
            elif isinstance(item, dict) and "scene" in item and item["scene"]["values"].get(address, default) != now:
                now = item["scene"]["values"].get(address, default)
                if now is not None:
                    rows.append((line.time - take.start, now))
    return rows


def write_csv(take: TakeLines, address: str, path) -> int:
    """Write the changes of one address as rows of seconds and value (a vector: its numbers); returns how many."""
    rows = list_rows(take, address)
    if not rows:
        raise UserError(f"{take.path}: nothing turns {address} in it; `take show` lists what is turned")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows([repr(at), *map(_write_cell, value if isinstance(value, list) else [value])] for at, value in rows)
    write_text(path, text.getvalue(), make_folder=True)
    return len(rows)


def _write_cell(value) -> str:
    return value if isinstance(value, str) else repr(value)


def read_csv(path, parameter) -> list:
    """Return [(seconds, value)] of a file of rows, checked. UserError: which line is wrong, and what was expected."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: can't be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    found: list = []
    for number, row in enumerate(rows, 1):
        if not row or number == 1 and row[0].strip().lower() == HEAD[0]:
            continue
        found.append(_read_row(f"{path} line {number}", row, parameter))
        if len(found) > 1 and found[-1][0] < found[-2][0]:
            raise UserError(f"{path} line {number}: expected a time of {found[-2][0]:g} or later, got {found[-1][0]:g}")
    if not found:
        raise UserError(f"{path}: expected rows of time and value; there are none")
    return found


def _read_row(where, row, parameter):
    try:
        at = float(row[0])
        if not (math.isfinite(at) and at >= 0):
            raise ValueError
    except ValueError:
        raise UserError(f"{where}: expected seconds from 0 up, got {row[0]!r}") from None
    if len(row) < 2:
        raise UserError(f"{where}: expected a time and a value, got {', '.join(row)!r}")
    try:
        given = tuple(float(cell) for cell in row[1:] if cell.strip()) if parameter.size else row[1].strip() if parameter.choices else float(row[1])
        return at, to_plain(parameter.clamp(given))
    except ValueError:
        raise UserError(f"{where}: expected a number, got {row[1]!r}") from None
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def put_curve(take: TakeLines, address: str, rows, out, way=None) -> int:
    """Write a take in which an address does what the rows [(seconds, value)] say and nothing else; returns its frames.

    way(a, b) -> the value at 0..1 between two rows: a value for every frame; None: each value comes with the first frame of its time.
    """
    return write_take(out, take.head, _put(take, address, rows, way))


def _put(take, address, rows, way):
    times, n = [at for at, _ in rows], 0
    default = take.header["defaults"].get(address)
    now = take.first_values.get(address, default)
    for line in take:
        at, due = line.time - take.start, []
        while n < len(rows) and rows[n][0] <= at + 1e-9:
            due.append(rows[n][1])
            n += 1
        if way is not None and 0 < n < len(rows):
            after = bisect.bisect_right(times, at)
            (begin, before), (end, value) = rows[after - 1], rows[after]
            due = [way(before, value)((at - begin) / (end - begin))]
        yield _put_line(line, address, due, now, default)
        now = due[-1] if due else now


def _put_line(line, address, due, now, default) -> Line:
    """Return a line in which an address takes the values `due` after the one there is `now`, whatever scenes come in it."""
    items: list = []
    waiting, place = list(due), None
    for item in line.items:
        if is_change(item) and item[0] == address:
            if waiting and waiting[0] == item[1]:
                now = waiting.pop(0)
                items.append(item)
            place = len(items)
            continue
        if isinstance(item, dict) and "scene" in item:
            values = item["scene"]["values"]
            if waiting and values.get(address, default) == waiting[0]:
                now = waiting.pop(0)
            elif values.get(address, default) != now:
                item = {"scene": {**item["scene"], "values": {**values, address: now}}}
            place = None if place is None else len(items) + 1
        items.append(item)
    place = len(items) if place is None else place
    items[place:place] = [[address, value] for value in waiting]
    return line if items == line.items else Line(line.frame, line.time, line.dt, items)
