"""Render a recorded take to a video or to pictures, at any size and frame rate; or a still of a show again.

    python run_live.py render evening.take -o evening.mp4 --size 1024 --fps 60
    python run_live.py render evening.take -o frames/ --lossless
    python run_live.py render evening.take -o evening.mp4 --audio song.flac --listen
    python run_live.py render takes/Masks-001.png --size 1024

Without --fps the frames are those of the show, bit for bit. An interrupted render goes on where it was.
--workers 4 draws in four processes, --ray ADDRESS on a Ray cluster.
"""
import dataclasses
import pathlib

from engine.architecture import PRECISIONS
from engine.errors import UserError
from live.cli import add_device, parse_size
from live.files.paths import prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.show.clock import measure_cost

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
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads for the network; default: all cores, for each of several workers one")
    parser.add_argument("--workers", type=int, metavar="N", help="so many processes draw; one that dies costs the part it was at. The same frames as "
                        "--threads 1 (or what --threads says) gives without")
    parser.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster draws (HOST:PORT, auto, or local), --workers of it; needs requirements-ray.txt")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32",
                        help="numbers the network is computed in (fp32): the same bits on every run; auto: as fast as the show")
    add_device(parser)


def run(options):
    from engine.device import repeat_exactly
    from live.takes.still import is_still

    repeat_exactly()
    if is_still(options.take):
        _render_still(options)
    elif not options.output:
        raise UserError("render: where to? -o FILE.mp4, or a folder for pictures")
    else:
        _render_take(options)


def _render_still(options):
    """Draw a still again."""
    from live.takes.still import StillReader, read_still_header, write_picture
    from live.takes.take import read_origin

    origin = read_origin(read_still_header(options.take))
    frame = options.frame if options.frame is not None else origin.frame
    size = options.size or origin.size or None
    opened = opening.open_instrument(options.instrument, size, options.device, options.threads, options.encoder, nearest=True, frame=frame)
    opened.instrument.use_precision(options.precision, measure_cost)
    still = StillReader(options.take, opened.instrument.scene(), opened.generator, opened.instrument.bend)
    path = pathlib.Path(options.take)
    target = pathlib.Path(options.output) if options.output else path.with_name(f"{path.stem}-{size or opened.instrument.size}.png")
    if target.suffix.lower() != ".png":
        raise UserError(f"-o {target}: expected a name ending in .png: a still is one picture")
    prepare_file(target, "-o")
    pixels, drawn = still.draw(opened.instrument), opened.instrument.size
    write_picture(pixels, target, tuple(side * (size or drawn) // drawn for side in pixels.shape[:2]))


def _render_take(options):
    from live.takes.opening import RenderOptions, open_job
    from live.takes.render import render_job
    from live.takes.sound import Sound

    target = pathlib.Path(options.output)
    prepare_file(target if target.suffix else target / "render.json", "-o")
    own = pathlib.Path(f"{options.take}.wav")
    if options.audio is None and own.is_file() and target.suffix:
        options.audio = str(own)                         # what was heard, recorded beside the take
    wanted = RenderOptions(**{field.name: getattr(options, field.name) for field in dataclasses.fields(RenderOptions)})
    if options.workers is not None and options.workers < 1:
        raise UserError(f"--workers {options.workers}: expected 1 or more")
    if options.workers or options.ray:
        wanted = dataclasses.replace(wanted, threads=options.threads or 1, output=str(target.resolve()), take=str(pathlib.Path(options.take).resolve()))
    job = open_job(wanted)
    sound = Sound(options.audio, options.audio_offset) if options.audio else None
    with _Display(options.output) as display:
        render_job(job, sound, display.show_frames, _hire(options, wanted, display.tell))


def _hire(options, wanted, tell):
    """Return those who draw, None: this process does it itself."""
    if options.ray:
        from live.takes.ray_farm import RayCrew

        return RayCrew(wanted, options.ray, options.workers, tell)
    if options.workers:
        from live.takes.farm import LocalCrew

        return LocalCrew(wanted, options.workers, tell)
    return None


class _Display:
    """The progress of a render: a bar for all of it, and what each worker is at."""

    def __init__(self, name):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True))
        self._bar, self._workers = self._progress.add_task(f"rendering {name}"), {}
        self._name = name

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *error):
        self._progress.stop()

    def show_frames(self, done, total):
        """Show how many frames are drawn."""
        self._progress.update(self._bar, completed=done, total=total)

    def tell(self, worker, text):
        """Show what a worker is at, behind the name of what is rendered."""
        self._workers[worker] = text
        told = "; ".join(f"{name}: {what}" for name, what in sorted(self._workers.items()) if what != "done")
        self._progress.update(self._bar, description=f"rendering {self._name}{f' ({told})' if told else ''}")
