"""Measure: frames, latency, osc, bends, memory, world ... as ratios in one run; prints JSON.

    python run_live.py bench            the names there are
    python run_live.py bench osc        one of them
"""
import json
import pathlib
import sys

from engine import files
from engine.errors import UserError
from live.cli import add_device

FOLDER = pathlib.Path(__file__).parents[2] / "tests" / "bench"


def list_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py") if not path.stem.startswith("test_"))


def arguments(parser):
    parser.add_argument("name", nargs="?", choices=list_names(), help="what to measure")
    parser.add_argument("--instrument", default="presets/masks", help="folder or checkpoint to measure with; or random weights: config-f, built-in, tiny")
    parser.add_argument("--seconds", type=float, default=None, help="how long each part may take")
    parser.add_argument("--size", type=int, default=None, help="picture size in pixels")
    parser.add_argument("--threads", type=int, default=None, metavar="N", help="CPU threads for the network; default: as play has them")
    add_device(parser)
    parser.add_argument("--plot", metavar="FILE.png", help="draw the figures as well")
    parser.add_argument("-o", "--output", metavar="FILE.json", help="write the figures there too")


def run(options):
    import importlib

    if options.name is None:
        sys.stdout.write("".join(f"{name}\n" for name in list_names()))
        return 0
    _check(options)
    if options.instrument and pathlib.Path(options.instrument).exists():
        options.instrument = str(pathlib.Path(options.instrument).resolve())        # some benches measure in processes of their own
    sys.path.insert(0, str(FOLDER.parents[1]))
    figures = importlib.import_module(f"tests.bench.{options.name}").bench(vars(options))
    text = json.dumps(figures, indent=1)
    sys.stdout.write(text + "\n")
    if options.output:
        files.write_text(options.output, text + "\n")
    if options.plot and not pathlib.Path(options.plot).exists():
        sys.stderr.write(f"bench {options.name} draws no plot: {options.plot} was not written\n")
    return 0


def _check(options):
    """Raise UserError for what would otherwise go wrong only once everything is measured."""
    if options.seconds is not None and not 0 < options.seconds < float("inf"):
        raise UserError(f"--seconds {options.seconds:g}: expected a number above 0")
    if options.plot and pathlib.Path(options.plot).suffix.lower() != ".png":
        raise UserError(f"--plot {options.plot}: expected a name that ends in .png")
    for flag, path in (("--plot", options.plot), ("-o", options.output)):
        if path and not pathlib.Path(path).parent.is_dir():
            raise UserError(f"{flag} {path}: there is no folder {pathlib.Path(path).parent}")
        if path and pathlib.Path(path).is_dir():
            raise UserError(f"{flag} {path}: expected a file, found a folder")
