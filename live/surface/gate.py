"""Who may speak to a show over HTTP: pure functions over a request's headers, for every port that browsers can reach.

A browser sends what any page tells it to, to 127.0.0.1 too, and says so in `Origin` and `Sec-Fetch-Site`. A page whose name
was pointed at this machine afterwards (DNS rebinding) has its own name in `Host`. Programs that are no browsers send
neither, and pass. Source: SURFACE.md W.5; the Fetch standard; RFC 6454.
"""
import hmac
import ipaddress
import socket
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

ALLOWED, UNAUTHORIZED, FORBIDDEN, TOO_MANY = 200, 401, 403, 429
WRONG_TOKENS, WITHIN = 5, 60.0      # so many in so many seconds from one address
ADDRESSES = 1024                    # addresses remembered
FOREIGN = ("cross-site", "same-site")


@dataclass(frozen=True)
class Request:
    """What the gate looks at. None: the header is not there. repeated: a header that may come once came twice."""
    host: str | None = None
    origin: str | None = None
    fetch_site: str | None = None
    fetch_mode: str | None = None
    method: str = "GET"
    websocket: bool = False
    token: str = ""
    repeated: bool = False


def list_own_names(more=()) -> frozenset[str]:
    """Return the names by which this machine may be called in a Host header, in lower case."""
    name = socket.gethostname().casefold().rstrip(".")
    return frozenset({"localhost", name, name + ".local", *(other.casefold().rstrip(".") for other in more)} - {""})


def is_own_host(host: str | None, names) -> bool:
    """Return whether a Host header is an address or one of our names: a rebound page has a name of its own there."""
    name = _read_name(host or "")
    if name is None:
        return False
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return name in names


def _read_name(host) -> str | None:
    """Return the name in a Host header, without its port, in lower case; None for what no browser would send."""
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        if not bracket or port and not _is_port(port[1:]) or port[:1] not in ("", ":"):
            return None
    else:
        name, colon, port = host.partition(":")
        if colon and not _is_port(port):
            return None
    name = name.casefold()
    return name[:-1] if name.endswith(".") else name


def _is_port(text) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def judge(request: Request, names, scheme: str = "http") -> int:
    """Return 200 where a request may pass, 403 where a foreign page is behind it. Tokens are judged elsewhere."""
    if request.repeated or not is_own_host(request.host, names):
        return FORBIDDEN
    acts = request.websocket or request.method not in ("GET", "HEAD")
    if request.origin is not None and acts and request.origin != f"{scheme}://{request.host}":
        return FORBIDDEN
    navigates = request.fetch_mode == "navigate" and not acts
    if request.fetch_site in FOREIGN and not navigates:
        return FORBIDDEN
    return ALLOWED


class Tokens:
    """Tells the role that a token gives. words: {token: role}; without any, everybody has the role `free`.

    judge(token, address) -> (status, role): five wrong tokens a minute from one address, then none is looked at.
    """

    def __init__(self, words: dict[str, str], now: Callable[[], float], free: str = "play"):
        self.words, self.now, self.free = dict(words), now, free
        self._wrong: OrderedDict[str, deque] = OrderedDict()

    def judge(self, token: str, address: str) -> tuple[int, str]:
        """Return (200, the role), (401, "") for a wrong or missing token, (429, "") after too many wrong ones."""
        if not self.words:
            return ALLOWED, self.free
        moment, wrong = self.now(), self._wrong.get(address, ())
        if sum(moment - at < WITHIN for at in wrong) >= WRONG_TOKENS:
            return TOO_MANY, ""
        roles = [role for word, role in self.words.items() if hmac.compare_digest(word.encode(), token.encode())]
        if roles:
            return ALLOWED, roles[0]
        if token:                                        # none at all is no guess
            self._wrong.setdefault(address, deque(maxlen=WRONG_TOKENS)).append(moment)
            self._wrong.move_to_end(address)
            while len(self._wrong) > ADDRESSES:
                self._wrong.popitem(last=False)
        return UNAUTHORIZED, ""
