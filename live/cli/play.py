"""Play an instrument live: frames to a window, driven by OSC, MIDI and the keyboard.

    python run_live.py
    python run_live.py --instrument ffhq.pkl --size 512 --osc-port 9000
    python run_live.py --list-parameters
"""
import collections
import contextlib
import json
import logging
import sys
from dataclasses import replace
from functools import partial

from engine.architecture import PRECISIONS
from engine.compiled.build import compile_ahead
from engine.errors import UserError
from engine.files import write_text
from engine.frame import parse_ratio, ratio_text
from engine.lean_torch import import_torch
from live import controls
from live.cli import add_device, parse_size
from live.doctor.start import warn_of_idle_card
from live.files.claims import claim
from live.files.paths import find_path, prepare_file
from live.instrument import addresses
from live.instrument import folder as instruments
from live.instrument import open as opening
from live.instrument.joining import make_players
from live.mapping import files as mapping_file
from live.mapping import learn
from live.mapping.macros import Macros, label
from live.mapping.mapping import Mapping
from live.osc import service as osc_service
from live.outputs import service as output_service
from live.presets.autosave import EVERY, WATCHED, resume
from live.presets.recall import Recall
from live.processes import show as processes
from live.show import garbage, journal
from live.show.clock import Pace, WallClock, limit_ticks, measure_cost
from live.show.ending import Ending, handle_signals
from live.show.governor import Governor
from live.show.loop import Show
from live.show.meter import measure_peak_memory
from live.show.tempo import Tempo
from live.show.threads import end_thread, make_thread
from live.show.touch import Touches
from live.sources import flags as seeing
from live.stage import service as stage_service
from live.surface import service as surface_service
from live.takes.looper import Looper
from live.takes.recording import Recording
from live.takes.take import Origin, TakeReader, read_header, read_origin
from live.weights.weights import Weights

log = logging.getLogger(__name__)
FASTEST = 1000                      # frames a second that may be asked for; at less than one, no key would seem to be heard
DRAWING = ("torch", "live.cli.play", "engine.instrument", "engine.fast.precision", "engine.checkpoints", "engine.encoder", "engine.reader", "engine.world",
           "engine.clusters", "PIL.Image", "uvicorn", "live.surface.server", "pythonosc.osc_message", "mido", "zeroconf")       # what a renderer imports
CLOSING = 2.0                       # seconds the show may take to end once it was told to


def arguments(parser):
    show = parser.add_argument_group("what is played")
    show.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN),
                      help="an instrument's folder, or a StyleGAN2 checkpoint of any format")
    show.add_argument("--preset", metavar="NAME", help="the preset to begin with")
    show.add_argument("--resume", action="store_true", help="begin with the scene the last show ended with")
    show.add_argument("--bends", metavar="FILE.yaml", help="a network-bending configuration to begin with")
    show.add_argument("--quirk", action="append", default=[], choices=opening.QUIRKS, help="read --bends as the published tool did, quirk by quirk")
    show.add_argument("--replay", metavar="FILE", help="play a recorded take instead of listening to hands")
    hands = parser.add_argument_group("hands")
    hands.add_argument("--mapping", metavar="FILE", nargs="+", default=[], help="mapping files, beside the keyboard's and the generic MIDI one")
    hands.add_argument("--learn", metavar="ADDRESS", nargs="+", default=[],
                       help="bind the controls that move next to these, one by one; /mapping/save keeps them")
    controls.add_arguments(hands)
    surface_service.add_arguments(parser.add_argument_group("the page"))
    seeing.add_arguments(parser.add_argument_group("the source"))
    eyes = parser.add_argument_group("eyes")
    output_service.add_arguments(eyes)
    eyes.add_argument("--size", type=parse_size, metavar="N", help="render at this resolution instead of the network's own")
    eyes.add_argument("--frame", metavar="W:H", default="", help="continue the picture to another shape, such as 16:9, 21:9, 9:16 or 4:1")
    eyes.add_argument("--fps", type=float, default=30.0, metavar="N", help="frames a second to aim for (30)")
    rest = parser.add_argument_group("the rest")
    rest.add_argument("--frames", type=int, metavar="N", help="stop after so many frames")
    rest.add_argument("--seconds", type=float, metavar="S", help="stop after so many seconds")
    rest.add_argument("--take", metavar="FILE", help="record the performance to this file")
    stage_service.add_arguments(rest)
    rest.add_argument("--report", metavar="FILE.json", help="write how it went: fps, late frames, latency, memory")
    add_device(rest)
    rest.add_argument("--precision", choices=PRECISIONS, default="auto",
                      help="numbers the network is computed in; auto: half precision where it is faster here and the pictures stay the same to the eye")
    rest.add_argument("--threads", type=int, metavar="N", help="CPU threads for the network; default: all cores")
    rest.add_argument("--tune", action="store_true",
                      help="measure at the start which form of each layer is fastest on this machine; takes may then differ in the last bit elsewhere")
    rest.add_argument("--throughput", action="store_true",
                      help="on a GPU: hand out each frame while the next is drawn, for more frames a second, one frame later")
    rest.add_argument("--no-analysis", action="store_true", help="do not look for directions and clusters of a network that has none, beside the show")
    rest.add_argument("--verbose", action="store_true", help="log more")
    rest.add_argument("--list-parameters", action="store_true", help="print every address there is and exit")
    rest.add_argument("--json", action="store_true", help="with --list-parameters: as JSON")
    rest.add_argument("--page", action="store_true", help="with --list-parameters: as the page of the docs")


