"""One listener to what changes: what it wants to hear, what it has still to be told, and how that reaches it."""
import math
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from live.osc.address import NORMALIZED, PLAYED
from live.osc.packet import LONGEST_ADDRESS
from live.show.parameters import is_below

FORMS = ("numbers", "text", "all")
SETTLE = 0.25                       # seconds after a listener's own message in which it is not answered back
GONE = 3.0                          # seconds in which nobody takes what is sent, after which a listener counts as gone
STEADY = 4                          # sends in a row without a complaint, after which it is there again
AGAIN = 0.25                        # seconds until it is tried again
NEAR = 1e-4                         # of a control's own numbers: nearer is the same
MISTAKES = 4                        # of a listener that may wait to be told
SAID = 4096                         # of a listener's own messages remembered


@dataclass
class Subscriber:
    """send(datagram): raises OSError where it cannot; close(): no more of it.

    prefix: it hears what lies below this address ("" = everything); below /n as 0..1, below /played as modulators leave
    it. addresses: hears these only, instead. form: "numbers" (choices by their number), "text" (choices by name, nothing
    else) or "all". source: where its own messages come from. stays: it is never dropped.
    """
    name: str
    send: Callable
    close: Callable
    prefix: str = ""
    form: str = "numbers"
    source: tuple | None = None
    stays: bool = False
    heard: float = 0.0                                           # when it last showed that it is there
    addresses: set | None = None
    due: dict = field(default_factory=dict)                      # addresses to tell, oldest first
    said: dict = field(default_factory=dict)                     # address -> (what it said itself, whether 0..1, when)
    spoken: dict = field(default_factory=dict)                   # address in small letters -> when it has sent something there
    failing_since: float | None = None
    steady: int = 0
    quiet_until: float = 0.0
    wrong: deque = field(default_factory=lambda: deque(maxlen=MISTAKES))          # what to be told of its own mistakes

    def __post_init__(self):
        self.scale = next((scale for scale in (NORMALIZED, PLAYED) if matches_prefix(self.prefix, scale)), "")
        self.below = self.prefix[len(self.scale):].rstrip("/")

    def wants(self, address: str) -> bool:
        return address in self.addresses if self.addresses is not None else matches_prefix(address, self.below)

    def convert(self, parameter, value):
        """Return a value in the form that this listener wants, None if it does not want it."""
        if self.scale and self.scale != PLAYED:
            return None if parameter.size else parameter.normalized(value)
        if parameter.choices:
            return parameter.choices.index(value) if self.form == "numbers" else value
        return None if self.form == "text" else value

    def note_said(self, address: str, value, moment: float):
        """Note what it has sent itself, as it need not be sent that again."""
        if len(self.said) >= SAID:
            self.said.clear()
        normalized = matches_prefix(address, NORMALIZED) and address != NORMALIZED
        if len(self.spoken) >= SAID:
            self.spoken.clear()
        self.spoken[(address.removeprefix(NORMALIZED) if normalized else address).casefold()] = moment
        self.said[address.removeprefix(NORMALIZED) if normalized else address] = value, normalized, moment

    def has_sent(self, address: str, since: float) -> bool:
        """Return whether it has sent something to this address since then, in any spelling."""
        return self.spoken.get(address.casefold(), -math.inf) >= since

    def is_own_value(self, address: str, parameter, value, moment: float) -> bool | None:
        """Return whether a value need not be sent, as it has sent the same one itself; None: that can't be decided yet."""
        said = self.said.get(address)
        if said is None:
            return False
        sent, normalized, at = said
        if moment - at < SETTLE:
            return None
        self.said.pop(address, None)
        if normalized and not parameter.size:
            return isinstance(sent, float) and abs(parameter.normalized(value) - sent) < 1e-6
        return sent == value

    def has_said(self, address: str, numbers: tuple) -> bool:
        """Return whether a control already stands where it reported itself to be. Each report counts once."""
        sent, _, _ = self.said.pop(address, ((), False, 0.0))
        sent = sent if isinstance(sent, tuple) else (sent,)
        return len(sent) == len(numbers) and all(a == b or not isinstance(b, str) and not isinstance(a, str) and abs(a - b) <= NEAR * max(1.0, abs(b))
                                                 for a, b in zip(sent, numbers))

    def note_failure(self, moment: float) -> bool:
        """Note a failed send; returns whether the listener is to be dropped. The system reports only every second failure."""
        self.failing_since = moment if self.failing_since is None else self.failing_since
        self.quiet_until, self.steady = moment + AGAIN, 0
        return not self.stays and moment - self.failing_since > GONE

    def note_success(self):
        """Note a send that went out."""
        self.steady += 1
        if self.failing_since is not None and self.steady >= STEADY:
            self.failing_since = None


def matches_prefix(address: str, prefix: str) -> bool:
    """Return whether an address is the prefix or lies below it; every address does where there is no prefix."""
    return not prefix or is_below(address, (prefix,))


def parse_subscription(arguments) -> tuple[int, str, str] | None:
    """Return (port, prefix, form) from the arguments of /subscribe; None where they are not valid."""
    port = arguments[0] if arguments else None
    prefix = str(arguments[1]) if len(arguments) > 1 else ""
    form = str(arguments[2]) if len(arguments) > 2 else "numbers"
    if not isinstance(port, (int, float)) or not 0 < int(port) < 65536:
        return None
    good = form in FORMS and prefix[:1] in ("", "/") and len(prefix) <= LONGEST_ADDRESS
    return (int(port), prefix.rstrip("/"), form) if good else None


def connect_udp(host: str, port: int, **more) -> Subscriber:
    """Return a listener at a UDP port. OSError: no such host."""
    family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    udp = socket.socket(family, kind)
    udp.setblocking(False)
    udp.connect(where)              # a connected socket is told that nobody listens there
    return Subscriber(f"{host}:{port}{more.get('prefix', '')}", udp.send, udp.close, **more)
