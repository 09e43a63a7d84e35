"""Draw numbered seeds with a ruler and a grid, to see what there is and where: for marks, presets and stops of walks.

    python run_live.py seeds 1-24
    python run_live.py seeds 18 101-106 --truncation 1 --size 512 -o crowns.png

The numbers along the edges are pixels of the full picture, as `rewrite` and `bend` count them.
"""
import pathlib
import re
import sys

from engine.errors import UserError
from live.cli import add_device, parse_size
from live.cli.bend import draw_still
from live.files import sheets
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening

MOST = 400                          # on one sheet
LARGEST = 2 ** 32 - 1


def arguments(parser):
    parser.add_argument("seeds", nargs="*", default=["1-24"], metavar="SEED|FIRST-LAST", help="default: 1-24")
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose pictures")
    add_device(parser)
    parser.add_argument("--truncation", type=float, metavar="PSI", help="default: that of the show")
    parser.add_argument("--size", type=parse_size, help="of each picture; default: 256, or the network's own if that is less")
    parser.add_argument("--grid", type=int, metavar="PX", help="lines are so many pixels of the full picture apart; default: an eighth of it; 0 = none")
    parser.add_argument("--columns", type=int, default=6, metavar="N")
    parser.add_argument("-o", "--output", default="seeds.png", metavar="FILE.png")


def run(options):
    import numpy as np

    seeds = [seed for text in options.seeds for seed in parse_seeds(text)]
    if not 1 <= len(seeds) <= MOST:
        raise UserError(f"{len(seeds)} seeds: expected 1 to {MOST} on one sheet")
    if options.columns < 1 or (options.grid or 0) < 0:
        raise UserError(f"--columns {options.columns}, --grid {options.grid}: expected 1 or more, and 0 or more")
    path = pathlib.Path(options.output)
    prepare_file(path, "-o")
    opened = opening.open_instrument(options.instrument, options.size, options.device)
    if options.size is None and opened.instrument.size > 256:
        opened = opening.open_instrument(options.instrument, 256, options.device)
    instrument = opened.instrument
    psi = opened.scene["/truncation"] if options.truncation is None else options.truncation
    whole = instrument.generator.architecture.pixels()
    step = max(1, whole[1] // 8) if options.grid is None else options.grid
    cells = []
    for seed in seeds:
        picture = draw_still(instrument, opened.scene, seed, psi)
        ruled = sheets.draw_ruler(picture, whole[1] / picture.shape[1], step) if step else picture
        cells.append(sheets.draw_captions(ruled, [f"seed {seed}"]))
    sheets.save_sheet(path, sheets.draw_sheet(np.stack(cells), min(options.columns, len(cells))))
    sys.stdout.write(f"{path}: {len(seeds)} seeds at truncation {psi:g}; the rulers count pixels of the full {whole[1]} x {whole[0]}\n")


def parse_seeds(text: str) -> range:
    """Return the seeds of SEED or FIRST-LAST."""
    found = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", text.strip())
    if not found or int(found[2] or found[1]) > LARGEST or int(found[2] or found[1]) < int(found[1]):
        raise UserError(f"seeds {text!r}: expected a number, or two such as 1-24, the lower one first, {LARGEST} at most")
    return range(int(found[1]), int(found[2] or found[1]) + 1)