def run(options):
    stage_service.prepare(options)
    _check(options)
    options.mapping = [str(find_path(path)) for path in options.mapping]
    for flag in ("bends", "replay"):
        if path := getattr(options, flag):
            setattr(options, flag, str(find_path(path)))
    for flag, path in (("--report", options.report), ("--take", options.take)):
        if path:
            prepare_file(path, flag)
    specs = output_service.read_specs(options)
    if not options.list_parameters and not options.single_process and any(map(output_service.is_apart, specs)):
        keys = Mapping.load(options.mapping).list_keys()         # hands may press keys before the renderer is there
        return processes.run(options, [replace(spec, keys=keys) for spec in specs], play, DRAWING)
    return play(options, specs)


def play(options, specs, shared=None) -> int:
    """Play the show in this process; returns the exit status. shared: the output to all outputs of other processes."""
    make_thread("compiler", compile_ahead).start()       # at a first start; it takes as long as the import of torch
    import_torch()
    from engine.fast.precision import default_folder

    ending = Ending()
    if not options.list_parameters:
        handle_signals(ending)
    frame = options.frame or (read_origin(read_header(options.replay)).frame if options.replay else "")
    opened = opening.open_instrument(options.instrument, options.size, options.device, options.threads, options.encoder, frame=frame)
    opened.instrument.use_precision(options.precision, measure_cost, default_folder())
    opened.instrument.ahead = int(options.throughput)
    if options.bends:
        opened = replace(opened, scene=opening.add_bends(opened, options.bends, options.quirk))
    if options.list_parameters:
        written = addresses.to_json if options.json else addresses.to_page if options.page else addresses.to_text
        sys.stdout.write(written(opened.scene))
        return 0
    with contextlib.ExitStack() as closing:
        closing.callback(journal.start_log(options.verbose))
        if options.device is None and str(opened.instrument.device) == "cpu":
            warn_of_idle_card()
        return _play(options, opened, closing, specs, shared, ending)


def _check(options):
    for name in ("fps", "seconds", "frames", "threads", "size"):
        value = getattr(options, name)
        if value is not None and not value > 0:
            raise UserError(f"--{name} {value}: expected a number above 0")
    if not 1 <= options.fps <= FASTEST:
        raise UserError(f"--fps {options.fps:g}: expected 1 to {FASTEST}")
    if options.frame:
        parse_ratio(options.frame)
    if options.replay and options.take:
        raise UserError("--replay with --take: what a take plays is in its file already; /take/play NAME in a show that records lays hands over it")
    controls.check_flags(options)
    surface_service.check_token(options)


def _play(options, opened, closing, specs, shared, ending):
    mapping = Mapping.load(options.mapping, macros=opened.folder.macros)
    show = Show(opened.instrument, mapping, label(opened.scene, mapping.macros))
    ending.attach(show.stop)
    mapping.tell = show.notices.tell
    closing.callback(show.notices.listen())
    for doubt in (doubt for path in options.mapping for doubt in mapping_file.find_doubts(path, show.scene)):
        log.warning("%s", doubt)
    for address in options.learn:
        mapping.learn.begin(learn.find_target(address, show.scene))
        log.info("learn: move the control that is to play %s", address)
    governor = Governor(show, options.fps, opened.instrument.sizes)
    weights = Weights(show, opened.offer)
    show.join(macros=Macros(show), recording=Recording(show, origin=_origin(options, opened)), looper=Looper(show), recall=Recall(show, opened.open_library()),
              weights=weights, governor=governor, touches=Touches(show), tempo=Tempo(show), **make_players(show, opened, options))
    closing.callback(show.close)
    clock = WallClock(options.fps)
    stage_service.join_stage(show, closing, opened.folder.folder, late=lambda: clock.late, unattended=options.unattended)
    window = output_service.open_outputs(show, specs, closing, shared, options.instrument)
    _begin(options, opened, show, EVERY if shared is None else WATCHED)
    watching = _open_source(options, show, closing)
    surface = _start_surface(options, opened, show, clock, closing)
    stats = controls.start_all(options, show, closing, *([surface.tap] if surface else []))
    if options.osc_port:
        osc_service.enlist(show, options, opened.name, closing, lambda: osc_service.make_report(show, clock, stats))
    ticks = partial(_play_on, options, opened, show, governor.sizes, _choose_clock(options, opened, show, clock))
    if window is None:
        ticks()
    else:
        _play_beside(window, show, ticks, surface.tap(show.inbox.put) if surface else show.inbox.put)
    closing.callback(_say_how_it_went, show, clock)      # said before what was started above is closed
    if options.report:
        figures = report(show, clock, opened.instrument, stats) | {"quality": governor.report(), "weights": weights.report()}
        write_text(options.report, json.dumps(figures | ({"source": watching.report()} if watching else {}), indent=1) + "\n", make_folder=True)
    return 0


