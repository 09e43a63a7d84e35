"""Rewrite a rule of the network: solve an edit from a few marked examples, and keep it as a small file for a fader.

    python run_live.py rewrite --layer b32.conv1 --copy 3:400,300,620,380 --paste 7:512,340 --context 7:400,300,620,380 -o hats.safetensors
    python run_live.py rewrite --layer b32.conv1 --rank 4 --copy 1-10:head~nose --paste 1-10:nose --fill -o no-nose.safetensors
    python run_live.py rewrite --request edit.json --layer b16.conv1 -o dome2tree.safetensors
    python run_live.py rewrite --layer b32.conv1 --independence 3 5 --patch 2 8 -o independence.png

A mark is SEED:REGION: a box, a polygon, a PNG mask, or parts of the built-in world (engine/rewriting/marks.py says it all).
Without --context the rule applies where things are pasted. A sheet of unseen seeds is written beside the edit: as it was,
strengths 1, 2 and -1, and where the rule fires. --independence solves nothing: it shows whether a layer's keys say what is where.
"""
import pathlib
import shlex
import sys

from engine.errors import UserError
from engine.rewriting.solvers import SOLVERS
from live.files import sheets
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening

LIBRARIES = ("rich",)
TURNED = ("restraint", "polish", "gain", "steps", "rate", "patience", "erase")          # flags that are settings of the solve
PICTURES = (".png", ".jpg", ".jpeg")


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", help="whose rule; default: the request's, else the built-in one")
    parser.add_argument("--request", metavar="FILE.json", help="a request, ours or one of the published edit files")
    parser.add_argument("--copy", nargs="+", default=[], metavar="SEED:REGION", help="what is copied")
    parser.add_argument("--paste", nargs="+", default=[], metavar="SEED:REGION", help="where to")
    parser.add_argument("--context", nargs="+", default=[], metavar="SEED:REGION", help="what the rule applies to")
    parser.add_argument("--fill", action="store_true", help="lay the mean of what is copied over the whole of the paste's mask")
    parser.add_argument("--layer", help="which layer's rule, such as b32.conv1")
    parser.add_argument("--rank", type=int, metavar="N", help="how many directions; default 1")
    parser.add_argument("--solver", choices=tuple(SOLVERS), help="default: instant. " + "; ".join(f"{found.name}: {found.about}" for found in SOLVERS.values()))
    parser.add_argument("--truncation", type=float, metavar="PSI", help="of the marked pictures; default 1, published requests 0.5")
    parser.add_argument("--restraint", type=float, help="instant: how dear a change elsewhere is; default 1")
    parser.add_argument("--polish", type=int, metavar="STEPS",
                        help="instant: steps of descent after the closed form; default: as few as make it better than nothing")
    parser.add_argument("--gain", type=float, help="times what was found: how much of it is strength 1; default 1")
    parser.add_argument("--steps", type=int, help="of the published solvers; default 2001")
    parser.add_argument("--rate", type=float, help="of the published solvers' descent; default 0.05")
    parser.add_argument("--patience", type=int, metavar="N", help="of the published solvers: end after N projections, ten steps each, without progress")
    parser.add_argument("--erase", type=int, metavar="UNITS", help="silence so many units of the context instead of pasting")
    parser.add_argument("--published-crops", action="store_true", help="crops with the published tool's noise and edges")
    parser.add_argument("--sheet", metavar="FILE.png|none", help="default: the edit's name with .png")
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103, 104, 105, 106], help="unseen seeds on the sheet")
    parser.add_argument("--independence", type=int, nargs="+", metavar="SEED", help="instead of an edit: each patch of the layer's keys rendered alone")
    parser.add_argument("--patch", type=int, nargs="+", default=[2], metavar="CELLS", help="sides of the patches, a row each; default 2")
    parser.add_argument("-o", "--output", required=True, metavar="NAME.safetensors", help="the edit; a PNG or JPEG with --independence")


