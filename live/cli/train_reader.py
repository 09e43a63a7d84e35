"""Train the reader that leads the factors by a face before a camera, on people that are drawn; resumes where it was stopped.

    python run_live.py train-reader -o runs/reader --steps 8000
    python run_live.py train-reader -o runs/reader --steps 8000 --ship presets/masks/reader.safetensors
    python run_live.py train-reader -o runs/further --start presets/masks/reader.safetensors --steps 600 --rate 5e-4

The folder fills with checkpoint.safetensors and figures.csv: the correlation of what is read with what was drawn, for each factor.
"""
import pathlib
import sys

from engine.errors import UserError
from live.cli import add_device
from live.files.paths import prepare_file


def arguments(parser):
    parser.add_argument("-o", "--output", metavar="FOLDER", required=True, help="where the run keeps its files")
    parser.add_argument("--steps", type=int, default=8000, help="in all; the rate falls over the second half of them")
    parser.add_argument("--batch", type=int, default=48, help="people a step")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--far", type=int, default=4, metavar="N", help="one step of N is for finding faces in whole pictures, the others for reading them")
    parser.add_argument("--start", metavar="FILE.safetensors", help="begin with the weights of this reader")
    parser.add_argument("--every", type=int, default=200, metavar="STEPS", help="how often unseen people are looked at")
    parser.add_argument("--seed", type=int, default=1)
    add_device(parser, "cpu", "what learns there; the people are drawn by the processor")
    parser.add_argument("--ship", metavar="FILE.safetensors", help="write the finished reader there as well")


def run(options):
    from engine import device, reader
    from engine.reader.train import Recipe, Trainer

    for flag, value, low, high in (("--steps", options.steps, 1, 10_000_000), ("--far", options.far, 1, 10_000_000),
                                   ("--batch", options.batch, 8, 4096), ("--every", options.every, 1, 1_000_000),
                                   ("--rate", options.rate, 1e-6, 1.0), ("--seed", options.seed, 0, 100)):
        if not low <= value <= high:
            raise UserError(f"{flag} {value}: expected {low} to {high}")
    if options.ship:
        prepare_file(options.ship, "--ship")
    recipe = Recipe(steps=options.steps, batch=options.batch, rate=options.rate, every=options.every, far=options.far)
    start = reader.load(options.start) if options.start else None
    trainer = Trainer(pathlib.Path(options.output), recipe, options.seed, device.choose(options.device), start)
    made = trainer.train(_tell)
    if options.ship:
        reader.save(options.ship, made, steps=trainer.steps, batch=options.batch)


def _tell(figures):
    named = ", ".join(f"{name} {figures[name]:.2f}" for name in ("mean", "gaze_x", "mouth_open", "smile", "eye_open", "far_right", "far_there"))
    sys.stdout.write(f"step {figures['step']}: {named}\n")
    sys.stdout.flush()
