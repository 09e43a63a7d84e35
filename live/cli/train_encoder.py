"""Train an encoder, so that a camera plays the network; resumes where it was stopped.

    python run_live.py train-encoder --layer b16.conv1 -o runs/encoder
    python run_live.py train-encoder --layer b16.conv1 -o runs/encoder --ship presets/masks/encoder.safetensors
    python run_live.py train-encoder --layer b16.conv1 -o runs/published --seed-mode
    torchrun --nproc-per-node 4 run_live.py train-encoder --layer b16.conv1 -o runs/encoder
    python run_live.py train-encoder --layer b16.conv1 --published trained_encoder.zip --ship encoder.safetensors
    python run_live.py train-encoder --cells old.safetensors --ship encoder.safetensors

The folder fills with checkpoint.safetensors, encoder.safetensors, figures.csv, figures.png and sheet.png: pictures seen
above, below them what is made of them with the mean look, with their own, and with another picture's.
"""
import csv
import math
import pathlib

from engine.errors import UserError
from live.cli import add_device
from live.files import sheets
from live.instrument import folder as instruments

LIBRARIES = ("matplotlib", "rich")
SHOWN = 8                           # pictures on the sheet
LARGEST = 128                       # their side
MOST_PSI, STRONGEST, MOST_SEED = 10, 5, 1_000_000
HELD = 48                           # pictures nothing is learned from


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose layer")
    parser.add_argument("--layer", default="b16.conv1", help="whose features are predicted")
    parser.add_argument("-o", "--output", metavar="FOLDER", help="where the run keeps its files")
    parser.add_argument("--preset", help="architecture: live (default), published, published-sharp, published-short")
    parser.add_argument("--input", type=int, metavar="PIXELS", help="longest side of the pictures looked at; default: by the layer")
    parser.add_argument("--width", type=int, default=128, metavar="CHANNELS", help="the most channels inside the live architecture")
    parser.add_argument("--loss-size", type=int, metavar="PIXELS", help="where pictures are compared; default: four times the layer's side")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, help="pictures a step, of each process")
    parser.add_argument("--rate", type=float, help="size of a step")
    parser.add_argument("--every", type=int, metavar="STEPS", help="how often held-out pictures are looked at")
    parser.add_argument("--patience", type=int, metavar="LOOKS", help="stop after so many looks without gain")
    parser.add_argument("--psi", type=float, nargs=2, metavar=("LOW", "HIGH"), default=(0.5, 1.1), help="truncation of the pictures made")
    parser.add_argument("--drawn", type=float, metavar="SHARE", help="share of pictures drawn by the built-in world; default: 0.75 for its instrument")
    parser.add_argument("--augment", type=float, default=1.0, metavar="STRENGTH", help="what a camera may do to pictures; 0 = nothing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seed-mode", action="store_true", help="the published recipe and architecture, quirks and all")
    parser.add_argument("--start", metavar="FILE.safetensors", help="begin with the weights of this encoder")
    parser.add_argument("--published", metavar="FOLDER|ZIP", help="import a published Keras encoder instead of training")
    parser.add_argument("--cells", metavar="FILE.safetensors",
                        help="write this encoder to --ship with the cells of its network, which older ones lack, instead of training")
    parser.add_argument("--ship", metavar="FILE.safetensors", help="write the finished encoder there as well, in fp16")
    add_device(parser, "cpu", "what learns there; the pictures are made by the processor")


def run(options):
    from engine import checkpoints, device, encoder
    from engine.encoder import keras_bundle, train
    from engine.encoder.pairs import elsewhere
    from engine.encoder.together import is_first, leave

    where = pathlib.Path(_read_number(options.ship, "--ship") if options.published or options.cells else _read_number(options.output, "-o"))
    recipe = _make_recipe(options, train.SEED_RECIPE if options.seed_mode else train.Recipe())
    _check(options)
    where_to_learn = device.choose(options.device)
    generator = checkpoints.load(instruments.find(options.instrument).generator)
    if options.cells:
        encoder.save(where, _add_cells(encoder.load(options.cells, generator), generator), **encoder.files.about(options.cells))
        return
    if options.published:
        keras_bundle.convert(options.published, generator, options.layer, where, options.preset)
        return
    begun = encoder.Encoder.fresh(generator, options.layer, _load_preset(options), options.input, options.seed, options.width)
    if options.start:
        begun = train.take_weights(begun, encoder.load(options.start))
    pairs, held = make_lessons(options, generator, begun.plan)
    begun, pairs, held = begun.to(where_to_learn), elsewhere(pairs, where_to_learn), held.to(where_to_learn)
    with Watcher(where, recipe, held, shown=is_first()) as watcher:
        made = train.train(where, begun, pairs, recipe, held, watcher)
    _add_cells(made, generator)
    for path, dtype in ((where / "encoder.safetensors", "float32"), (options.ship, "float16")):
        if path and is_first():
            encoder.save(path, made, dtype, **watcher.about)
    leave()


