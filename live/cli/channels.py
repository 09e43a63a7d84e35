"""Find single styles of the network (StyleSpace channels) that change one part of the picture and little else, and put them on faders.

    python run_live.py channels --instrument presets/masks

Reads the instrument's parts.yaml and writes channels.yaml beside it: each of its channels is a fader /channels/NAME/amount.
"""
from engine.errors import UserError
from live.cli import add_device, write_json_line
from live.instrument import folder as instruments
from live.instrument.found import CHANNELS
from live.instrument.places import parts_of


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose")
    add_device(parser)
    parser.add_argument("--each", type=int, default=3, metavar="N", help="channels of each part at most (3)")
    parser.add_argument("--samples", type=int, default=4, metavar="N", help="seeds that are looked at (4)")
    parser.add_argument("--seed", type=int, default=0, help="which seeds")
    parser.add_argument("-o", "--output", metavar="FILE.yaml", help="where to write; default: the instrument's folder")


def run(options):
    from engine import channels, checkpoints, device
    from engine.channels.find import find

    for name in ("each", "samples"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} {getattr(options, name)}: expected 1 or more")
    folder = instruments.find(options.instrument)
    generator = checkpoints.load(folder.generator, device.choose(options.device)).eval().requires_grad_(False)
    parts = parts_of(folder.folder, generator)
    if parts is None:
        raise UserError(f"{folder.folder}: no parts.yaml; `run_live.py parts` makes one")
    found = find(generator, parts, options.each, options.samples, options.seed, write_json_line)
    if not found.entries:
        raise UserError(f"{folder.folder}: no single style of this network keeps to a part")
    path = channels.save(options.output or folder.folder / CHANNELS, found)
    for one in found.entries:
        write_json_line({"name": one.name, "layer": one.layer, "channel": one.channel, "share": one.share})
    write_json_line({"stage": "written", "file": str(path), "channels": len(found.entries)})
