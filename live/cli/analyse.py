"""Find out what a network can do: directions, clusters and its look, as a show does by itself the first time it opens one.

    python run_live.py analyse --instrument my_network.pkl

Writes directions.safetensors, clusters.yaml and look.safetensors, those that are not there yet, beside the instrument, or in the user's cache
folder where that can't be written. Each stage is a line of JSON.
"""
from pathlib import Path

from engine.errors import UserError
from live.cli import add_device, write_json_line
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.instrument.analyse import analyse
from live.instrument.found import choose_folder
from live.show.beside import stay_beside


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose")
    add_device(parser)
    parser.add_argument("--checkpoint", metavar="FILE", help="its network alone, whatever it belongs to; with -o")
    parser.add_argument("--encoder", metavar="FILE", help="by which its look sees; default: the instrument's own")
    parser.add_argument("--samples", type=int, metavar="N", help="pictures at most that are looked at")
    parser.add_argument("-o", "--output", metavar="FOLDER", help="where to write; default: the instrument's own")


def run(options):
    from engine import checkpoints
    from engine import device as devices

    if options.samples is not None and options.samples < 8:
        raise UserError(f"--samples {options.samples}: expected 8 or more")
    if options.checkpoint:                               # as a show asks for it
        stay_beside(idle=True)
    devices.use_threads(1 if options.checkpoint else None)
    folder = instruments.find(options.checkpoint or options.instrument)
    try:
        generator = checkpoints.load(folder.generator, devices.choose(options.device)).eval().requires_grad_(False)
        where = Path(options.output) if options.output else choose_folder(folder.folder, checkpoints.generator_hash(generator))
        last = [""]
        encoder = opening.load_encoder(folder, generator, options.encoder)
        written = analyse(generator, where, lambda event: _tell(event, last), options.samples, encoder)
    except UserError as error:
        write_json_line({"stage": "failed", "text": str(error)})
        raise
    write_json_line({"stage": "written", "files": [str(path) for path in written]})


def _tell(event, last):
    """Write an event where its stage differs from the last one written, or at every tenth of the way."""
    key = f"{event.get('layer', '')} {event['stage']} {10 * event['done'] // max(event['of'], 1)}"
    if key != last[0]:
        last[0] = key
        write_json_line(event)
