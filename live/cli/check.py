"""Check an instrument before a show: load every preset, mapping, edit and encoder, draw a frame of each, time it.

    python run_live.py check
    python run_live.py check --instrument presets/masks --mapping my_set.yaml --limit 40
"""
import sys

from live.cli import add_device, parse_size
from live.instrument import folder as instruments
from live.instrument import open as opening


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="what to check")
    parser.add_argument("--mapping", metavar="FILE", nargs="+", default=[], help="mapping files, beside those in mappings/")
    parser.add_argument("--size", type=parse_size, metavar="N", help="render at this resolution instead of the network's own")
    parser.add_argument("--limit", type=float, metavar="MS", help="a frame that takes longer than so many milliseconds fails")
    add_device(parser)


def run(options):
    from live.instrument.check import check

    opened = opening.open_instrument(options.instrument, options.size, options.device)
    opened.instrument.warm_up(opened.scene)
    library = opened.open_library()
    mappings = [*sorted((instruments.ROOT / "mappings").glob("*.yaml")), *options.mapping]
    rows = check(opened.instrument, library, opened.folder.folder, mappings, options.limit, opened.offer, opened.folder.macros)
    library.close()
    for row in rows:
        sys.stdout.write(f"{'pass' if row.passed else 'FAIL'}  {row.kind:<11}{row.name:<28}{row.ms:>9.1f} ms  {row.reason}\n")
    failed = sum(not row.passed for row in rows)
    sys.stdout.write(f"{len(rows)} checked, {failed} failed\n")
    return 1 if failed else 0
