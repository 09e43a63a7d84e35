"""Make kept latents of other tools' files: projections, walks, lists of seeds; or list those there are.

    python run_live.py latents projected_w.npz walk.npy liked_seeds.txt
    python run_live.py latents vector.pt --space w --name start
    python run_live.py latents

Writes latents/<name>.safetensors of the instrument; /latents/reload brings them into a show. Nothing in the files is executed.
"""
import sys

from engine.errors import UserError
from live.cli import add_device
from live.files.names import check_name
from live.files.paths import find_path
from live.instrument import folder as instruments
from live.instrument.found import LATENTS, choose_folder, read_latents


def arguments(parser):
    parser.add_argument("files", nargs="*", metavar="FILE", help=".npz .npy .pt .txt; without one: list what is there")
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose")
    add_device(parser)
    parser.add_argument("--space", choices=("z", "w"), help="what the vectors of a file are, where it does not say so")
    parser.add_argument("--name", metavar="NAME", help="what a single one is called; default: as its file")


def run(options):
    from dataclasses import replace

    from engine import checkpoints, device, kept

    folder = instruments.find(options.instrument)
    generator = checkpoints.load(folder.generator, device.choose(options.device)).eval().requires_grad_(False)
    own = checkpoints.generator_hash(generator)
    if not options.files:
        for name, one in read_latents(folder.folder, generator, own).items():
            sys.stdout.write(f"{name}: {_describe(one)}\n")
        return
    found = {name: one for path in options.files for name, one in kept.read_foreign(find_path(path), generator, options.space).items()}
    if options.name and len(found) > 1:
        raise UserError(f"--name {options.name}: there are {len(found)} latents: {', '.join(found)}")
    for name, one in found.items():
        name = check_name(options.name or name, "kept latent")
        path = choose_folder(folder.folder, own) / LATENTS / f"{name}.safetensors"
        kept.save(path, replace(one, generator=own))
        sys.stdout.write(f"{path}: {_describe(one)}\n")


def _describe(one) -> str:
    count = f"{len(one.ws)} latents" if len(one.ws) > 1 else "one latent"
    return f"{count} in {one.space}" + (f", from {one.recipe['source']}" if one.recipe.get("source") else "")
