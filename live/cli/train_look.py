"""Train the look of a network on from where it was solved: what a camera or a dropped photograph finds at once comes nearer.

    python run_live.py train-look
    python run_live.py train-look --instrument my_network.pkl --steps 5000 --device cuda

A look is solved for in half a minute (`run_live.py analyse`, which a show runs by itself). Trained on, by the pictures and with a w of its own for coarse,
middle and fine layers, it finds more. What comes of it is measured on pictures that it never saw, and written to look.safetensors only if it is better;
the same command again goes on from there. The show uses it from its next start on.
"""
import contextlib
import pathlib
import sys

from engine.errors import UserError
from live.cli import add_device
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.instrument.found import LOOK, choose_folder, read_look

LIBRARIES = ("rich",)


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose look")
    parser.add_argument("--steps", type=int, default=1500, metavar="N", help="of training (1500: some minutes of one core)")
    parser.add_argument("--samples", type=int, default=3000, metavar="N", help="pictures at most that it learns from (3000)")
    parser.add_argument("--seed", type=int, default=0, help="of the pictures and their order")
    add_device(parser)
    parser.add_argument("--always", action="store_true", help="write what comes of it even if it is no better")
    parser.add_argument("-o", "--output", metavar="FILE.safetensors", help="the file to write; default: the instrument's own")


def run(options):
    from engine import checkpoints, look
    from engine import device as devices
    from engine.look import train

    _check(options)
    folder = instruments.find(options.instrument)
    generator = checkpoints.load(folder.generator, devices.choose(options.device)).eval().requires_grad_(False)
    own, encoder = checkpoints.generator_hash(generator), opening.load_encoder(folder, generator)
    target = pathlib.Path(options.output) if options.output else choose_folder(folder.folder, own) / LOOK
    with _show_bars() as tell:
        found = read_look(folder.folder, generator, own, encoder)
        begun = (look.find(generator, encoder, progress=tell) if found is None else found).to(generator.device)
        trained = train.train(generator, begun, options.steps, options.samples, options.seed, tell)
    before, after = train.measure(generator, begun), train.measure(generator, trained)
    said = f"{before:.1f} -> {after:.1f} dB, median of {train.HELD} pictures that it never saw"
    if after <= before and not options.always:
        sys.stdout.write(f"{said}: no better, nothing is written; give it more --steps or --samples\n")
        return 1
    look.save(target, trained.to("cpu"), steps=options.steps, samples=options.samples, seed=options.seed)
    sys.stdout.write(f"{target}: {said}\n")
    return 0


def _check(options):
    for flag, value, low, high in (("--steps", options.steps, 1, 10 ** 6), ("--samples", options.samples, 16, 10 ** 6), ("--seed", options.seed, 0, 2 ** 31)):
        if not low <= value <= high:
            raise UserError(f"{flag} {value}: expected {low} to {high}")
    if options.output and pathlib.Path(options.output).suffix != ".safetensors":
        raise UserError(f"-o {options.output}: expected a name that ends in .safetensors")


@contextlib.contextmanager
def _show_bars():
    """A context whose value takes events, and shows a bar for each stage."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bars: dict = {}
    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as display:
        def tell(event):
            stage = event["stage"]
            if stage not in bars:
                bars[stage] = display.add_task(stage, total=event["of"])
            display.update(bars[stage], completed=event["done"])

        yield tell
