"""Render stills of a network-bending configuration, as the published tool did: one per seed, or a strip over the layers.

    python run_live.py bend bends.yaml --seeds 1 2 3 -o stills/
    python run_live.py bend bends.yaml --seeds 1 --before -o sheet.png
"""
import pathlib

from live.cli import add_device, parse_size
from live.files import sheets
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.show.events import Change


def arguments(parser):
    parser.add_argument("bends", metavar="FILE.yaml", help="the configuration, with its list `transforms`")
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="what to bend")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4], help="of the pictures")
    parser.add_argument("--truncation", type=float, default=0.5, help="psi")
    parser.add_argument("--size", type=parse_size, help="picture size; default: the network's own")
    parser.add_argument("--before", action="store_true", help="the unbent pictures above")
    parser.add_argument("--quirk", action="append", default=[], choices=opening.QUIRKS, help="as the published tool did it")
    add_device(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE.png|FOLDER", help="one sheet, or a folder for single stills")


def run(options):
    target = pathlib.Path(options.output)
    prepare_file(target if target.suffix else target / "seed.png", "-o")
    opened = opening.open_instrument(options.instrument, options.size, options.device)
    bent = opened.scene.with_bends(opening.read_bends(opened.instrument, options.bends, options.quirk))
    pictures = [draw_still(opened.instrument, bent, seed, options.truncation) for seed in options.seeds]
    if not target.suffix:
        for seed, picture in zip(options.seeds, pictures):
            sheets.save_sheet(target / f"seed{seed:05d}.png", picture)
        return
    before = [draw_still(opened.instrument, opened.scene, seed, options.truncation) for seed in options.seeds] if options.before else []
    sheets.save_sheet(target, sheets.draw_sheet(before + pictures, len(pictures)))


def draw_still(instrument, scene, seed, psi):
    """Return the picture of one seed, uint8 [H, W, 3]."""
    from engine.motion import Motion

    scene = scene.set([Change("/walk/kind", "hold"), Change("/walk/seed", seed), Change("/truncation", psi)])
    return instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy()
