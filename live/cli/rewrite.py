"""Rewrite a rule of the network: solve an edit from a few marked examples, and keep it as a small file for a fader.

    python run_live.py rewrite --layer b32.conv1 --copy 3:400,300,620,380 --paste 7:512,340 --context 7:400,300,620,380 -o hats.safetensors
    python run_live.py rewrite --layer b32.conv1 --rank 4 --copy 1-10:head~nose --paste 1-10:nose --fill -o no-nose.safetensors
    python run_live.py rewrite --request edit.json --layer b16.conv1 -o dome2tree.safetensors
    python run_live.py rewrite --request presets/masks/edits/third-eye.yaml -o third-eye.safetensors
    python run_live.py rewrite --layer b32.conv1 --independence 3 5 --patch 2 8 -o independence.png

A mark is SEED:REGION: a box, a polygon, a PNG mask, or parts of a drawn world (engine/rewriting/marks.py says it all). What is copied
may also be a picture of your own, with transparency: --copy hat.png@240 --paste 1-64:head:0,-300.
Without --context the rule applies where things are pasted. A sheet of unseen seeds is written beside the edit: as it was,
strengths 1, 2 and -1, and where the rule fires. --independence solves nothing: it shows whether a layer's keys say what is where.
"""
import pathlib
import shlex
import sys

from engine.errors import UserError
from engine.rewriting.solve import PICTURE, STYLE
from engine.rewriting.solvers import SOLVERS
from live.cli import add_device
from live.files import sheets
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.weights.words import is_words, read_words

LIBRARIES = ("rich",)
TURNED = ("colour", "restraint", "polish", "gain", "steps", "rate", "patience", "erase")          # flags that are settings of the solve
PICTURES = (".png", ".jpg", ".jpeg")


def arguments(parser):
    add_device(parser)
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", help="whose rule; default: the request's, else the built-in one")
    parser.add_argument("--request", metavar="FILE", help="a request: .json, ours or one of the published edit files; .yaml, these flags in words")
    parser.add_argument("--copy", nargs="+", default=[], metavar="SEED:REGION|FILE.png", help="what is copied")
    parser.add_argument("--paste", nargs="+", default=[], metavar="SEED:REGION", help="where to")
    parser.add_argument("--context", nargs="+", default=[], metavar="SEED:REGION", help="what the rule applies to")
    parser.add_argument("--fill", action="store_true", help="lay the mean of what is copied over the whole of the paste's mask")
    parser.add_argument("--layer", help="which layer's rule, such as b32.conv1; default: the best of some that are tried")
    parser.add_argument("--rank", type=int, metavar="N", help="how many directions; default 1, or the best of some")
    solvers = "; ".join(f"{found.name}: {found.about}" for found in SOLVERS.values())
    parser.add_argument("--solver", choices=(*SOLVERS, STYLE, PICTURE),
                        help=f"default: instant. {STYLE}: changes what styles say, and no layer's weight; {PICTURE}: several layers at once, "
                             f"by descent through the picture, in minutes, for what no single rule can make; {solvers}")
    parser.add_argument("--colour", metavar="#RRGGBB", help="what the pasted places are to have, instead of something copied; style and picture")
    parser.add_argument("--truncation", type=float, metavar="PSI", help="of the marked pictures; default 1, published requests 0.5")
    parser.add_argument("--restraint", type=float, help="instant, style, picture: how dear a change elsewhere is; default 1")
    parser.add_argument("--polish", type=int, metavar="STEPS",
                        help="steps of descent after the closed form; default: as few as make instant better than nothing, 80 for style, "
                             "600 for picture, which is nothing else")
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
        return _draw_independence(options, _load(options)[0], path)
    picture = _check_sheet(options, path)
    _take_words(options)
    settings = {name: getattr(options, name) for name in (*TURNED, "truncation") if getattr(options, name) is not None}
    rewriting.Settings(**settings)                                          # refuses now what it would refuse later
    request = rewriting.read_request(options.request) if options.request else None
    generator, drawn = _load(options, request)
    if request is None:
        settings = {"truncation": 1.0} | settings
        request = _make_request(options, generator, settings["truncation"], drawn)
    if options.published_crops:
        settings["published"] = True
    settings, (layer, rank, solver) = _choose(options, generator, request, settings)
    edit = _solve(generator, request, layer, rank, solver, path.stem, settings)
    edit.recipe["command"] = shlex.join(["run_live.py", *map(_hide_folders, sys.argv[1:])])
    rewriting.save(path, edit)
    loss = edit.recipe["loss"]
    told = f"; mean error {loss['before']:.4g} before, {loss['after']:.4g} after" if loss else ""
    where = "styles" if edit.style is not None else ", ".join(rule.layer for rule in edit.rules)
    sys.stdout.write(f"{path}: {where}, rank {edit.rank if edit.style is None else edit.style.rank}{told}\n")
    _tell_worth(generator, edit, request, edit.recipe["settings"])
    if picture is not None:
        from engine.rewriting.sheet import STRENGTHS, sheet

        rows = ("as it is", *(f"strength {strength:g}" for strength in STRENGTHS), "what changes" if edit.style is not None or edit.more else "where it fires")
        sheets.save_sheet(picture, sheets.draw_captions(sheet(generator, edit, options.seeds), [f"seed {seed}" for seed in options.seeds], rows))
        sys.stdout.write(f"{picture}: seeds {', '.join(map(str, options.seeds))} as they are, at strengths 1, 2, -1, and where it fires\n")



