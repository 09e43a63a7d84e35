"""What a sender may do: commands that end, delete or write are for this machine and for senders with the token; wildcards have a budget.

Every datagram passes here before it becomes events. Knows no sockets.
"""
import ipaddress
import logging
import math
from collections.abc import Callable

from live.osc.address import is_pattern
from live.show.commands import COMMANDS
from live.show.journal import Seldom
from live.surface.gate import ALLOWED, Tokens

log = logging.getLogger(__name__)

TOKEN = "/token"                    # /token WORD: a sender shows that it may do everything
PATTERNS = 200                      # wildcards not met before that are looked up at once; each is compared with every address
PER_SECOND = 50.0                   # so many more a second
KNOWN = 1024                        # wildcards remembered
TRUSTED = 1024                      # senders remembered


def is_here(host: str) -> bool:
    """Return whether an address is this machine's own."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in ("localhost", "")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address.is_loopback or mapped is not None and mapped.is_loopback


class Admission:
    """token: the word that senders of other machines show with /token WORD, "" = there is none and none of them may.

    everybody: whoever sends here has been let in already, as at a WebSocket behind the gate.
    """

    def __init__(self, now: Callable[[], float], token: str = "", everybody: bool = False):
        self.now, self.everybody = now, everybody
        self.refused = self.left_out = 0
        self.set_token(token)
        self._trusted: dict[str, None] = {}
        self._known: set[str] = set()
        self._level, self._moment = float(PATTERNS), -math.inf
        self._guarded, self._many = Seldom(log, now), Seldom(log, now)

    def set_token(self, token: str):
        """Set the word that senders of other machines have to show; "" = none opens anything."""
        self.token, self._tokens = token, Tokens({token: "play"} if token else {}, self.now)

    def introduce(self, arguments: tuple, host: str):
        """Take down that a sender has shown a token; a wrong one is said."""
        word = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        if self.token and self._tokens.judge(word, host)[0] == ALLOWED:
            if len(self._trusted) >= TRUSTED:
                self._trusted.clear()
            self._trusted[host] = None
        else:
            self._guarded.warn("OSC: a wrong token came from %s", host)

    def trusts(self, host: str) -> bool:
        """Return whether a sender may do everything."""
        return self.everybody or is_here(host) or host in self._trusted

    def admits(self, address: str, host: str) -> bool:
        """Return whether a message may be heard. What may not is counted, and said once a second."""
        if not self.trusts(host) and is_guarded(address):
            self.refused += 1
            self._guarded.warn("OSC: %s from %s: only for this machine and for senders with --osc-token", address, host)
            return False
        return not is_pattern(address) or address in self._known or self._affords(address)

    def _affords(self, pattern) -> bool:
        """Whether a wildcard that was not met before can be looked up now."""
        moment = self.now()
        self._level = min(float(PATTERNS), self._level + (moment - self._moment) * PER_SECOND)
        self._moment = moment
        if self._level < 1.0:
            self.left_out += 1
            self._many.warn("OSC: more than %d new wildcards a second; the rest is left out", int(PER_SECOND))
            return False
        self._level -= 1.0
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known.add(pattern)
        return True


def is_guarded(address: str) -> bool:
    """Return whether an address calls a command that is not for everybody, in any spelling the mapping would understand."""
    command = COMMANDS.get(address) or COMMANDS.get(address.casefold().rstrip("/"))
    return command is not None and command.guarded
