"""The outputs of a show: from flags or a file to what is open, each with its settings as parameters."""
import inspect
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from engine.errors import UserError
from live import outputs
from live.outputs.again import Reopening
from live.outputs.cued import CuedLook
from live.outputs.drawing import Drawing
from live.outputs.framing import load_mask
from live.outputs.pictures import Pictures, make_picture_parameters
from live.outputs.sender import Sender
from live.outputs.settings import Framings, make_output_parameters
from live.outputs.spec import OutputSpec, parse_outputs, read_outputs

log = logging.getLogger(__name__)


def add_arguments(group):
    """Declare the flags of outputs."""
    kinds = ", ".join(sorted(outputs.OUTPUTS))
    group.add_argument("--output", metavar="LIST", default="window", help=f"where frames go, by comma: {kinds}; with a target as files=FOLDER")
    group.add_argument("--outputs", metavar="FILE.yaml", help="outputs from a file instead, each with its display, fill, corner pin and colour")
    group.add_argument("--fullscreen", action="store_true", help="fill the display")
    group.add_argument("--display", type=int, default=0, metavar="N", help="which display the window goes to (0 = the first)")
    group.add_argument("--single-process", action="store_true", help="draw and show in one process; a window then ends with a show that crashes")
    group.add_argument("--no-standby", action="store_true", help="keep no second renderer ready: saves 160 MB, and a crash takes longer to mend")


def read_specs(options) -> list[OutputSpec]:
    """Return the outputs that the flags name. UserError: what is wrong with them."""
    if not options.outputs:
        return check_outputs([replace(spec, rate=options.fps) for spec in parse_outputs(options.output, outputs.OUTPUTS, options.display, options.fullscreen)],
                     options.single_process)
    from live.files.config import read_plain  # here: an output's process needs none of it, and starts sooner

    data = read_plain(options.outputs)
    try:
        return check_outputs([replace(spec, rate=options.fps) for spec in read_outputs(data, outputs.OUTPUTS)], options.single_process)
    except UserError as error:
        raise UserError(f"{options.outputs}: {error}") from None


def check_outputs(specs: list[OutputSpec], single_process=False) -> list[OutputSpec]:
    """Return these outputs. UserError: one can't be as it is asked for, or two would be the same to other programs.

    single_process: everything is to be in the show's own process, where no library under the GPL is loaded.
    """
    seen: dict[tuple, str] = {}
    for spec in specs:
        kind = outputs.OUTPUTS[spec.kind]
        if spec.bitrate and "bitrate" not in inspect.signature(kind).parameters:
            raise UserError(f"output {spec.name}: {spec.kind} takes no bitrate")
        load_mask(spec.mask, (1, 1))                     # only whether it can be read
        if hasattr(kind, "check"):
            kind.check(spec)
        library = getattr(kind, "copyleft", "")
        if single_process and library:
            raise UserError(f"output {spec.name}: {library} is under the GPL and is loaded in a process of its own only: play without --single-process")
        key = spec.kind, spec.find_sender_name(getattr(kind, "called", ""))
        if is_apart(spec) and key[1] and key in seen and spec.kind != "window":
            raise UserError(f"output {spec.name}: {seen[key]} is {spec.kind}={key[1]} already; give them different names")
        seen[key] = spec.name
    return specs


def is_apart(spec: OutputSpec) -> bool:
    """Return whether an output gets a process of its own: its class has `apart`, as it may block, hang or crash."""
    return getattr(outputs.OUTPUTS[spec.kind], "apart", False)


def open_output(spec: OutputSpec, **more):
    """Return the output of a spec, open: put(frame), close(), sent, dropped. UserError: why it can't be opened."""
    kind = outputs.OUTPUTS[spec.kind]
    apart, size = is_apart(spec) and hasattr(kind, "send"), spec.size
    wanted = {"target": spec.target, "display": spec.display, "fullscreen": spec.fullscreen, "title": spec.name,
              "size": (size, size) if isinstance(size, int) else size, "fps": spec.rate_sent if apart else spec.fps, "bitrate": spec.bitrate,
              "mask": spec.mask, "bound": spec.keys.__contains__, "called": spec.find_sender_name(getattr(kind, "called", "")), **more}
    takes = inspect.signature(kind).parameters
    options = {name: value for name, value in wanted.items() if name in takes and value not in ("", None)}
    if "drawing" in takes:
        options["drawing"] = Drawing(spec)
    if apart:
        return Sender(spec, outputs.make_output(spec.kind, **options))
    target = outputs.start_output(spec.kind, **options)
    if hasattr(target, "framing"):
        target.framing = spec.framing
    return target


def open_outputs(show, specs: list[OutputSpec], closing, shared=None, checkpoint: str = ""):
    """Open the outputs of this process and give a show the settings of all; returns the one that wants the main thread, if any.

    shared: the output to those of other processes, see live/processes/renderer.py. checkpoint: what the studio opens for the cued look.
    """
    turning = None
    framed: dict[str, Callable] = {}
    pictures = _make_pictures(show, specs, closing, checkpoint)
    show.finish, show.picture_for = pictures.finish, pictures.select
    if shared is not None:
        shared.listen(show.inbox.put, show.stop, getattr(show.find_player("unattended"), "note", None))
        closing.callback(shared.close)
        show.outputs += [shared, *shared.remotes.values()]
        framed |= {name: partial(shared.set_framing, name) for name in shared.remotes}
    for spec in (spec for spec in specs if shared is None or not is_apart(spec)):
        try:
            running = open_output(spec, bound=show.mapping.binds)
        except UserError as error:
            if not is_apart(spec):
                raise
            log.warning("%s; playing on without it", error)
            continue
        closing.callback(running.close)
        running.name = spec.name
        show.outputs.append(running)
        if hasattr(running, "run"):
            turning = running
        if set_framing := _find_setter(running):
            framed[spec.name] = set_framing
    parameters = make_output_parameters([spec for spec in specs if spec.name in framed])
    _declare(show, parameters)
    framings = Framings(show, framed, specs, shared)
    show.join(framings=framings)
    if show.find_player("unattended") is not None:
        _watch_outputs(show, [spec for spec in specs if shared is None or not is_apart(spec)], framings, closing)
    return turning


def _watch_outputs(show, specs, framings, closing):
    """Have the outputs of this process opened again where they break."""
    def join(spec, running):
        if set_framing := _find_setter(running):
            framings.join_again(spec.name, set_framing)

    again = Reopening(show, specs, lambda spec: open_output(spec, bound=show.mapping.binds), join)
    show.join(reopening=again)
    closing.callback(again.close)


def _find_setter(running) -> Callable | None:
    """Return what sets the framing of an output that is open; None for one that has none."""
    drawing = getattr(running, "drawing", None) or getattr(getattr(running, "target", None), "drawing", None)
    if drawing is not None:
        return drawing.set_framing
    return partial(setattr, running, "framing") if hasattr(running, "framing") else None


def _make_pictures(show, specs, closing, checkpoint) -> Pictures:
    """Return what makes the pictures that outputs show; which one each does is a parameter of the show."""
    _declare(show, make_picture_parameters(getattr(show.instrument, "inside", {}), specs))
    cued = CuedLook(checkpoint) if checkpoint else None
    if cued is None:
        return Pictures(show, specs)
    closing.callback(cued.close)
    return Pictures(show, specs, cued.take_picture)


def _declare(show, parameters):
    """Give a show more parameters."""
    show.added = show.added | parameters
    show.scene, show.first = show.scene.with_parameters(parameters), show.first.with_parameters(parameters)