def _play_on(options, opened, show, sizes, ticks):
    """Warm up and play to the end, both in the thread that draws: libraries keep what they find out for it. What was started beside it has begun by then."""
    opened.instrument.warm_up(show.scene, cost=measure_cost if options.tune else None, sizes=sizes, more=show.recall.list_scenes())
    garbage.keep_all()
    sys.setswitchinterval(0.001)    # a busy OSC thread hands back the interpreter five times sooner than by default
    log.info("playing %s at %s px on %s (%s); h: the keys; quit: escape twice", opened.name, size_text(opened.instrument), opened.instrument.device,
             opened.instrument.precision)
    ticks()


def _origin(options, opened) -> Origin:
    """Return the origin that a take of this show records: what it is played on."""
    played = opened.instrument
    return Origin(opened.name, opened.generator, played.size, options.fps, *seeing.make_reference(options, played),
                  ratio_text(played.shape and played.shape.ratio), played.precision)


def _begin(options, opened, show, every):
    """Bring the show to the state that the flags ask for, and write its scene to the disk from then on, every so many seconds."""
    show.recall.mapping = ", ".join(options.mapping)
    saved = claim(opened.folder.folder / ".last-scene.json", options.osc_port)
    again = options.resume is not True and options.resume and saved.path.exists()      # a renderer that is started again may find none
    if options.resume is True or again:
        resume(show, saved.path, opened.instrument, opened.generator, must=not options.unattended)
    if options.preset and not again:                     # what hands have turned since is not thrown away
        show.recall.begin_with(options.preset)
        if options.resume:
            log.info("resumed, and then gone to preset %s, which --preset asks for; what it does not hold stays as it was", show.recall.current)
    if options.take:
        show.recording.record_to(options.take)
    if getattr(options, "video", None):
        show.recording.record_video_to(options.video)
    if not options.replay:
        show.recording.start_autosave(saved.path, options.osc_port, every)


def _open_source(options, show, closing):
    """Return what --source names, in the show: seen at once, unless a preset has its own idea: an object that reports on it."""
    watching = None if options.replay else seeing.open_watching(options, show)
    if watching is None:
        return None
    closing.callback(watching.close)
    if not options.preset and not options.resume:
        show.scene = show.first = show.scene.set_values({"/source/mix": 1.0})
    return watching


def _choose_clock(options, opened, show, clock):
    """Return what drives the show: a function that plays it to its end."""
    if options.replay:
        take = TakeReader(options.replay, opened.instrument.scene(), opened.generator, opened.instrument.bend)
        take.source = seeing.reopen(take, opened.instrument, options.source)
        return lambda: collections.deque(limit_ticks(take.replay(show, Pace()), options.frames, options.seconds), maxlen=0)
    return lambda: show.play(limit_ticks(clock.ticks(), options.frames, options.seconds))


def _play_beside(window, show, ticks, emit):
    """Run the loop in a thread of its own and the window in this one, since window systems want the main thread."""
    loop = make_thread("loop", ticks, awaited=True)
    loop.start()
    try:
        window.run(until=lambda: not loop.is_alive(), emit=emit)
    finally:
        show.stop()
        end_thread(loop, CLOSING)


def _start_surface(options, opened, show, clock, closing):
    """Start the page that is played on in a browser; returns what was started, or None."""
    if not options.surface_port:
        return None
    about = {"instrument": opened.name, "fps": options.fps, "late": lambda: clock.late, "size": lambda: show.instrument.size,
             "folder": opened.folder.folder, "checkpoint": options.instrument}
    return surface_service.start_surface(show, options, closing, about)


def _say_how_it_went(show, clock):
    figures = show.meter.report()
    log.info("the show is over: %d frames, %d late", figures["frames"], clock.late)


def report(show, clock, instrument, stats) -> dict:
    """Return what --report writes (DESIGN.md 5)."""
    return show.meter.report() | {
        "late": clock.late,
        "dropped": {output.name: output.dropped for output in show.outputs},
        **{name: counted.report() for name, counted in stats.items()},
        **({"osc_echo": show.echo.report()} if show.echo else {}),
        "device": str(instrument.device),
        "precision": instrument.precision,
        "resolution": instrument.size,
        "peak_memory_mb": measure_peak_memory(),
    }


def size_text(instrument) -> str:
    """Return the size of the pictures in words: one number where they have the network's own shape."""
    height, width = instrument.pixels
    return f"{width} x {height}" if instrument.shape else str(instrument.size)
