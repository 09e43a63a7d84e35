"""OSC over UDP: a port, and what its datagrams become (live/osc/receiver.py)."""
import socket

from live.controls import control
from live.osc.port import listen
from live.osc.receiver import Receiver
from live.osc.stats import Stats


@control
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
