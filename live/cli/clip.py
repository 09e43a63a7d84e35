"""Make a music video of a song: its sections change presets, its beats and hits move the picture. The performance is kept as a take.

    python run_live.py clip song.flac -o song.mp4
    python run_live.py clip song.flac -o song.mp4 --presets awake shatter dream --fps 60

The take lies beside the video under the same name: play over it with /take/play, and render it again.
"""
import pathlib

from engine.errors import UserError
from live.cli import add_device, parse_size
from live.files.paths import find_path, prepare_file
from live.instrument import folder as instruments
from live.instrument import open as opening

LIBRARIES = ("rich",)


def arguments(parser):
    parser.add_argument("song", help="the song: any sound file, or a video's sound")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=".mp4, .mkv or .mov")
    parser.add_argument("--presets", nargs="+", default=[], metavar="NAME", help="presets to go through, section by section; default: all of the instrument")
    parser.add_argument("--listen", default="ahead", choices=("live", "ahead"), help="ahead (default): knowing all of the song; live: as a show would hear it")
    parser.add_argument("--mapping", metavar="FILE", nargs="+", default=[], help="mapping files: their bindings of `audio kick` and so on play too")
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="what to play it on")
    parser.add_argument("--size", type=parse_size, metavar="N", help="picture size; default: the network's own")
    parser.add_argument("--fps", type=float, default=30.0, metavar="N", help="frames a second (30)")
    parser.add_argument("--take-only", action="store_true", help="only make the take, to be played over")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads for the network; default: all cores")
    add_device(parser)


def run(options):
    from live.audio.offline import analyse_file
    from live.outputs.recorder import CONTAINERS
    from live.takes.clip import check_names, play_song

    target, song = pathlib.Path(options.output), str(find_path(options.song))
    if target.suffix not in CONTAINERS:
        raise UserError(f"-o {target}: expected a name ending in {', '.join(CONTAINERS)}")
    if not 1 <= options.fps <= 1000:
        raise UserError(f"--fps {options.fps:g}: expected 1 to 1000")
    prepare_file(target, "-o")
    take = target.with_suffix(".take")
    for path in (target, take):
        if path.exists():
            raise UserError(f"{path}: there is one of that name already; choose another")
    heard = analyse_file(song, options.listen)
    opened = opening.open_instrument(options.instrument, options.size, options.device, options.threads, nearest=True)
    check_names(options.presets, opened.open_library())
    play_song(opened, heard, take, options.presets, options.fps, [str(find_path(path)) for path in options.mapping])
    if not options.take_only:
        _render(options, opened, take, song)


def _render(options, opened, path, song):
    from rich.console import Console
    from rich.progress import Progress

    from live.takes.render import render
    from live.takes.sound import Sound
    from live.takes.take import TakeReader

    take = TakeReader(path, opened.instrument.scene(), opened.generator, opened.instrument.bend)
    with Progress(console=Console(stderr=True)) as display:
        bar = display.add_task(f"rendering {options.output}")
        render(take, opened.instrument, options.output, options.size, options.fps, False, Sound(song),
               lambda done, total: display.update(bar, completed=done, total=total))