def _add_cells(made, generator):
    """Return the encoder with the cells of its network."""
    from engine.encoder.cells import make_maps

    made.cells = make_maps(generator, made.layer)
    return made


def _load_preset(options) -> str:
    return options.preset or ("published" if options.seed_mode else "live")


def _read_number(value, flag):
    if not value:
        raise UserError(f"train-encoder: {flag} says where to write; it is missing")
    return value


def _make_recipe(options, recipe):
    """Return the usual recipe, changed as the flags ask."""
    from dataclasses import replace

    asked = {name: getattr(options, name) for name in ("steps", "batch", "rate", "every", "patience")}
    if wrong := next((name for name, value in asked.items() if value is not None and not 0 < value < math.inf), None):
        raise UserError(f"--{wrong} {asked[wrong]}: expected more than 0")
    return replace(recipe, **{name: value for name, value in asked.items() if value is not None})


def _check(options):
    """Raise UserError for what would otherwise go wrong in the middle of the run, or after it."""
    for flag, value, low, high in (("--psi", options.psi[0], -MOST_PSI, MOST_PSI), ("--psi", options.psi[1], -MOST_PSI, MOST_PSI),
                                   ("--drawn", options.drawn, 0, 1), ("--augment", options.augment, 0, STRONGEST),
                                   ("--seed", options.seed, 0, MOST_SEED)):
        if value is not None and not low <= value <= high:
            raise UserError(f"{flag} {value}: expected {low} to {high}")
    if options.ship and not pathlib.Path(options.ship).parent.is_dir():
        raise UserError(f"--ship {options.ship}: there is no such folder to write to")
    if options.ship and pathlib.Path(options.ship).is_dir():
        raise UserError(f"--ship {options.ship}: expected the name of a file, this is a folder")


def make_lessons(options, generator, plan):
    """Return (pairs to learn from, the Batch held out)."""
    from dataclasses import replace

    from engine.encoder.pairs import Own, SeedPairs, loss_size
    from engine.world import MASKS
    from engine.world.latent import Z_DIM

    size = loss_size(generator, plan, options.loss_size)
    built_in = instruments.find(options.instrument).folder.resolve() == instruments.BUILT_IN.resolve()
    drawn = options.drawn if options.drawn is not None else 0.75 * built_in
    if drawn and generator.z_dim != Z_DIM:
        raise UserError(f"--drawn {drawn}: the world's pictures are of z with {Z_DIM} numbers, this network's have {generator.z_dim}; leave it out")
    own = Own(generator, plan, size, tuple(options.psi), MASKS.draw if drawn else None, drawn, options.augment, seed=options.seed)
    held = replace(own, seed=own.seed + 500, strength=0.0, drawn=float(drawn > 0), mean=1.0, own=0.0).batch(HELD, 0)
    return (SeedPairs(generator, plan, size) if options.seed_mode else own), held


class Watcher:
    """Shows how training goes: a bar, and the sheet and plot on disk."""

    def __init__(self, folder, recipe, held, shown=True):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("encoder"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[figures]}"))
        self.display = Progress(*columns, console=Console(stderr=True), disable=not shown)
        self.folder, self.held, self.about = folder, held, {"batch": recipe.batch}
        self.bar = self.display.add_task("", total=recipe.steps, figures="")

    def __enter__(self):
        self.display.start()
        return self

    def __exit__(self, *_):
        self.display.stop()

    def __call__(self, event):
        from engine.encoder.samples import samples

        trainer = event["trainer"]
        figures = "  ".join(f"{name} {event[name]:.4g}" for name in ("loss", "held_picture", "held_features") if name in event)
        self.display.update(self.bar, completed=event["step"], figures=figures)
        self.about |= {name: value for name, value in event.items() if name != "trainer"}
        generator = trainer.pairs.generator
        size = min(LARGEST, generator.resolution)
        pictures = samples(trainer.make_average(), generator, self.held, self.held.own[:SHOWN], size)
        sheets.save_sheet(self.folder / "sheet.png", sheets.draw_sheet(pictures, SHOWN))
        draw_plot(self.folder / "figures.csv", self.folder / "figures.png")


def draw_plot(table, path):
    """Draw the losses over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    figure, axes = pyplot.subplots(figsize=(8, 4))
    steps = [int(float(row["step"])) for row in rows]
    for name in ("loss", "features", "picture", "held_picture", "held_features"):
        if rows[0].get(name):
            axes.plot(steps, [float(row[name]) for row in rows], label=name.replace("_", " "))
    axes.set(xlabel="steps", ylabel="error", yscale="log", title="training an encoder")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)
