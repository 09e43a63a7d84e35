"""Find directions through w, name them, read other tools' files of them, and draw what each does.

    python run_live.py directions --instrument my_network/ --sheets sheets/
    python run_live.py directions --method pca closed --count 8
    python run_live.py directions --rename pc-3=turn --range turn=0-3
    python run_live.py directions --add smile_boundary.npy --edits list.csv
    python run_live.py directions --ratings seeds.csv --as friendly

Writes the instrument's directions.safetensors (or -o FILE); those already in it stay. /directions/reload brings them into a show.
"""
import csv
import pathlib
import re
import sys

from engine.errors import UserError
from live.cli import add_device
from live.files import sheets
from live.files.paths import find_path, prepare_file
from live.instrument import folder as instruments
from live.instrument.found import DIRECTIONS, choose_folder

METHODS = ("measured", "pca", "closed", "coarse", "middle", "fine")
FEWEST = 4


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose")
    add_device(parser)
    parser.add_argument("--method", nargs="+", choices=METHODS, default=[],
                        help="measured: light, warmth and so on; pca: principal components; closed: closed form, of all layers or of a group; default: "
                             "all that a show finds by itself, if nothing else is asked for")
    parser.add_argument("--count", type=int, default=6, metavar="N", help="directions of each method (6)")
    parser.add_argument("--samples", type=int, metavar="N", help="pictures at most that measured ones are found by")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--add", nargs="+", default=[], metavar="FILE", help="files of GANSpace, closed-form factors, boundaries, Autolume: .npz .npy .pt .pkl")
    parser.add_argument("--edits", metavar="FILE.csv", help="with one --add: take what this list names: component, layers, strength, name")
    parser.add_argument("--ratings", metavar="FILE.csv", help="seeds and what they are worth to you, two numbers a line")
    parser.add_argument("--as", dest="name", default="rated", metavar="NAME", help="what the direction of --ratings is called")
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("--range", action="append", default=[], metavar="NAME=FIRST-LAST", help="the ws it acts on, both in it, counted from 0")
    parser.add_argument("--remove", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--sheets", metavar="FOLDER", help="write a contact sheet of each there, and one of all")
    parser.add_argument("-o", "--output", metavar="FILE.safetensors", help="the file to write; default: the instrument's own")


def run(options):
    from engine import checkpoints, device, directions
    from engine.directions.data import EMPTY

    if options.count < 1 or options.samples is not None and options.samples < 8:
        raise UserError(f"--count {options.count}, --samples {options.samples}: expected 1 or more, and 8 or more")
    if options.edits and len(options.add) != 1:
        raise UserError("--edits: expected one --add FILE, whose components the list names")
    folder = instruments.find(options.instrument)
    generator = checkpoints.load(folder.generator, device.choose(options.device)).eval().requires_grad_(False)
    path = pathlib.Path(options.output) if options.output else choose_folder(folder.folder, checkpoints.generator_hash(generator)) / DIRECTIONS
    if options.output:
        prepare_file(path, "-o")
    if options.sheets:
        prepare_file(pathlib.Path(options.sheets) / "sheet.png", "--sheets")
    known = directions.load(path, generator) if path.exists() else EMPTY
    found = _change(options, known, generator)
    directions.save(path, found, seed=options.seed, samples=options.samples, added=[pathlib.Path(name).name for name in options.add])
    if options.sheets:
        _write_sheets(generator, found, pathlib.Path(options.sheets), options.seed)
    for name, about, unit, span in zip(found.names, found.about, found.unit.tolist(), found.ranges):
        sys.stdout.write(f"{name}: {about}; 1 = {unit:.3g}; ws {span[0]}..{span[1] - 1}\n" if span else f"{name}: {about}; 1 = {unit:.3g}\n")


def _change(options, known, generator):
    """Return the known directions with all that the flags ask for."""
    from dataclasses import replace

    changed = options.rename or options.range or options.remove
    for part in _find_new(options, generator, only=bool(changed)):
        known = known.merge(part)
    for text in options.rename:
        old, _, new = text.partition("=")
        known = known.rename(old, new)
    for text in options.range:
        name, span = _parse_range(text, generator.num_ws)
        known.choose([name])
        known = replace(known, ranges=tuple(span if one == name else was for one, was in zip(known.names, known.ranges)))
    if options.remove:
        known.choose(options.remove)
        known = known.choose([name for name in known.names if name not in options.remove])
    return known


def _find_new(options, generator, only: bool):
    """Yield the directions to be added. only: something else is asked for, so nothing is looked for unless a method is named."""
    from engine import directions
    from engine.directions.foreign import read_edits, read_foreign
    from live.instrument.analyse import find_all

    for name in options.add:
        found = read_foreign(find_path(name), generator, options.seed)
        yield read_edits(find_path(options.edits), found, generator) if options.edits else found
    if options.ratings:
        yield _read_ratings(options, generator)
    for method in options.method:
        if method in ("pca", "measured"):
            more = {"samples": options.samples} if method == "measured" else {}
            yield directions.find(generator, method, options.count, options.seed, **more)
        else:
            yield directions.find(generator, "closed", options.count, options.seed, layers="all" if method == "closed" else method)
    if not (options.add or options.ratings or options.method or only):
        yield find_all(generator, options.seed, _tell, options.samples)


def _tell(event):
    if event["done"] in (0, event["of"]) or event["done"] * 10 // event["of"] != (event["done"] - 8) * 10 // event["of"]:
        sys.stderr.write(f"{event['stage']}: {event['done']} of {event['of']}\n")


def _read_ratings(options, generator):
    """Return the direction along which the seeds that a person rated differ."""
    from engine.directions.find import find_rated

    path, rows = find_path(options.ratings), []
    try:
        lines = list(csv.reader(pathlib.Path(path).read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None
    for number, line in enumerate(lines, 1):
        try:
            rows.append((int(line[0]), float(line[1])))
        except (ValueError, IndexError):
            if number > 1 and line:
                raise UserError(f"{path}: line {number}: expected a seed and a number, got {','.join(line)[:60]!r}") from None
    if len(rows) < FEWEST:
        raise UserError(f"{path}: {len(rows)} rated seeds; expected {FEWEST} or more, 40 to be of use")
    return find_rated(generator, rows, options.name, options.seed)


def _parse_range(text, num_ws):
    found = re.fullmatch(r"(.+)=(\d+)(?:-(\d+))?", text)
    if not found:
        raise UserError(f"--range {text!r}: expected NAME=FIRST-LAST such as turn=0-3")
    first, last = int(found[2]), int(found[3] or found[2])
    if not first <= last < num_ws:
        raise UserError(f"--range {text!r}: this network has ws 0..{num_ws - 1}")
    return found[1], (first, last + 1)


def _write_sheets(generator, found, folder, seed):
    from engine.directions.sheet import AMOUNTS, draw_direction, draw_directions

    columns = [f"{amount:+g}" for amount in AMOUNTS]
    sheets.save_sheet(folder / "directions.png", sheets.draw_captions(draw_directions(generator, found, seed=seed), columns, found.names))
    for name in found.names:
        sheets.save_sheet(folder / f"{name}.png", sheets.draw_captions(draw_direction(generator, found, name, seed=seed), columns))
