"""Look at takes and edit them: show, trim, join, split, scale, quantise, thin, mute; curves out to CSV and in, lanes out of them.

    python run_live.py take show evening.take --plot evening.png
    python run_live.py take trim evening.take --from 12.5 --to 80 -o chorus.take
    python run_live.py take join opening.take chorus.take -o both.take
    python run_live.py take curve evening.take --address /truncation -o truncation.csv

Each writes another file; what nothing is asked of stays byte for byte.
"""
import json
import pathlib
import sys

from engine.errors import UserError
from live.files.names import check_name
from live.files.paths import find_path, prepare_file
from live.instrument import folder as instruments
from live.show.data import scene_from_plain
from live.show.parameters import add_parameters
from live.takes.lines import TakeLines

GRIDS = {"beat": 1.0, "bar": 4.0}


def arguments(parser):
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name, about, many=False, out=True):
        action = actions.add_parser(name, help=about, description=about)
        action.add_argument("take", nargs="+" if many else None, help="the take" + ("s, in their order" if many else ""))
        if out:
            action.add_argument("-o", "--output", required=True, metavar="FILE", help="what to write")
        action.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="what it was played on")
        return action

    show = add("show", "Tell what a take is of and what moves in it; --plot draws each address over time.", out=False)
    show.add_argument("--address", nargs="+", metavar="ADDRESS", help="only these, and what lies below them")
    show.add_argument("--plot", metavar="FILE.png", help="draw them")
    show.add_argument("--json", action="store_true", help="as JSON")
    trim = add("trim", "Keep a take from one time to another, in seconds.")
    trim.add_argument("--from", dest="begin", type=float, default=0.0, metavar="S")
    trim.add_argument("--to", dest="end", type=float, metavar="S")
    add("join", "Make one take of several, each beginning where the one before ends.", many=True)
    split = add("split", "Cut a take at times in seconds: NAME-1.take, NAME-2.take, ...")
    split.add_argument("--at", nargs="+", type=float, required=True, metavar="S")
    scale = add("scale", "Make a take slower or faster, hands and walk alike.")
    scale.add_argument("--by", type=float, metavar="FACTOR", help="2 = twice as long")
    scale.add_argument("--to", type=float, metavar="S", help="how long it is to be")
    quantise = add("quantise", "Move what hands did so that each move begins on the beat.")
    quantise.add_argument("--to", dest="grid", default="beat", metavar="beat|bar|BEATS")
    quantise.add_argument("--strength", type=float, default=1.0, metavar="0..1", help="how much of the way there")
    thin = add("thin", "Leave out changes too small to matter.")
    thin.add_argument("--near", type=float, default=1 / 256, metavar="SHARE", help="of the range (1/256)")
    mute = add("mute", "Have addresses stay as they were at the beginning.")
    mute.add_argument("--address", nargs="+", required=True, metavar="ADDRESS", help="these, and what lies below them")
    mute.add_argument("--others", action="store_true", help="all but them")
    curve = add("curve", "Write the changes of one address as CSV (time,value), or with --csv put those of a file into a take.")
    curve.add_argument("--address", required=True)
    curve.add_argument("--csv", metavar="FILE.csv", help="what it is to do instead; -o is a take then")
    curve.add_argument("--lines", action="store_true", help="with --csv: a value for every frame, on the line between two rows")
    lanes = add("lanes", "Make lanes of what moves in a take.")
    lanes.add_argument("--address", nargs="+", metavar="ADDRESS", help="only these, and what lies below them")
    lanes.add_argument("--unit", choices=("seconds", "beats"), default="seconds")
    lanes.add_argument("--near", type=float, default=1 / 256, metavar="SHARE", help="how near to what was played, in shares of the range (1/256)")


def run(options):
    given = options.take if isinstance(options.take, list) else [options.take]
    options.paths = [find_path(path) for path in given]
    for path in options.paths:
        if not path.exists():
            raise UserError(f"{path}: there is no such take")
    output = getattr(options, "output", None)
    if output and options.action != "split":
        prepare_file(output, "-o")
        if pathlib.Path(output).resolve() in [path.resolve() for path in options.paths]:
            raise UserError(f"-o {output}: is the take itself; choose another name")
    ACTIONS[options.action](options)


def _show(options):
    from live.takes.curves import read_curves

    take = TakeLines(options.paths[0])
    curves, end, frames = read_curves(take, options.address), take.start, 0
    for line in take:
        end, frames = line.time, frames + 1
    seconds, header = end - take.start, take.header
    if options.plot:
        from live.takes.plot import draw_curves

        prepare_file(options.plot, "--plot")
        draw_curves(curves, _open(options)[0].parameters if curves else {}, seconds).save(options.plot)
    about = {"instrument": header.get("instrument", ""), "size": header.get("size"), "fps": header.get("fps"), "frames": frames, "seconds": round(seconds, 3)}
    rows = {address: {"changes": len(rows) - 1, "first": rows[0][1], "last": rows[-1][1]} for address, rows in sorted(curves.items())}
    if options.json:
        _say(json.dumps(about | {"addresses": rows}, indent=1))
        return
    _say(f"{options.paths[0]}: {about['instrument'] or 'unnamed'}, {about['size']} px, {frames} frames in {seconds:.1f} s")
    for address, row in rows.items():
        _say(f"{address:<32} {row['changes']:>6}  {_shorten(row['first'])} -> {_shorten(row['last'])}")


