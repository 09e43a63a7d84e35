"""Convert a checkpoint of any format to our own safetensors, edits made part of it if you like.

    python run_live.py convert network.pkl -o network.safetensors
    python run_live.py convert presets/masks -o blank.safetensors --bake-edits no-mouth=1 no-nose=0.5
"""
import pathlib
import sys

from engine.errors import UserError
from live.files.paths import prepare_file
from live.instrument import folder as instruments


def arguments(parser):
    parser.add_argument("source", help="rosinality .pt, NVIDIA .pkl (PyTorch or TensorFlow), our .safetensors, or an instrument's folder")
    parser.add_argument("-o", "--output", required=True, help="the .safetensors to write")
    parser.add_argument("--dtype", choices=("float16", "float32"), default="float32", help="how weights are stored")
    parser.add_argument("--bake-edits", metavar="NAME=STRENGTH", nargs="+", default=[],
                        help="edits of the instrument (or an edit's file) that become part of the weights")


def run(options):
    from engine import checkpoints

    prepare_file(options.output, "-o")
    source = pathlib.Path(options.source)
    found = instruments.find(source) if source.is_dir() else None
    network = found.generator if found else source
    edits = [_find_edit(text, [found.folder if found else source.with_suffix(""), network.parent]) for text in options.bake_edits]
    summary = checkpoints.convert(network, options.output, options.dtype, edits)
    sys.stdout.write(f"{summary}\nwritten to {options.output}\n")


def _find_edit(text: str, folders):
    """Return (Edit, strength) of "NAME=STRENGTH": a name in one of the folders' edits, or the path of a file."""
    from engine import rewriting

    name, equals, number = text.rpartition("=")
    try:
        strength = float(number)
    except ValueError:
        strength = float("nan")
    if not equals or not name or not abs(strength) <= 1000:
        raise UserError(f"--bake-edits {text}: expected NAME=STRENGTH, such as no-mouth=1")
    if name.endswith(".safetensors"):
        return rewriting.load(name), strength
    places = [folder / "edits" / f"{name}.safetensors" for folder in folders]
    if there := [place for place in places if place.exists()]:
        return rewriting.load(there[0]), strength
    names = sorted({path.stem for folder in folders for path in (folder / "edits").glob("*.safetensors")})
    raise UserError(f"--bake-edits {text}: there is no such edit; there are: {', '.join(names) or 'none'}")
