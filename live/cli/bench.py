"""Measure: frames, latency, osc, bends, memory, world ... as ratios in one run; prints JSON.

    python run_live.py bench            the names there are
    python run_live.py bench osc        one of them
"""
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parents[2] / "tests" / "bench"


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def arguments(parser):
    parser.add_argument("name", nargs="?", choices=names(), help="what to measure")
    parser.add_argument("--instrument", default="presets/masks", help="folder or checkpoint to measure with")
    parser.add_argument("--seconds", type=float, default=None, help="how long each part may take")
    parser.add_argument("--size", type=int, default=None, help="picture size in pixels")
    parser.add_argument("--device", default=None, help="cpu, cuda, mps; default: the best there is")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the figures as well")
    parser.add_argument("-o", "--output", metavar="FILE.json", help="write the figures there too")


def run(options):
    import importlib

    if options.name is None:
        sys.stdout.write("".join(f"{name}\n" for name in names()))
        return 0
    if options.instrument and pathlib.Path(options.instrument).exists():
        options.instrument = str(pathlib.Path(options.instrument).resolve())        # some benches measure in processes of their own
    sys.path.insert(0, str(FOLDER.parents[1]))
    figures = importlib.import_module(f"tests.bench.{options.name}").bench(vars(options))
    text = json.dumps(figures, indent=1)
    sys.stdout.write(text + "\n")
    if options.output:
        pathlib.Path(options.output).write_text(text + "\n", encoding="utf-8")
    return 0
