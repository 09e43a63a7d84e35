"""Make one network of several of one family: split at a size, or averaged.

    python run_live.py blend base.safetensors tuned.safetensors -o both.safetensors --split 32 --width 1
    python run_live.py blend one.pkl two.pkl three.pkl -o soup.safetensors --soup
    python run_live.py blend one.pkl two.pkl three.pkl -o soup.safetensors --soup --greedy photos/

--split: from this size on it is the second network's, the mapping network stays the first one's: shapes of one, textures of the other. Edits and
directions of the first fit what comes of it. --greedy: each network is put into the soup, the best first, and left out again where the soup's pictures
become less like those of the folder; of a world (masks, ...), where they become less like the drawn ones. Networks that were not trained on from the
same start come to mud; a line says so.
"""
import sys
from pathlib import Path

from engine.errors import UserError
from live.cli import add_device
from live.files.paths import prepare_file
from live.files.stills import read_still
from live.instrument import folder as instruments
from live.instrument.open import read_edited_from
from live.sources.images import list_stills

PICTURES = 128


def arguments(parser):
    parser.add_argument("networks", nargs="+", metavar="DIR|CHECKPOINT", help="two, or with --soup two or more")
    parser.add_argument("-o", "--output", required=True, metavar="FILE.safetensors", help="the file to write")
    parser.add_argument("--split", type=int, metavar="PX", help="the size from which on it is the second network's")
    parser.add_argument("--width", type=float, default=0.0, help="how gently one goes over into the other at the split; 0 = at once, 1 = over some layers")
    parser.add_argument("--soup", action="store_true", help="the mean of all")
    parser.add_argument("--greedy", metavar="FOLDER|WORLD", help="with --soup, the mean of those that make it better: more like these pictures")
    parser.add_argument("--pictures", type=int, default=PICTURES, metavar="N", help=f"that --greedy compares ({PICTURES})")
    add_device(parser)
    parser.add_argument("--dtype", choices=("float16", "float32"), default="float32", help="how weights are stored")


def run(options):
    from engine import checkpoints, device, mixing
    from engine.checkpoints import native

    if options.soup == (options.split is not None):
        raise UserError("expected one of --split PX and --soup")
    if options.greedy and not options.soup:
        raise UserError("--greedy: expected --soup as well")
    if options.split is not None and len(options.networks) != 2:
        raise UserError(f"--split: expected two networks, got {len(options.networks)}")
    if not 0 <= options.width <= 16:
        raise UserError(f"--width {options.width:g}: expected 0 to 16")
    prepare_file(options.output, "-o")
    paths = [instruments.find(name).generator for name in options.networks]
    where = device.choose(options.device)
    networks = [checkpoints.load(path, where) for path in paths]
    for path, other in zip(paths[1:], networks[1:]):
        mixing.check_alike(networks[0], other)
        if not mixing.are_relatives(networks[0], other):
            sys.stderr.write(f"{path}: a stranger to {paths[0]}, by all signs: expect mud\n")
    if options.greedy:
        made, chosen = mixing.choose_soup(networks, _make_measure(options, networks[0]), lambda *figures: _tell(paths, *figures))
        paths, networks = [paths[n] for n in chosen], [networks[n] for n in chosen]
    else:
        made = mixing.average(networks) if options.soup else mixing.blend(networks[0], networks[1], options.split, options.width)
    ancestors = list(dict.fromkeys(found for path, network in zip(paths, networks) for found in (checkpoints.generator_hash(network), *read_edited_from(path))))
    how = {"soup": len(networks)} if options.soup else {"split": options.split, "width": options.width}
    native.save(options.output, made, options.dtype, mixed=how, source=[path.name for path in paths], edited_from=ancestors)
    sys.stdout.write(f"written to {options.output}\n")


def _make_measure(options, generator):
    """Return measure(network) -> how good it is, larger is better: dB to the world's pictures, or minus how far it is from those of a folder."""
    from engine import likeness, world

    if options.pictures < 2:
        raise UserError(f"--pictures {options.pictures}: expected 2 or more")
    if options.greedy in world.list_names():
        return likeness.measure_by_world(world.find(options.greedy), generator, options.pictures)
    return likeness.measure_by_pictures([read_still(file) for file in list_stills(Path(options.greedy))[:options.pictures]], generator)


def _tell(paths, number, alone, soup, better):
    with_it = "" if soup is None else f", the soup with it {abs(soup):.4g}"
    sys.stdout.write(f"{paths[number]}: {abs(alone):.4g} by itself{with_it}: {'in' if better else 'left out'}\n")