def _shorten(value) -> str:
    return f"{len(value)} numbers" if isinstance(value, list) else f"{value:.6g}" if isinstance(value, float) else str(value)


def _trim(options):
    from live.takes.editing import split

    end = float("inf") if options.end is None else options.end
    if not 0 <= options.begin < end:
        raise UserError(f"--from {options.begin:g} --to {end:g}: expected 0 or more, and an end after it")
    _report(options.output, split(_open(options)[1], [options.begin, end], [options.output])[0])


def _split(options):
    from live.takes.editing import split

    stem = pathlib.Path(options.output).with_suffix("")
    outs = [stem.with_name(f"{stem.name}-{n}.take") for n in range(1, len(options.at) + 2)]
    for out in outs:
        prepare_file(out, "-o")
        if out.exists():
            raise UserError(f"{out}: there is a take of that name already; choose another")
    for out, count in zip(outs, split(_open(options)[1], [0.0, *options.at, float("inf")], outs)):
        _report(out, count)


def _join(options):
    from live.takes.editing import join

    if len(options.paths) < 2:
        raise UserError("join: expected two takes or more")
    _report(options.output, join(options.paths, options.output))


def _scale(options):
    from live.takes.editing import scale

    if (options.by is None) == (options.to is None):
        raise UserError("scale: expected --by FACTOR or --to SECONDS")
    take = TakeLines(options.paths[0])
    seconds = take.measure_end() - take.start
    if options.to is not None and not seconds > 0:
        raise UserError(f"{options.paths[0]}: a take of one frame has no length to scale")
    _report(options.output, scale(options.paths[0], options.output, options.by if options.by is not None else options.to / seconds))


def _quantise(options):
    from live.takes.on_beat import quantise

    try:
        grid = GRIDS.get(options.grid) or float(options.grid)
    except ValueError:
        raise UserError(f"--to {options.grid}: expected beat, bar or a number of beats") from None
    _report(options.output, quantise(options.paths[0], options.output, grid, options.strength))


def _thin(options):
    from live.takes.editing import thin

    _report(options.output, thin(options.paths[0], options.output, _open(options)[0], options.near))


def _mute(options):
    from live.takes.editing import mute

    _report(options.output, mute(options.paths[0], options.output, options.address, options.others))


def _curve(options):
    from engine.morphing import path
    from live.takes.curves import put_curve, read_csv, write_csv

    take = TakeLines(options.paths[0])
    if options.csv is None:
        _say(f"{options.output}: {write_csv(take, options.address, options.output)} rows")
        return
    parameter = _open(options)[0].parameter(options.address)
    rows = read_csv(options.csv, parameter)
    way = (lambda a, b: path(parameter, a, b, step_at=1.0)) if options.lines and not parameter.size else None
    _report(options.output, put_curve(take, options.address, rows, options.output, way))


def _lanes(options):
    from live.files.config import write_yaml
    from live.stage.from_take import make_lanes
    from live.stage.lane_file import to_file

    target = pathlib.Path(options.output)
    if target.suffix not in (".yaml", ".yml") or target.exists():
        raise UserError(f"-o {target}: expected a new file ending in .yaml, such as lanes/NAME.yaml in the instrument's folder")
    check_name(target.stem, "lanes")
    made = make_lanes(target.stem, TakeLines(options.paths[0]), _open(options)[0], options.address, options.unit, options.near)
    write_yaml(target, to_file(made, f"from {options.paths[0].name}"))
    _say(f"{target}: {sum(map(len, made.points.values()))} points of {len(made.points)} addresses over {made.length:g} {made.unit}")


def _open(options):
    """Return (the take's first scene with the instrument's parameters, its reader)."""
    from live.instrument import open as opening
    from live.takes.take import TakeReader

    opened = opening.open_instrument(options.instrument, None, "cpu")
    reader = TakeReader(options.paths[0], opened.instrument.scene(), opened.generator, opened.instrument.bend)
    return scene_from_plain(TakeLines(options.paths[0]).header["scene"], add_parameters(opened.instrument.scene()), opened.instrument.bend), reader


def _report(path, frames):
    _say(f"{path}: {frames} frames")


def _say(text):
    sys.stdout.write(text + "\n")


ACTIONS = {"show": _show, "trim": _trim, "join": _join, "split": _split, "scale": _scale, "quantise": _quantise, "thin": _thin, "mute": _mute,
           "curve": _curve, "lanes": _lanes}
