"""The UDP port that OSC comes in by: opened for us alone, with room for a burst. Knows nothing of OSC."""
import errno
import logging
import socket
import sys

from engine.errors import UserError

log = logging.getLogger(__name__)

BUFFER = 1 << 21                    # bytes asked of the kernel: a burst waits here while the GIL is busy


def listen(host, port):
    """Return a UDP socket on which nobody else listens. UserError: the port is taken, the host is not ours."""
    udp = None
    try:
        if not 0 <= port < 65536:
            raise OverflowError(f"{port} is no port")
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
        udp = socket.socket(family, kind)
        if sys.platform == "win32":                              # there two programs could share it, and one hear nothing
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        udp.bind(where)
        _widen(udp)
        udp.setblocking(False)
        return udp
    except (OSError, OverflowError) as error:
        if udp:
            udp.close()
        raise UserError(f"OSC port {port} on {host}: {_advise(error)}") from error


def _advise(error):
    code = getattr(error, "errno", None)
    if code in (errno.EADDRINUSE, 10048):
        return "another program listens there; close it, or take another port with --osc-port N (0 = no OSC)"
    if code in (errno.EACCES, 10013):
        return "not allowed; take a port above 1023 with --osc-port N (0 = no OSC)"
    if code in (errno.EADDRNOTAVAIL, 10049) or isinstance(error, socket.gaierror):
        return "this machine has no such address; 127.0.0.1 hears this machine only, 0.0.0.0 every network it is on"
    return f"{error}; expected 1 to 65535 (--osc-port 0 = no OSC)"


def _widen(udp):
    """Set the largest receive buffer up to BUFFER that the kernel allows. Some refuse what they can't give."""
    size = BUFFER
    while size > 1 << 16:
        try:
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
            break
        except OSError:
            size //= 2
    got = udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    if got < BUFFER:
        log.info("OSC: asked for a receive buffer of %d bytes, got %d; bursts of single messages may lose some "
                 "(on Linux: sysctl -w net.core.rmem_max=%d)", BUFFER, got, BUFFER)
