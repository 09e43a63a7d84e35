"""List the instruments that are here and the public networks that are known, or add one.

    python run_live.py instruments
    python run_live.py instruments add network.pkl --name flowers
    python run_live.py instruments add cat
    python run_live.py instruments add https://example.org/network.pkl

`add` takes a file, a web address or a name of presets/catalogue.yaml. It makes an instrument's folder of it, with directions, clusters, a look and ten
seeds as presets. Nothing is fetched unless you name it here; what is fetched goes on where it was cut off, and executes nothing.
"""
import pathlib
import sys

from engine.errors import UserError
from live.cli import add_device
from live.files.names import check_name
from live.instrument import catalogue
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.instrument.analyse import analyse
from live.instrument.found import choose_folder


def arguments(parser):
    parser.add_argument("what", nargs="*", metavar="add FILE|URL|NAME", help="nothing: list them")
    parser.add_argument("--name", metavar="NAME", help="what it is called; default: as the file")
    parser.add_argument("--into", metavar="FOLDER", help="where instruments are put; default: in your cache folder, where /instrument/open finds them by name")
    parser.add_argument("--link", action="store_true", help="leave a file where it is instead of copying it")
    parser.add_argument("--samples", type=int, metavar="N", help="pictures at most that are looked at")
    add_device(parser)
    parser.add_argument("--no-analysis", action="store_true", help="leave the directions, clusters and look to the first show")


def run(options):
    into = pathlib.Path(options.into) if options.into else catalogue.find_own_folder()
    if not options.what:
        return _list(into)
    if options.what[0] != "add" or len(options.what) != 2:
        raise UserError(f"instruments {' '.join(options.what)}: expected nothing, or add and one FILE, URL or NAME")
    _add(options, options.what[1], into)


def _list(into):
    here = [*instruments.list_built_in(), *sorted(str(path.parent) for path in into.glob("*/instrument.yaml"))]
    sys.stdout.write("here:\n" + "".join(f"  {path}\n" for path in here) + "public, for `instruments add NAME`; the licence is the author's word:\n")
    for one in catalogue.read_catalogue():
        sys.stdout.write(f"  {one.name}: {one.about}; {one.author}; licence: {one.licence}\n")


def _add(options, what, into):
    known = {one.name: one for one in catalogue.read_catalogue()}
    path, found = pathlib.Path(what), known.get(what)
    if not path.exists() and found is None and "://" not in what:
        raise UserError(f"{what}: no such file, and no name of the catalogue; there are: {', '.join(known)}")
    if options.samples is not None and options.samples < 8:
        raise UserError(f"--samples {options.samples}: expected 8 or more")
    url = "" if path.exists() else found.url if found else what
    if url and not url.startswith(("http://", "https://")):
        raise UserError(f"{url}: expected http:// or https://")
    name = check_name(options.name or (what if found and url else catalogue.choose_name(what)), "instrument")
    folder = into / name
    if (folder / "instrument.yaml").exists():
        raise UserError(f"{folder}: there is an instrument of that name already; --name gives it another")
    if url:
        path = catalogue.fetch(url, folder / (pathlib.Path(url.split("?")[0]).name or "network.pkl"), found.sha256 if found else "", _tell)
        sys.stderr.write("\n")
    catalogue.make_instrument(path, folder, found.author if found and url else "", found.licence if found and url else "", options.link)
    opened = opening.open_instrument(folder, device=options.device)
    if not options.no_analysis:
        encoder = opened.instrument.live_encoder
        analyse(opened.instrument.generator, choose_folder(folder, opened.generator), None, options.samples, encoder and encoder.encoder)
    catalogue.store_seeds(opened)
    sys.stdout.write(f"{folder}: play it with --instrument {folder}, or during a show with /instrument/open {name}\n")


def _tell(done, of):
    sys.stderr.write(f"\r{done >> 20} of {of >> 20} MB" if of else f"\r{done >> 20} MB")
