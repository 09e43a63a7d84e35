"""Find groups of channels that act together, name them, and write what a person needs to name them.

    python run_live.py cluster --layer b16.conv1 b32.conv1 --sheets sheets/
    python run_live.py cluster --layer b32.conv1 --name b32.conv1:2=eyes

Writes the instrument's clusters.yaml (or -o FILE); layers already in the file stay. A sheet shows, for each cluster, where
it acts and the picture without it.
"""
import pathlib
import sys

from engine.clusters import METHODS
from live.cli import add_device
from live.files import sheets
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.instrument.found import CLUSTERS

LIBRARIES = ("rich",)


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose channels")
    parser.add_argument("--layer", nargs="+", metavar="LAYER", help="which layers; default: all")
    parser.add_argument("--k", default=None, metavar="N|auto", help="how many clusters a layer; default: as published")
    parser.add_argument("--samples", type=int, default=100, help="sample pictures to look at")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--method", choices=tuple(METHODS), default="correlation", help="correlation: fast, no training; classifier: as published")
    parser.add_argument("--name", action="append", default=[], metavar="LAYER:CLUSTER=NAME", help="name clusters that are in the file already")
    parser.add_argument("--sheets", metavar="FOLDER", help="write a contact sheet per layer there")
    parser.add_argument("--published", metavar="FILE.yaml", help="write the published tool's dictionary as well")
    add_device(parser)
    parser.add_argument("-o", "--output", metavar="FILE.yaml", help="the file to write; default: the instrument's own")


def run(options):
    from engine.clusters import Clusters, load

    opened = opening.open_instrument(options.instrument, device=options.device)
    generator = opened.instrument.generator
    path = pathlib.Path(options.output or opened.folder.folder / CLUSTERS[0])
    for flag, file in (("-o", path), ("--published", options.published), ("--sheets", options.sheets and pathlib.Path(options.sheets) / "sheet.png")):
        if file:
            prepare_file(file, flag)
    known = load(path, generator) if path.exists() else Clusters()
    layers = options.layer or ([] if options.name else generator.layers)
    found = _find(options, generator, known, layers, path).rename_all(options.name)
    found.save(path)
    if options.published:
        found.export(options.published, generator)
    if options.sheets:
        _write_sheets(generator, found, layers or list(found), pathlib.Path(options.sheets))
    for layer in found:
        sizes = ", ".join(f"{name} ({len(channels)})" for name, channels in found[layer].items())
        sys.stdout.write(f"{layer}: {sizes}\n")


def _find(options, generator, clusters, layers, path):
    """Cluster layer by layer. Each layer is written as soon as it is done, so that an interrupted run loses one at most."""
    from rich.console import Console
    from rich.progress import track

    from engine.clustering.classifier import Classifier
    from engine.clusters import find

    method = Classifier(folder=path.parent / f".{path.stem}-networks") if options.method == "classifier" else options.method
    k = options.k if options.k in (None, "auto") else int(options.k)
    for layer in track(layers, "clustering", console=Console(stderr=True), disable=not layers):
        clusters = clusters.merge(find(generator, layer, k, options.samples, options.seed, method))
        clusters.save(path)
    return clusters


def _write_sheets(generator, clusters, layers, folder):
    from engine.clustering.sheet import sheet

    for layer in layers:
        picture = sheet(generator, clusters, layer)
        captioned = sheets.draw_captions(picture, ("where it is active", "without it"), ("as they are", *clusters[layer]))
        sheets.save_sheet(folder / f"{layer}.png", captioned)
