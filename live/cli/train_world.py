"""Train the built-in instrument on the world that draws itself; resumes where it was stopped.

    python run_live.py train-world -o runs/masks
    python run_live.py train-world -o runs/masks --ship presets/masks/generator.safetensors
    python run_live.py train-world -o runs/finer --refine presets/masks/generator.safetensors

The folder fills with checkpoint.safetensors, figures.csv, figures.png and sheet.png: samples above, targets below.
"""
import csv
import pathlib

from live import sheets

SHOWN = 8                           # pictures on the sheet


def arguments(parser):
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="where the run keeps its files")
    parser.add_argument("--seed", type=int, default=1, help="of the weights and of what is drawn")
    parser.add_argument("--share", type=float, default=1.0, help="train each stage for this share of its usual steps")
    parser.add_argument("--every", type=int, default=200, metavar="STEPS", help="how often figures are written")
    parser.add_argument("--resolution", type=int, default=1024, help="stop at this resolution")
    parser.add_argument("--compile", action="store_true", help="let torch.compile fuse the drawing (needs a C++ compiler)")
    parser.add_argument("--refine", metavar="FILE.safetensors", help="go on from these finished weights, by the shorter recipe for that")
    parser.add_argument("--ship", metavar="FILE.safetensors", help="write the finished generator there as well, in fp16")


def run(options):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from engine import checkpoints
    from engine.checkpoints import native
    from engine.world import train

    recipe = stages(train.REFINEMENT if options.refine else train.RECIPE, options)
    start = checkpoints.load(options.refine) if options.refine else train.architecture(options.resolution)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[figures]}"))
    with Progress(*columns, console=Console(stderr=True)) as display:
        watcher = Watcher(pathlib.Path(options.output), display, recipe)
        generator = train.train(options.output, recipe, start, options.seed, progress=watcher,
                                compiled=options.compile, every=options.every)
    if options.ship:
        native.save(options.ship, generator, "float16", noise=False)


def stages(recipe, options):
    """A recipe up to the resolution asked for, each stage for its share of steps."""
    from dataclasses import replace

    return tuple(replace(stage, steps=max(1, round(stage.steps * options.share)))
                 for stage in recipe if stage.resolution <= options.resolution)


class Watcher:
    """Shows how training goes: a bar per stage, and the sheet and plot on disk."""

    def __init__(self, folder, display, recipe):
        from engine.world.samples import samples

        self.folder, self.display, self.samples = folder, display, samples
        self.steps = {stage.resolution: stage.steps for stage in recipe}
        self.bars = {}

    def __call__(self, event):
        stage = event["stage"]
        if stage not in self.bars:
            total = self.steps.get(stage)
            self.bars[stage] = self.display.add_task(f"{stage} px" if total else str(stage), total=total, figures="")
        figures = "  ".join(f"{name} {event[name]:.4g}" for name in ("psnr", "l1", "loss") if name in event)
        self.display.update(self.bars[stage], completed=event["step"], figures=figures)
        if "trainer" in event:
            pictures = self.samples(event["trainer"].averaged(), SHOWN, stage)
            sheets.save(self.folder / "sheet.png", sheets.sheet(pictures, SHOWN))
            plot(self.folder / "figures.csv", self.folder / "figures.png")


def plot(table, path):
    """The figures of merit over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(table, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("psnr")]
    figure, axes = pyplot.subplots(figsize=(8, 4))
    axes.plot(range(1, len(rows) + 1), [float(row["psnr"]) for row in rows])
    axes.set(xlabel="rows of figures.csv", ylabel="PSNR of what was just trained on, dB", title="training the built-in instrument")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)
