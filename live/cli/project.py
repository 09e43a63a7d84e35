"""Look for pictures in a network: the latent that comes nearest to a photograph, each of a folder, or each frame of a video.

    python run_live.py project photo.jpg
    python run_live.py project photos/ --space w+ --steps 300
    python run_live.py project dance.mp4 --every 2 --name dance
    python run_live.py project photo.jpg --tune

Writes latents/<name>.safetensors of the instrument, and a sheet of the picture, where it began, and what was found. A folder goes on where it
was stopped: what is there already, made of the same picture with the same settings, stays. /latents/reload brings them into a show, /latents/go NAME
and /latents/play NAME go there. Each step of the way is a line of JSON on stderr with --progress. --tune makes an edit as well,
edits/<name>.safetensors, whose fader brings the picture nearer than any latent does; one that was stopped goes on.
"""
import hashlib
import itertools
import json
import os
import pathlib
import sys

from engine.errors import UserError
from engine.names import make_name
from live.cli import add_device
from live.files import sheets
from live.files.names import check_name
from live.files.paths import find_path
from live.files.stills import read_still
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.instrument.found import LATENTS, choose_folder, read_look
from live.show.beside import stay_beside
from live.sources.images import KINDS, list_stills
from live.sources.video import Video

LONGEST = 1024                      # px of a film's frames that are looked at
RANK, EDITS = 8, "edits"
SPACES, LOSSES = ("w", "w+"), ("pyramid", "crisp", "ssim", "square", "discriminator", "vgg", "lpips")
VGG, HEADS = "vgg16-397923af.pth", "vgg.pth of the LPIPS repository"


