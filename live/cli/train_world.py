"""Train a generator on a world that draws itself; resumes where it was stopped.

    python run_live.py train-world -o runs/masks
    python run_live.py train-world -o runs/bloom --world bloom
    python run_live.py train-world -o runs/trial --resolution 64 --share 0.05
    python run_live.py train-world -o runs/finer --refine presets/masks/generator.safetensors
    python run_live.py train-world -o runs/beasts --world beasts --descend presets/masks/generator.safetensors

The folder fills with checkpoint.safetensors, figures.csv, figures.png and sheet.png (samples above, targets below), and
in the end generator.safetensors, which `run_live.py --instrument` plays. A run goes on with the flags it was begun with.
"""
import csv
import math
import pathlib

from engine.errors import UserError
from live.cli import add_device
from live.files import sheets
from live.surface.run_folder import RunFolder

LIBRARIES = ("matplotlib", "rich")
SHOWN = 8                           # pictures on the sheet


def arguments(parser):
    from engine.world import list_names

    parser.add_argument("--world", default="masks", choices=list_names(), help="which world draws the pictures")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="where the run keeps its files")
    parser.add_argument("--seed", type=int, default=1, help="of the weights and of what is drawn")
    parser.add_argument("--share", type=float, default=1.0, help="train each stage, and the mapping network, for this share of the usual steps")
    parser.add_argument("--every", type=int, default=200, metavar="STEPS", help="how often figures are written")
    parser.add_argument("--resolution", type=int, default=1024, help="stop at this resolution")
    parser.add_argument("--compile", action="store_true", help="let torch.compile fuse the drawing (needs a C++ compiler)")
    add_device(parser, "cpu", "where it learns, and where the world is drawn")
    finished = parser.add_mutually_exclusive_group()
    finished.add_argument("--refine", metavar="FILE.safetensors", help="go on from these finished weights, by the shorter recipe for that")
    finished.add_argument("--descend", metavar="FILE.safetensors", help="begin with these finished weights of another world, and stay their relative")
    parser.add_argument("--ship", metavar="FILE.safetensors", help="write the finished generator there as well")


def run(options):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from engine import device, world
    from engine.checkpoints import native
    from engine.world import train

    _check(options)
    machine = train.Machine(device.choose(options.device), options.compile)
    finished = options.refine or options.descend
    start = _load_finished("--refine" if options.refine else "--descend", finished) if finished else train.architecture(options.resolution)
    recipe = plan_stages(train.REFINEMENT if options.refine else train.DESCENT if options.descend else train.RECIPE, options, start.resolution)
    folder = pathlib.Path(options.output)
    RunFolder(folder).plan(sum(stage.steps for stage in recipe if stage.resolution))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[figures]}"))
    with Progress(*columns, console=Console(stderr=True)) as display:
        drawn = world.find(options.world)
        watcher = Watcher(drawn, folder, display)
        generator = train.train(drawn, folder, recipe, start, options.seed, progress=watcher, machine=machine, every=options.every)
    for path in (folder / "generator.safetensors", options.ship):
        if path:
            native.save(path, generator, "float16", noise=False)


def _check(options):
    """Raise UserError for what would otherwise go wrong only after hours."""
    if options.every < 1:
        raise UserError(f"--every {options.every}: expected at least 1 step")
    if not 0 < options.share < math.inf:
        raise UserError(f"--share {options.share}: expected more than 0")
    if options.ship and not pathlib.Path(options.ship).parent.is_dir():
        raise UserError(f"--ship {options.ship}: there is no folder {pathlib.Path(options.ship).parent}")


def _load_finished(flag, path):
    """Return the weights to go on from: a generator shaped as a world asks for."""
    from engine import checkpoints
    from engine.world.latent import Z_DIM

    generator = checkpoints.load(path)
    shape = generator.architecture
    if (shape.z_dim, shape.c_dim, shape.kind) != (Z_DIM, 0, "skip"):
        raise UserError(f"{flag} {path}: expected a generator that train-world made, with z of {Z_DIM} numbers and skip RGB; "
                        f"found z of {shape.z_dim}, {shape.kind}")
    return generator


def plan_stages(recipe, options, largest):
    """Return a recipe up to the resolution asked for and to the network's own, each stage for its share of steps."""
    from dataclasses import replace

    found = tuple(replace(stage, steps=max(1, round(stage.steps * options.share)))
                  for stage in recipe if stage.resolution <= min(options.resolution, largest))
    first = next(stage.resolution for stage in recipe if stage.resolution)
    if not any(stage.resolution for stage in found):
        raise UserError(f"--resolution {options.resolution}, network {largest} px: the recipe begins at {first} px")
    return found


class Watcher:
    """Shows how training goes: a bar per stage, and the sheet and plot on disk."""

    def __init__(self, world, folder, display):
        from engine.world.samples import samples

        self.world, self.folder, self.display, self.samples = world, folder, display, samples
        self.bars = {}

    def __call__(self, event):
        stage = event["stage"]
        bar = (stage, event.get("part"))                 # two stages of a recipe may have one resolution
        if bar not in self.bars:
            self.bars[bar] = self.display.add_task(f"{stage} px" if "part" in event else stage, total=event["of"], figures="")
        figures = "  ".join(f"{name} {event[name]:.4g}" for name in ("psnr", "l1", "loss") if name in event)
        self.display.update(self.bars[bar], completed=event["step"], figures=figures)
        if "trainer" in event:
            pictures = self.samples(self.world, event["trainer"].make_average(), SHOWN, stage)
            sheets.save_sheet(self.folder / "sheet.png", sheets.draw_sheet(pictures, SHOWN))
            draw_plot(self.folder / "figures.csv", self.folder / "figures.png")


def draw_plot(table, path):
    """Draw the figures of merit over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(table, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("psnr")]
    figure, axes = pyplot.subplots(figsize=(8, 4))
    axes.plot(range(1, len(rows) + 1), [float(row["psnr"]) for row in rows])
    axes.set(xlabel="rows of figures.csv", ylabel="PSNR of what was just trained on, dB", title="training on a drawn world")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)