def _hide_folders(word: str) -> str:
    """Return a word of the command line as an edit's file keeps it: an edit is given away, and where its maker's files lie is nobody's business."""
    flag, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    path, here = pathlib.Path(value), pathlib.Path.cwd()
    if not path.is_absolute():
        return word
    return flag + equals + (str(path.relative_to(here)) if path.is_relative_to(here) else path.name)

def _check_sheet(options, path):
    """Return the sheet's path, None for no sheet. UserError for what would be found out only after minutes of solving."""
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


def _take_words(options):
    """Put what a request in words says where flags say nothing; from then on it is as if it had been typed."""
    if not options.request or not is_words(options.request):
        return
    for name, value in read_words(options.request).items():
        told = getattr(options, name)
        if told is None or told is False or told == []:
            setattr(options, name, value)
    options.request = None


def _load(options, request=None):
    """Return (network, the world it was taught) of the instrument named by a flag, else by the request, else of the built-in one."""
    from engine import world

    where = options.instrument
    if where is None and request is not None and (stated := request.settings.get("instrument")) is not None:
        if not isinstance(stated, str):
            raise UserError(f"{options.request}: settings > instrument: expected a path, found {stated!r}")
        where = pathlib.Path(options.request).parent / stated
    opened = opening.open_instrument(where or instruments.BUILT_IN, device=options.device)
    return opened.instrument.generator, world.find(opened.folder.world) if opened.folder.world else world.MASKS


def _draw_independence(options, generator, path):
    """Draw the picture of how much each patch of the layer knows by itself."""
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
    sheets.save_sheet(path, sheet(generator, options.layer, ws, options.patch))
    sys.stdout.write(f"{path}: seeds {', '.join(map(str, options.independence))} as they are, "
                     f"and in patches of {', '.join(map(str, options.patch))} cells of {options.layer}\n")


def _make_request(options, generator, psi, drawn):
    """Return the request that the flags make."""
    from engine import rewriting
    from engine.rewriting.marks import parse

    copies = _read_all(options.copy, lambda text: parse(text, generator, psi, world=drawn))
    pastes = _read_all(options.paste, lambda text: parse(text, generator, psi, copies, drawn))
    contexts = _read_all(options.context, lambda text: parse(text, generator, psi, world=drawn))
    return rewriting.Request(copies, pastes, contexts, fill=options.fill)


def _read_all(texts, read):
    return tuple(mark for text in texts for mark in read(text))


def _choose(options, generator, request, settings):
    """Return (settings, (layer, rank, solver)): those asked for; where no layer, solver or kind of paste is, the best of some that are tried."""
    from engine.rewriting.choose import tries

    stated = request.settings
    told = options.layer or stated.get("layer") or options.solver or stated.get("solver") or options.colour or stated.get("colour") or options.erase
    if told or any(mark.drawing is not None for mark in request.objects) or not request.objects or not request.pastes:
        return settings, (options.layer, options.rank, options.solver)
    others = {name: value for name, value in settings.items() if name not in ("gain", "truncation")}
    psi = settings.get("truncation", stated.get("truncation", 0.5))
    made = tries(generator, request, psi, rank=options.rank, gain=options.gain, **others)
    if not made:
        raise UserError("no layer fits these marks: paint larger ones, or name a --layer")
    seen = "pictures kept aside" if made[0].worth.unseen else "the marked pictures"
    sys.stdout.write(f"tried on {made[0].worth.pictures} {seen}:\n  changed  reached  elsewhere  layer      rank  gain\n")
    for one in made:
        sys.stdout.write(f"  {one.worth.changed:7.0%}  {one.worth.reached:7.0%}  "
                         f"{one.worth.elsewhere:9.1f}  {one.layer or 'styles':9}  {one.rank:4}  {one.gain:g}\n")
    best = made[0]
    return settings | {"gain": best.gain}, (best.layer, best.rank, best.solver)


def _tell_worth(generator, edit, request, settings):
    """Write in words how well the edit does on the marked pictures."""
    from engine.rewriting.choose import worth_of

    worth = worth_of(generator, edit, request, settings["truncation"], settings["colour"])
    if worth is None:
        return
    sys.stdout.write(f"at strength 1 {worth.changed:.0%} of the marked pixels come nearer to what was asked for than to what they were, "
                     f"{worth.reached:.0%} of the way on average; elsewhere the picture changes by {worth.elsewhere:.1f} of 255\n")
    if worth.reached <= 0:
        sys.stdout.write("WORSE THAN BEFORE: they are further away than without it. Leave out --layer, --rank and --gain, so that the best is "
                         "looked for; mark more pictures; or say it with --solver style\n")


def _solve(generator, request, layer, rank, solver, name, settings):
    """Return the edit, with a bar for each stage."""
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
