"""The performer's page as a part of a show: its flags, what it starts, what it ends."""
import io
import logging
import secrets

from engine.errors import UserError
from live.osc.advertise import find_own_address
from live.osc.service import LOOPBACK, start_echo
from live.show.clock import now
from live.surface import browser, gate

LIBRARIES = ("segno",)
log = logging.getLogger(__name__)

PORT = 9080
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}      # addresses that stand for all of a machine's -> the one for itself


def add_arguments(group):
    """Add the flags of the page."""
    group.add_argument("--surface-port", type=int, default=PORT, metavar="N", help=f"TCP port of the page you play on in a browser ({PORT}); 0 = off")
    group.add_argument("--surface-host", default="127.0.0.1", metavar="ADDRESS", help="address of the page; 0.0.0.0 lets tablets and phones in, with a token")
    group.add_argument("--surface-token", default="", metavar="WORD|auto",
                       help="the word pages of other machines must bring; auto makes one (the default beyond this machine)")
    group.add_argument("--surface-watch-token", default="", metavar="WORD", help="a second word for those who may only watch")
    group.add_argument("--surface-name", action="append", default=[], metavar="NAME", help="a name of this machine that pages may call it by; may be repeated")
    group.add_argument("--surface-cert", metavar="FILE", help="serve the page over https with this certificate")
    group.add_argument("--surface-key", metavar="FILE", help="the certificate's key")
    group.add_argument("--no-browser", action="store_true",
                       help="do not open the page in the browser; it is opened where there is a screen and no page is open yet")


def check_token(options):
    """Make the token that is wanted, so that a renderer that is started again has the same. UserError: a flag that cannot be."""
    if not 0 <= options.surface_port < 65536:
        raise UserError(f"--surface-port {options.surface_port}: expected 0 (off) or a port up to 65535")
    if bool(options.surface_cert) != bool(options.surface_key):
        raise UserError("--surface-cert and --surface-key belong together: a certificate and its key")
    for flag, word in (("--surface-token", options.surface_token), ("--surface-watch-token", options.surface_watch_token)):
        if not word.isascii() or any(c in word for c in " ;,\"\\") or len(word) > 200:
            raise UserError(f"{flag}: expected a word of plain letters and digits")
    if options.surface_watch_token and options.surface_watch_token == options.surface_token:
        raise UserError("--surface-watch-token and --surface-token are the same word; who brings it, may play")
    settle_token(options)


def settle_token(options):
    """Make a token where one is wanted; beyond this machine there is always one."""
    if options.surface_token == "auto" or not options.surface_token and not LOOPBACK.match(options.surface_host):
        options.surface_token = secrets.token_urlsafe(16)


def start_surface(show, options, closing, about: dict):
    """Serve the page; returns the Server, or None where its port can't be had, which is said. about: see hub.Hub and parts.Parts."""
    from live.surface.hub import Hub
    from live.surface.parts import Parts
    from live.surface.preview import Preview
    from live.surface.server import Server

    words = _read_tokens(options)
    start_echo(show, closing)
    hub, preview = Hub(show, about), Preview()
    closing.callback(preview.close)
    parts = Parts(hub, preview, about)
    hub.state.more |= parts.read_state()
    hub.slow = parts.refresh
    server = Server(hub, preview, gate.Tokens(words, now), gate.list_own_names(options.surface_name), parts.list_routes())
    try:
        port = server.start(options.surface_host, options.surface_port, options.surface_cert, options.surface_key)
    except UserError as error:
        log.warning("%s; playing on without the page", error)
        return None
    closing.callback(server.close)
    closing.callback(parts.close)                        # before the server: what pages wait for is answered
    parts.worker.resume()
    show.outputs.append(preview)
    show.join(grabs=hub.grabs)
    show.echo.rebuilt.append(hub.note_rebuilt)
    logging.getLogger().addHandler(hub.lines)
    closing.callback(logging.getLogger().removeHandler, hub.lines)
    announce(options, port, words)
    if not options.no_browser and browser.has_screen():
        closing.callback(browser.Opening(format_own_address(options, port, words), lambda: bool(hub.links)).start().close)
    return server


def _read_tokens(options) -> dict:
    """Return {token: role}."""
    settle_token(options)
    word = options.surface_token
    roles = {word: "play"} if word else {}
    return roles | ({options.surface_watch_token: "watch"} if options.surface_watch_token and word else {})


def format_address(options, port, words) -> str:
    """Return the page's address as another machine would type it."""
    import socket

    host = options.surface_host
    return _format_address(options, find_own_address() or socket.gethostname() if host in EVERYWHERE else host, port, words)


def format_own_address(options, port, words) -> str:
    """Return the page's address as this machine's own browser finds it."""
    host = options.surface_host
    return _format_address(options, EVERYWHERE.get(host, host), port, words)


def _format_address(options, host, port, words):
    scheme = "https" if options.surface_cert else "http"
    word = next((word for word, role in words.items() if role == "play"), "")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/" + (f"#{word}" if word else "")


def announce(options, port, words):
    """Log where the page is; beyond this machine as a QR code too."""
    address = format_address(options, port, words)
    log.info("page: %s", address)
    if not LOOPBACK.match(options.surface_host):
        import segno

        drawn = io.StringIO()
        segno.make(address, error="l").terminal(drawn, compact=True, border=2)
        log.info("or point a phone's camera here:\n%s", drawn.getvalue())