def run(options):
    from engine import rewriting

    path = pathlib.Path(options.output)
    if options.independence:
        return _draw_independence(options, _load_generator(options), path)
    picture = _check_sheet(options, path)
    settings = {name: getattr(options, name) for name in (*TURNED, "truncation") if getattr(options, name) is not None}
    rewriting.Settings(**settings)                                          # refuses now what it would refuse later
    request = rewriting.read_request(options.request) if options.request else None
    generator = _load_generator(options, request)
    if request is None:
        settings = {"truncation": 1.0} | settings
        request = _make_request(options, generator, settings["truncation"])
    if options.published_crops:
        settings["published"] = True
    edit = _solve(generator, request, options.layer, options.rank, options.solver, path.stem, settings)
    edit.recipe["command"] = shlex.join(["run_live.py", *sys.argv[1:]])
    rewriting.save(path, edit)
    loss = edit.recipe["loss"]
    told = f"; mean error {loss['before']:.4g} before, {loss['after']:.4g} after" if loss else ""
    sys.stdout.write(f"{path}: {edit.layer}, rank {edit.rank}{told}\n")
    if picture is not None:
        from engine.rewriting.sheet import sheet

        sheets.save(picture, sheet(generator, edit, options.seeds))
        sys.stdout.write(f"{picture}: seeds {', '.join(map(str, options.seeds))} as they are, at strengths 1, 2, -1, and where it fires\n")


def _check_sheet(options, path):
    """The sheet's path, None for no sheet. UserError for what would be found out only after minutes of solving."""
    from engine.names import check_name
    from engine.rewriting import Picture

    if path.suffix != ".safetensors":
        raise UserError(f"{path}: expected a name that ends in .safetensors")
    check_name(path.stem)
    prepare_file(path, "-o")
    if options.request and (options.copy or options.paste or options.context or options.fill):
        raise UserError("--request has its own marks: leave out --copy, --paste, --context and --fill")
    if options.sheet == "none":
        return None
    picture = pathlib.Path(options.sheet or path.with_suffix(".png"))
    if picture.suffix.lower() not in PICTURES:
        raise UserError(f"--sheet {picture}: expected a name in {', '.join(PICTURES)}, or none")
    prepare_file(picture, "--sheet")
    for seed in options.seeds:
        Picture(seed, seeded=True)                                          # refuses what is no seed
    return picture


def _load_generator(options, request=None):
    """The network of the instrument that is named by a flag, else by the request, else of the built-in one."""
    where = options.instrument
    if where is None and request is not None and (stated := request.settings.get("instrument")) is not None:
        if not isinstance(stated, str):
            raise UserError(f"{options.request}: settings > instrument: expected a path, found {stated!r}")
        where = pathlib.Path(options.request).parent / stated
    return opening.open_instrument(where or instruments.BUILT_IN).instrument.generator


def _draw_independence(options, generator, path):
    """The picture of how much each patch of the layer knows by itself."""
    from engine.rewriting import Picture
    from engine.rewriting.independence import sheet
    from engine.rewriting.memory import latents

    if options.copy or options.paste or options.context or options.request:
        raise UserError("--independence solves nothing: leave out --copy, --paste, --context and --request")
    if not options.layer:
        raise UserError("--independence: which layer? --layer is one of " + ", ".join(generator.layers))
    if path.suffix.lower() not in PICTURES:
        raise UserError(f"{path}: --independence makes a picture: expected a name in {', '.join(PICTURES)}")
    psi = 1.0 if options.truncation is None else options.truncation
    ws = latents(generator, [Picture(seed, seeded=True) for seed in options.independence], psi)
    sheets.save(path, sheet(generator, options.layer, ws, options.patch))
    sys.stdout.write(f"{path}: seeds {', '.join(map(str, options.independence))} as they are, "
                     f"and in patches of {', '.join(map(str, options.patch))} cells of {options.layer}\n")


def _make_request(options, generator, psi):
    """The request that the flags make."""
    from engine import rewriting
    from engine.rewriting.marks import parse

    copies = _read_all(options.copy, lambda text: parse(text, generator, psi))
    pastes = _read_all(options.paste, lambda text: parse(text, generator, psi, copies))
    contexts = _read_all(options.context, lambda text: parse(text, generator, psi))
    return rewriting.Request(copies, pastes, contexts, fill=options.fill)


def _read_all(texts, read):
    return tuple(mark for text in texts for mark in read(text))


def _solve(generator, request, layer, rank, solver, name, settings):
    """The edit, with a bar for each stage."""
    from rich.console import Console
    from rich.progress import Progress

    from engine import rewriting

    with Progress(console=Console(stderr=True)) as display:
        bars = {}

        def show_progress(event):
            stage = event["stage"]
            if stage not in bars:
                bars[stage] = display.add_task(stage, total=event["of"])
            display.update(bars[stage], completed=event["done"])

        return rewriting.solve(generator, request, layer, rank, solver, name=name, progress=show_progress, **settings)
