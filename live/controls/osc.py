"""OSC over UDP: what other programs send becomes ControlEvents, as live/osc/receiver.py reads it; questions are answered."""
import socket

from engine.errors import UserError
from live.controls import control
from live.mapping.words import Word
from live.osc import service
from live.osc.port import listen
from live.osc.receiver import Receiver
from live.osc.stats import Stats

WORDS = {"osc": Word(r"/[^\s#*,?\[\]{}]+", "osc /ADDRESS", end=1.0)}


def arguments(group):
    """Add the flags of OSC."""
    group.add_argument("--osc-port", type=int, default=9000, metavar="N", help="UDP port to listen on (9000); 0 = off")
    group.add_argument("--osc-host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on; 0.0.0.0 hears other machines")
    service.arguments(group)


def check(options):
    """Raise UserError for a flag that can't be."""
    if not 0 <= options.osc_port < 65536:
        raise UserError(f"--osc-port {options.osc_port}: expected 0 (off) or a port up to 65535")
    service.check(options)


def settings(options, show, closing, stats):
    """Return what osc() is started with, None where the flags turn it off. Starts the echo."""
    if not options.osc_port:
        return None
    service.tell_openness(options)
    stats.admission.set_token(options.osc_token)
    show.mapping.stats = stats
    return {"port": options.osc_port, "host": options.osc_host, **service.settings(show, options, closing)}


@control(stats=Stats, arguments=arguments, check=check, settings=settings, words=WORDS)
def osc(emit, stop, port=9000, host="127.0.0.1", answers=None, opened=None, stats=None, echo=None):
    """Listen until `stop` is set; emit a ControlEvent per message, a list of them for a bundle.

    answers: (lookup, addresses): lookup(address) -> what a query is answered with, or None; addresses() -> the parameters'
    addresses, for queries with wildcards. echo: live.osc.echo.Echo, told of those who want to hear what changes. opened(port):
    called once listening (port 0: any free one). stats: live.osc.stats.Stats to fill; its admission says who may do what.
    """
    stats = Stats() if stats is None else stats
    with listen(host, port) as udp:
        stats.buffer = udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        lookup, addresses = answers or (None, None)
        receiver = Receiver(udp, emit, lookup, addresses, stats, echo)
        if opened:
            opened(udp.getsockname()[1])
        receiver.run(stop)
