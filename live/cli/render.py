"""Render a recorded take to a video or to pictures, at any size and frame rate.

    python run_live.py render evening.take -o evening.mp4 --size 1024 --fps 60
    python run_live.py render evening.take -o frames/ --lossless
    python run_live.py render evening.take -o evening.mp4 --audio song.flac --listen

Without --fps the frames are those of the show, bit for bit. An interrupted render goes on where it was.
"""
import pathlib
from typing import Any

from engine.architecture import PRECISIONS
from live.cli import parse_size
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.show.clock import cost
from live.sources import flags as seeing

LIBRARIES = ("rich",)


def arguments(parser):
    parser.add_argument("take", help="the take to render")
    parser.add_argument("-o", "--output", required=True, metavar="FILE|FOLDER", help=".mkv, .mp4, .mov, or a folder for PNG pictures")
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="what to play it on")
    parser.add_argument("--size", type=parse_size, metavar="N", help="picture size; default: the network's own")
    parser.add_argument("--frame", metavar="W:H", help="the pictures' shape, such as 16:9; default: the take's own")
    parser.add_argument("--fps", type=float, metavar="N", help="evenly spaced frames at this rate")
    parser.add_argument("--lossless", action="store_true", help="keep every bit of every pixel")
    parser.add_argument("--audio", metavar="FILE", help="sound to put beside the pictures: any sound file, or a video's")
    parser.add_argument("--audio-offset", type=float, default=0.0, metavar="S", help="seconds after the first picture that the sound begins; below 0: into it")
    parser.add_argument("--listen", nargs="?", const="live", choices=("live", "ahead"),
                        help="hear the sound of --audio instead of what was heard in the show; ahead: knowing all of it beforehand")
    parser.add_argument("--source", metavar="SOURCE", help="the take's source, if it is not where it was")
    parser.add_argument("--encoder", metavar="FILE", help="the encoder the take was played with; default: the instrument's own")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads for the network; default: all cores")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32",
                        help="numbers the network is computed in (fp32): the same bits on every run; auto: as fast as the show")
    parser.add_argument("--device", help="cpu, cuda, mps; default: the best there is")


def run(options):
    from rich.console import Console
    from rich.progress import Progress

    from live.takes.render import render
    from live.takes.sound import Sound
    from live.takes.take import TakeReader, origin_in, read_header

    target = pathlib.Path(options.output)
    prepare_file(target if target.suffix else target / "render.json", "-o")
    frame = options.frame if options.frame is not None else origin_in(read_header(options.take)).frame
    opened = opening.open_instrument(options.instrument, options.size, options.device, options.threads, options.encoder, nearest=True, frame=frame)
    opened.instrument.use_precision(options.precision, cost)
    take: Any = TakeReader(options.take, opened.instrument.scene(), opened.generator, opened.instrument.bend)
    take.source = seeing.again(take, opened.instrument, options.source)
    if options.listen:
        from live.takes.listened import listen

        take = listen(take, options.audio, options.listen, options.audio_offset)
    sound = Sound(options.audio, options.audio_offset) if options.audio else None
    with Progress(console=Console(stderr=True)) as display:
        bar = display.add_task(f"rendering {options.output}")
        render(take, opened.instrument, options.output, options.size, options.fps, options.lossless, sound,
               lambda done, total: display.update(bar, completed=done, total=total))
