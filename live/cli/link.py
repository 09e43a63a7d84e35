"""Join Ableton Link and tell a running show its tempo and beat, over OSC.

    pip install aalink
    python run_live.py link
    python run_live.py link --host 192.168.1.20 --port 9000

A program of its own, for aalink is GPL: the show never imports it. Play with /tempo/source link.
"""
import asyncio
import logging
import socket

from engine.errors import UserError
from live.osc.write import make_message

log = logging.getLogger(__name__)

LIBRARIES = ("aalink",)
EVERY = 0.1                         # seconds


def arguments(parser):
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where the show is (127.0.0.1)")
    parser.add_argument("--port", type=int, default=9000, metavar="N", help="its OSC port (9000)")
    parser.add_argument("--tempo", type=float, default=120.0, metavar="BPM", help="the tempo to begin with where nobody else is there (120)")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after so many seconds")


def run(options):
    if not 0 < options.port < 65536:
        raise UserError(f"--port {options.port}: expected 1 to 65535")
    try:
        import aalink
    except ImportError:
        raise UserError("run_live.py link needs aalink: pip install aalink (GPL; a program of its own, no part of the show)") from None
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            asyncio.run(_tell(aalink, udp, options))
        except KeyboardInterrupt:
            return 0
        except OSError as error:
            raise UserError(f"{options.host}:{options.port}: can't be sent to: {error.strerror or error}") from None
    return 0


async def _tell(aalink, udp, options):
    """Say tempo and beat ten times a second."""
    link = aalink.Link(options.tempo)
    link.enabled = True
    rounds = None if options.seconds is None else int(options.seconds / EVERY)
    said, peers = 0, None
    while rounds is None or said < rounds:
        udp.sendto(make_message("/link/beat", (float(link.tempo), float(link.beat))), (options.host, options.port))
        if link.num_peers != peers:
            peers = link.num_peers
            log.info("Link: %d %s, %.2f bpm", peers, "other" if peers == 1 else "others", link.tempo)
        said += 1
        await asyncio.sleep(EVERY)