def arguments(parser):
    parser.add_argument("picture", metavar="PICTURE|FOLDER|VIDEO")
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="in which network")
    parser.add_argument("--space", choices=SPACES, default="w",
                        help="w: one for all layers, which edits and directions move best; w+: one for each layer, nearer to the picture")
    parser.add_argument("--steps", type=int, default=150, metavar="N", help="of each picture, and of the first of a video (150)")
    parser.add_argument("--size", type=int, default=64, metavar="PX", help="at which pictures are compared: 64 to 256 (64)")
    parser.add_argument("--loss", choices=LOSSES, default="pyramid",
                        help="what counts as near; crisp: for photographs; discriminator, vgg, lpips: as such a network sees it, from a file of yours")
    parser.add_argument("--discriminator", metavar="FILE", help="the .pkl or training .pt that holds one; default: the instrument's own file")
    parser.add_argument("--vgg", metavar="FILE.pth", help=f"torchvision's {VGG}, for --loss vgg and lpips; default: torch's own cache, if it is there")
    parser.add_argument("--lpips", metavar="FILE.pth", help=f"{HEADS} (weights/v0.1), for --loss lpips")
    parser.add_argument("--keep-close", type=float, default=0.0, metavar="X",
                        help="what it costs to be where few seeds are: 0.1 and above give crisper pictures that are less like the photograph (0)")
    parser.add_argument("--noise", action="store_true", help="noise maps of its own as well, nearer in fine texture; they are kept with the latent")
    parser.add_argument("--tune", type=int, nargs="?", const=RANK, metavar="RANK",
                        help=f"an edit as well, by which the network draws what no latent of it has; its rank, {RANK} if none is given")
    parser.add_argument("--tune-steps", type=int, default=80, metavar="N", help="of the edit (80)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="of a video, every Nth frame")
    parser.add_argument("--frames", type=int, metavar="N", help="of a video, so many at most")
    parser.add_argument("--name", metavar="NAME", help="what the kept latent is called; default: as the file")
    parser.add_argument("--sheets", metavar="FOLDER", help="where sheets go; default: beside the latents; none = nowhere")
    add_device(parser)
    parser.add_argument("--beside", action="store_true", help="at low priority on one core, beside a show")
    parser.add_argument("--progress", action="store_true", help="say each step")
    parser.add_argument("-o", "--output", metavar="FILE.safetensors",
                        help="the file to write, of a single picture or a video; default: in the instrument's latents/")


def run(options):
    from engine import checkpoints
    from engine import device as devices
    from engine.projection.find import Projector

    _check(options)
    if options.beside:
        devices.use_threads(1)
        stay_beside()
    path = pathlib.Path(find_path(options.picture))
    files = _list_pictures(path)
    folder = instruments.find(options.instrument)
    generator = checkpoints.load(folder.generator, devices.choose(options.device)).eval().requires_grad_(False)
    own = checkpoints.generator_hash(generator)
    look = read_look(folder.folder, generator, own, opening.load_encoder(folder, generator))
    loss = _make_loss(options, folder, generator.device)
    projector = Projector(generator, options.size, loss, options.seed, look if look is None else look.to(generator.device), options.keep_close)
    where = choose_folder(folder.folder, own) / LATENTS
    if files is None:
        _project_film(options, path, projector, where, own)
        return
    if len(files) > 1 and (options.name or options.output):
        raise UserError(f"{path}: {len(files)} pictures: --name and -o are for a single one")
    for file in files:
        target, light = _project_file(options, file, projector, where, own)
        if options.tune:
            _tune_file(options, target, projector, light, pathlib.Path(folder.folder) / EDITS)


def _check(options):
    for flag, value, low, high in (("--steps", options.steps, 1, 100_000), ("--size", options.size, 8, 1024), ("--every", options.every, 1, 100_000),
                                   ("--frames", options.frames or 1, 1, 100_000), ("--seed", options.seed, 0, 2 ** 31),
                                   ("--tune", 1 if options.tune is None else options.tune, 1, 512), ("--tune-steps", options.tune_steps, 1, 100_000),
                                   ("--keep-close", options.keep_close, 0, 1000)):
        if not low <= value <= high:
            raise UserError(f"{flag} {value}: expected {low} to {high}")
    if options.output and pathlib.Path(options.output).suffix != ".safetensors":
        raise UserError(f"-o {options.output}: expected a name that ends in .safetensors")


def _make_loss(options, folder, device):
    """Return the loss that was asked for: a name, or one made of the user's files. UserError: which file is missing."""
    from engine.projection import features

    if options.loss == "discriminator":
        return features.make_discriminator_loss(find_path(options.discriminator) if options.discriminator else folder.generator, device)
    if options.loss not in ("vgg", "lpips"):
        return options.loss
    caches = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    cached = pathlib.Path(os.environ.get("TORCH_HOME") or caches / "torch") / "hub" / "checkpoints" / VGG
    vgg = find_path(options.vgg) if options.vgg else cached if cached.exists() else None
    if vgg is None:
        raise UserError(f"--loss {options.loss}: it needs VGG16, which is not shipped and never downloaded; "
                        f"give your own copy of torchvision's {VGG} with --vgg FILE")
    if options.loss == "lpips" and not options.lpips:
        raise UserError("--loss lpips: it needs the heads of LPIPS, which are not shipped and never downloaded; "
                        f"give {HEADS} with --lpips FILE, or take --loss vgg")
    return features.make_vgg_loss(vgg, find_path(options.lpips) if options.loss == "lpips" else None, device)


def _list_pictures(path) -> list[pathlib.Path] | None:
    """Return the pictures that a path names; None where it is a film."""
    if path.is_dir():
        return list_stills(path)
    if not path.exists():
        raise UserError(f"{path}: there is no such picture, folder or video")
    return [path] if path.suffix.lower() in KINDS else None


def _project_file(options, file, projector, where, own):
    """Project one picture, unless that was done; return (its latent's file, the picture [1, 3, H, W])."""
    from engine import kept
    from engine.kept import Kept
    from engine.kept.made import make_thumbnail, to_light

    target = pathlib.Path(options.output) if options.output else where / f"{_name(options, file)}.safetensors"
    recipe, light = _make_recipe(options, file), to_light(read_still(file))
    if target.exists() and _is_done(target, recipe):
        sys.stdout.write(f"{target}: there already\n")
        return target, light
    found = projector.project(light, options.steps, options.space, _tell if options.progress else None, options.noise)
    kept.save(target, Kept(found.ws, recipe | {"psnr": round(found.psnr[0], 2)}, own, found.noise, make_thumbnail(projector.cut(light)).cpu()))
    _write_sheet(options, found, target)
    sys.stdout.write(f"{target}: {found.psnr[0]:.1f} dB in {options.space}\n")
    sys.stdout.flush()
    return target, light


def _tune_file(options, target, projector, light, where):
    """Make an edit of what a kept latent lacks to its picture, unless that was done; its sheet is beside it."""
    from engine import kept
    from engine.directions.statistics import sample_w
    from engine.projection.losses import measure_psnr
    from engine.projection.tune import Pace
    from live.instrument.tuning import tune_kept

    one, goal, path = kept.load(target), projector.prepare(light), where / f"{target.stem}.safetensors"
    edit, new = tune_kept(projector, one, goal, path, Pace(options.tune, options.tune_steps, options.seed), _tell if options.progress else None)
    if not new:
        sys.stdout.write(f"{path}: there already\n")
        return
    noise = {layer: maps.to(goal.device) for layer, maps in one.noise.items()}
    before, at_one, above = (projector.draw_edited(one.ws.to(goal.device), edit, strength, noise) for strength in (0.0, 1.0, 2.0))
    other = sample_w(projector.generator, 1, 77)[1][:, None]
    others = [projector.draw_edited(other, edit, strength) for strength in (0.0, 1.0)]
    _save_row(options, path, (goal, before, at_one, above, *others), ("picture", "0", "1", "2", "a seed", "a seed, 1"))
    gained = [float(measure_psnr(picture, goal)[0]) for picture in (before, at_one)]
    moved = float((others[1] - others[0]).abs().mean())
    sys.stdout.write(f"{path}: {gained[0]:.1f} -> {gained[1]:.1f} dB at strength 1; another seed moves by {moved:.3f} of 2\n")
    sys.stdout.flush()


def _project_film(options, path, projector, where, own):
    """Project each frame of a film, in w, into one sequence."""
    from engine import kept
    from engine.kept import Kept
    from engine.kept.made import make_thumbnail, to_light
    from engine.projection.film import project_film
    from engine.projection.find import join_projected

    if options.space != "w" or options.noise or options.tune:
        given = f"--space {options.space}" if options.space != "w" else "--noise" if options.noise else "--tune"
        raise UserError(f"{given}: the frames of a video are projected in w alone, so that they go on from one to the next")
    target = pathlib.Path(options.output) if options.output else where / f"{_name(options, path)}.safetensors"
    recipe = _make_recipe(options, path) | {"every": options.every, "frames": options.frames}
    if target.exists() and _is_done(target, recipe):
        sys.stdout.write(f"{target}: there already\n")
        return
    parts = []
    for one in project_film(projector, (to_light(pixels)[0] for pixels in _list_frames(options, path)), options.steps):
        parts.append(one)
        if options.progress:
            _tell({"stage": "film", "done": len(parts), "of": options.frames or 0})
    if not parts:
        raise UserError(f"{path}: there is no picture in it that can be decoded")
    found = join_projected(parts)
    kept.save(target, Kept(found.ws, recipe | {"psnr": round(sum(found.psnr) / len(found.psnr), 2)}, own, picture=make_thumbnail(found.target[:1])))
    _write_sheet(options, found, target)
    sys.stdout.write(f"{target}: {len(found.ws)} frames, {sum(found.psnr) / len(found.psnr):.1f} dB\n")


def _list_frames(options, path):
    """Yield every Nth frame of a film, as many as were asked for."""
    film = Video(str(path), LONGEST)
    for number in itertools.islice(itertools.count(0, options.every), options.frames):
        try:
            yield film.at(number)
        except KeyError:
            return


def _make_recipe(options, file) -> dict:
    """Return what a latent is made of and how, as plain data."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    return {"made": "projected", "source": file.name, "picture": digest, "space": options.space, "steps": options.steps, "size": options.size,
            "loss": options.loss, "seed": options.seed, "noise": options.noise,
            "keep_close": options.keep_close}


def _is_done(target, recipe) -> bool:
    """Return whether a file holds what this recipe makes."""
    from engine import kept

    try:
        made = {"noise": False, "keep_close": 0.0} | kept.load(target).recipe
    except UserError:
        return False
    return {key: made.get(key) for key in recipe} == recipe


def _name(options, file) -> str:
    return check_name(options.name or make_name(file.stem), "kept latent")


def _tell(event):
    sys.stderr.write(json.dumps(event) + "\n")
    sys.stderr.flush()


def _write_sheet(options, found, target):
    """Write the picture, where it began and what was found, side by side."""
    import numpy as np

    from engine.clustering.sheet import tile_rows, to_cells

    rows = [[to_cells(part[n:n + 1]) for part in (found.target, found.start, found.shown)] for n in range(min(len(found.ws), 6))]
    _save_sheet(options, target, tile_rows([np.concatenate(row) for row in rows]), ("picture", "start", "found"))


def _save_row(options, target, pictures, captions):
    import numpy as np

    from engine.clustering.sheet import tile_rows, to_cells

    _save_sheet(options, target, tile_rows([np.concatenate([to_cells(picture) for picture in pictures])]), captions)


def _save_sheet(options, target, pixels, captions):
    if options.sheets != "none":
        folder = pathlib.Path(options.sheets) if options.sheets else target.parent
        sheets.save_sheet(folder / f"{target.stem}.png", sheets.draw_captions(pixels, captions))
