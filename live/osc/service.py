"""What belongs to OSC beside its port: the echo, OSCQuery, the advertisement. Started from flags, ended with the show."""
import logging
import re

from engine.errors import UserError
from engine.modulation import modulate
from live.osc.address import read_value
from live.osc.advertise import Advertisement
from live.osc.echo import STATUS, Echo
from live.osc.query import Query
from live.osc.receiver import make_taker
from live.osc.subscriber import FORMS
from live.osc.surfaces import Surfaces
from live.osc.targets import Targets

log = logging.getLogger(__name__)

LOOPBACK = re.compile(r"127\.|localhost$|::1$")
TARGET = re.compile(r"(?P<host>[^\s:/=]+):(?P<port>\d{1,5})(?P<prefix>(?:/[^\s=]+)?)(?:=(?P<form>\w+))?")


def arguments(group):
    """Add the flags of OSC and OSCQuery."""
    group.add_argument("--osc-echo", metavar="HOST:PORT", action="append", default=[],
                       help="tell this port what changes; HOST:PORT/bends only that, =text words instead of numbers; may be repeated")
    group.add_argument("--osc-token", default="", metavar="WORD",
                       help="other machines show it with /token WORD to end the show, delete or save; see docs/osc.md")
    group.add_argument("--oscquery-port", type=int, metavar="N", help="TCP port of OSCQuery; default: the OSC port's number; 0 = off")
    group.add_argument("--oscquery-token", default="", metavar="WORD", help="what OSCQuery clients must bring; needed beyond this machine")


def check(options):
    """Raise UserError for a flag that cannot be."""
    for text in options.osc_echo:
        host, port, *_ = _parse_target(text)
        if LOOPBACK.match(host) and port == options.osc_port:
            raise UserError(f"--osc-echo {text}: that is this show's own port; expected the port of the one who listens")
    for flag, given in (("--osc-echo", options.osc_echo), ("--oscquery-port", options.oscquery_port)):
        if given and not options.osc_port:
            raise UserError(f"{flag} belongs to OSC, which --osc-port 0 turns off; take another port with --osc-port N")
    if options.oscquery_port is not None and not 0 <= options.oscquery_port < 65536:
        raise UserError(f"--oscquery-port {options.oscquery_port}: expected 0 (off) or a port up to 65535")


def _parse_target(text):
    """Return (host, port, prefix, form)."""
    found = TARGET.fullmatch(text)
    form = found and (found["form"] or "numbers")
    if not found or not 0 < int(found["port"]) < 65536 or form not in FORMS:
        raise UserError(f"--osc-echo {text}: expected HOST:PORT, HOST:PORT/PREFIX or HOST:PORT={'|'.join(FORMS)}")
    return found["host"], int(found["port"]), found["prefix"].rstrip("/"), form


def start_echo(show, closing):
    """Start what tells listeners over OSC and pages what changes; once for all of them."""
    if show.echo is not None:
        return
    show.echo = Echo(lambda: (show.scene, show.motion), lambda: _read_status(show), surfaces=Surfaces(show))
    closing.callback(show.echo.close)


def settings(show, options, closing) -> dict:
    """Start the echo; returns the arguments of the OSC source."""
    start_echo(show, closing)
    show.echo.own_port = options.osc_port
    targets = Targets(show.echo)
    closing.callback(targets.close)
    targets.add(_parse_target(text) for text in options.osc_echo)
    value = lambda address: read_value(show.scene, address, lambda: modulate(show.scene, show.motion))
    lookup = lambda address: _read_status(show).get(address) if address.startswith(STATUS) else value(address)
    return {"answers": (lookup, lambda: show.scene.parameters), "echo": show.echo}


def tell_openness(options):
    """Log what other machines may do, where the show listens to them."""
    if not LOOPBACK.match(options.osc_host):
        more = f"; those that send /token {'*' * 6} may do everything" if options.osc_token else ""
        log.warning("OSC on %s: every machine of this network may play. To quit, delete, learn or save is for this machine only%s", options.osc_host, more)


def _read_status(show) -> dict:
    """Return the state that listeners get as text, and can query: {address: text}."""
    recall, recording = show.recall, show.recording
    taken = recording.writer.path.stem if recording and recording.recording and recording.writer else ""
    newest = show.notices.newest[-1][2] if show.notices.newest else ""
    found = {"preset": recall and recall.current, "cued": recall and recall.cued, "bank": recall and recall.bank, "take": taken, "told": newest}
    return {f"{STATUS}/{name}": text or "" for name, text in found.items()}


def make_report(show, clock, stats) -> dict:
    """Return what run_live.py monitor shows: cheap enough to be asked for a few times a second."""
    return {"frames": show.meter.frames, "late": clock.late, "echo": show.echo.report(),
            **{name: counted.report() for name, counted in stats.items()}, "newest": stats["osc"].newest(), "told": show.notices.report(),
            "outputs": {output.name: {"sent": getattr(output, "sent", 0), "broken": getattr(output, "broken", None)} for output in show.outputs},
            "show": {"preset": (show.recall.current or "") if show.recall else "", "size": show.scene["/quality/size"]}}


def enlist(show, options, name, closing, report):
    """Start OSCQuery, and list the show in other programs' menus. What fails is logged, and the show goes on. report() -> JSON."""
    port = options.osc_port if options.oscquery_port is None else options.oscquery_port
    if not port:
        return
    beyond = not LOOPBACK.match(options.osc_host)
    if beyond and not options.oscquery_token:
        log.info("OSCQuery: only for this machine, as there is no --oscquery-token")
    host = options.osc_host if not beyond or options.oscquery_token else "127.0.0.1"
    query = Query(lambda: show.scene, show.echo, name, (options.osc_host, options.osc_port), make_taker(show.inbox.put), report, options.oscquery_token)
    try:
        opened = query.start(host, port)
    except UserError as error:
        log.warning("%s; playing on without it", error)
        return
    closing.callback(query.close)
    closing.callback(Advertisement(name, host, (opened, options.osc_port)).close)
    log.info("OSCQuery: http://%s:%d", host, opened)
