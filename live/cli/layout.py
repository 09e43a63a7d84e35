"""Write a ready surface for TouchOSC, Open Stage Control or Chataigne from what an instrument can do.

    python run_live.py layout touchosc -o masks.tosc
    python run_live.py layout openstagecontrol -o masks.json
    python run_live.py layout chataigne -o masks.noisette
"""
import pathlib
import sys

from engine.files import whole
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.surface.layouts import LAYOUTS


def arguments(parser):
    parser.add_argument("program", choices=tuple(LAYOUTS), help="for which program")
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose parameters")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write")


def run(options):
    written = LAYOUTS[options.program](opening.open_instrument(options.instrument, device="cpu").scene.parameters)
    path = pathlib.Path(options.output)
    with whole(path) as temporary:
        temporary.write_bytes(written if isinstance(written, bytes) else written.encode())
    sys.stdout.write(f"{path}: for {options.program}\n")
    return 0
