"""What a sender may do: commands that end, delete or write are for this machine and for senders with the token; wildcards have a budget.

Every datagram passes here before it becomes events. Knows no sockets.
"""
import ipaddress
import logging
import math
from collections.abc import Callable
from functools import lru_cache

from live.osc.address import is_pattern
from live.show.commands import COMMANDS
from live.show.journal import Seldom
from live.surface.gate import ALLOWED, Tokens

log = logging.getLogger(__name__)

TOKEN = "/token"                    # /token WORD: a sender shows that it may do everything
MESSAGES = 24000.0                  # units that may come at once, and a second; a message of a fader is one, others more
OTHER, NEW, JOINED = 3, 10, 100     # units of a message that is no single number, of an address not met before, of a subscription
FAR_ANSWERS = 2000.0                # values a second that other machines are answered: a question may have a forged sender
PATTERNS = 200                      # wildcards not met before that are looked up at once; each is compared with every address
PER_SECOND = 50.0                   # so many more a second
KNOWN, ADDRESSES = 1024, 8192       # wildcards, and addresses, remembered
TRUSTED = 1024                      # senders remembered


@lru_cache(maxsize=1024)
def is_here(host: str) -> bool:
    """Return whether an address is this machine's own."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in ("localhost", "")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address.is_loopback or mapped is not None and mapped.is_loopback


class Allowance:
    """So many units at once, and so many more a second. What costs more than is left may be spent, but nothing after it until it is paid."""

    def __init__(self, now: Callable[[], float], most: float, per_second: float):
        self.now, self.most, self.per_second = now, most, per_second
        self._level, self._moment = most, math.inf

    def is_left(self) -> bool:
        """Return whether there is anything to spend."""
        moment = self.now()
        self._level = min(self.most, self._level + max(0.0, moment - self._moment) * self.per_second)
        self._moment = moment
        return self._level >= 1.0

    def spend(self, units: float):
        """Take this many away."""
        self._level -= units


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
        self._addresses: set[str] = set()
        self._patterns = Allowance(now, float(PATTERNS), PER_SECOND)
        self._messages, self._far = Allowance(now, MESSAGES, MESSAGES), Allowance(now, 2 * FAR_ANSWERS, FAR_ANSWERS)
        self._guarded, self._many, self._flood = (Seldom(log, now) for _ in range(3))

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

    def is_trusted(self, host: str) -> bool:
        """Return whether a sender may do everything."""
        return self.everybody or is_here(host) or host in self._trusted

    def admit_datagram(self, host: str) -> bool:
        """Return whether another datagram may be looked at. What is too much is counted, and said once a second."""
        if self._messages.is_left():
            return True
        self.left_out += 1
        self._flood.warn("OSC: %s sends more than can be played (%d messages a second); a datagram is left out", host, int(MESSAGES))
        return False

    def is_known(self, address: str) -> bool:
        """Return whether an address was met before."""
        return address in self._addresses

    def measure_cost(self, messages) -> int:
        """Return the units of messages that did not come in a bundle met before."""
        known, units = self._addresses, 0
        for address, arguments in messages:
            if address not in known:
                if len(known) >= ADDRESSES:
                    known.clear()
                known.add(address)
                units += NEW
            fader = len(arguments) == 1 and type(arguments[0]) is float and normalize(address) not in COMMANDS
            units += 1 if fader else OTHER + len(arguments) // 16
        return units

    def spend(self, units: float):
        """Note what a datagram, an answer or a listener costs."""
        self._messages.spend(units)

    def may_answer(self, host: str, values: int) -> bool:
        """Return whether so many values may be sent as an answer; other machines get a few thousand a second."""
        self.spend(values)
        if is_here(host):
            return True
        if not self._far.is_left():
            self.left_out += 1
            self._many.warn("OSC: %s asks for more than %d values a second; the rest is not answered", host, int(FAR_ANSWERS))
            return False
        self._far.spend(values)
        return True

    def admit(self, address: str, host: str) -> bool:
        """Return whether a message may act. Refused ones are counted, and logged once a second."""
        if not self.is_trusted(host) and is_guarded(address):
            self.refused += 1
            self._guarded.warn("OSC: %s from %s: only for this machine and for senders with --osc-token", address, host)
            return False
        return not is_pattern(address) or address in self._known or self._can_afford(address)

    def _can_afford(self, pattern) -> bool:
        """Return whether a wildcard that was not met before can be looked up now."""
        if not self._patterns.is_left():
            self.left_out += 1
            self._many.warn("OSC: more than %d new wildcards a second; the rest is left out", int(PER_SECOND))
            return False
        self._patterns.spend(1.0)
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known.add(pattern)
        return True


def normalize(address: str) -> str:
    """Return an address as the commands are spelled: capital letters and a slash at the end make no difference."""
    return address.casefold().rstrip("/")


def is_guarded(address: str) -> bool:
    """Return whether an address calls a command that is not for everybody, in any spelling the mapping would understand."""
    command = COMMANDS.get(address) or COMMANDS.get(normalize(address))
    return command is not None and command.guarded
