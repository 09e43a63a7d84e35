"""Render a recorded take to a video or to pictures, at any size and frame rate; or a still of a show again.

    python run_live.py render evening.take -o evening.mp4 --size 1024 --fps 60
    python run_live.py render evening.take -o frames/ --lossless
    python run_live.py render evening.take -o evening.mp4 --audio song.flac --listen
    python run_live.py render takes/Masks-001.png --size 1024

Without --fps the frames are those of the show, bit for bit. An interrupted render goes on where it was.
"""
import pathlib
from typing import Any

from engine.architecture import PRECISIONS
from engine.errors import UserError
from live.cli import parse_size
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.show.clock import cost
from live.sources import flags as seeing

LIBRARIES = ("rich",)


def arguments(parser):
    parser.add_argument("take", help="the take, or the still that /still wrote")
    parser.add_argument("-o", "--output", metavar="FILE|FOLDER", help=".mkv, .mp4, .mov, or a folder for PNG pictures; of a still: .png (NAME-SIZE.png)")
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
    from live.takes.still import is_still

    if is_still(options.take):
        _render_still(options)
    elif not options.output:
        raise UserError("render: where to? -o FILE.mp4, or a folder for pictures")
    else:
        _render_take(options)


def _render_still(options):
    """Draw a still again."""
    from live.takes.still import StillReader, read_still_header, write_picture
    from live.takes.take import origin_in

    origin = origin_in(read_still_header(options.take))
    frame = options.frame if options.frame is not None else origin.frame
    size = options.size or origin.size or None
    opened = opening.open_instrument(options.instrument, size, options.device, options.threads, options.encoder, nearest=True, frame=frame)
    opened.instrument.use_precision(options.precision, cost)
    still = StillReader(options.take, opened.instrument.scene(), opened.generator, opened.instrument.bend)
    path = pathlib.Path(options.take)
    target = pathlib.Path(options.output) if options.output else path.with_name(f"{path.stem}-{size or opened.instrument.size}.png")
    if target.suffix.lower() != ".png":
        raise UserError(f"-o {target}: expected a name ending in .png: a still is one picture")
    prepare_file(target, "-o")
    pixels, drawn = still.draw(opened.instrument), opened.instrument.size
    write_picture(pixels, target, tuple(side * (size or drawn) // drawn for side in pixels.shape[:2]))


def _render_take(options):
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
    own = pathlib.Path(f"{options.take}.wav")
    if options.audio is None and own.is_file() and target.suffix:
        options.audio = str(own)                         # what was heard, recorded beside the take
    if options.listen:
        from live.takes.listened import listen

        take = listen(take, options.audio, options.listen, options.audio_offset)
    sound = Sound(options.audio, options.audio_offset) if options.audio else None
    with Progress(console=Console(stderr=True)) as display:
        bar = display.add_task(f"rendering {options.output}")
        render(take, opened.instrument, options.output, options.size, options.fps, options.lossless, sound,
               lambda done, total: display.update(bar, completed=done, total=total))
