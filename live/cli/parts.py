"""Find parts: where eyes, crowns and whatever has a name are to be seen in the feature maps, so that bends act there.

    python run_live.py parts --instrument my_network/
    python run_live.py parts --drawn

Writes the instrument's parts.yaml (or -o FILE) from its named clusters (`run_live.py cluster`). --drawn: for the built-in
instrument, from the parts that its world draws.
"""
import pathlib
import sys

from engine.errors import UserError
from live.cli import add_device
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.instrument import places


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose parts")
    parser.add_argument("--samples", type=int, metavar="N", help="sample pictures to look at; default: 64, or 160 drawn ones")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--drawn", action="store_true", help="by the pictures that the built-in world draws")
    add_device(parser)
    parser.add_argument("-o", "--output", metavar="FILE.yaml", help="the file to write; default: the instrument's own")


def run(options):
    from engine.clustering.parts import from_clusters, from_drawings

    if options.samples is not None and not 4 <= options.samples <= 10_000:
        raise UserError(f"--samples {options.samples}: expected 4 to 10000")
    opened = opening.open_instrument(options.instrument, device=options.device)
    generator, clusters = opened.instrument.generator, opened.instrument.clusters
    path = pathlib.Path(options.output or opened.folder.folder / places.PARTS)
    prepare_file(path, "-o")
    if options.drawn:
        found = from_drawings(generator, clusters, options.samples or 160, options.seed)
    elif clusters is None:
        raise UserError(f"{opened.folder.folder}: no clusters.yaml; `run_live.py cluster` finds clusters, and names them with --name")
    else:
        found = from_clusters(generator, clusters, options.samples or 64, options.seed)
    found.save(path)
    for name, part in found.parts.items():
        count = f"{len(part.starts)} places" if len(part.starts) > 1 else "one place"
        sys.stdout.write(f"{name}: {count}, in {', '.join(part.heats)}; bends best in {part.bend}\n")
