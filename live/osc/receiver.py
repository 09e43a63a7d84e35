"""What OSC datagrams become: ControlEvents, answers to questions, listeners. Knows addresses only as text, and no port.

What is a parameter and what a command is Mapping's business. Measured: the stock servers of python-osc lose a TouchDesigner
bundle of 200 channels (8 KiB), sleep until a bundle's time tag and can be hung by 20 bytes, so the socket and the guard are
ours (live/osc/packet.py) and the library is the codec.
"""
import select
import struct
from functools import lru_cache

from live.osc.address import find_asked, is_pattern
from live.osc.admission import JOINED, OTHER, TOKEN, Admission, is_guarded, normalize
from live.osc.packet import LARGEST, Malformed, are_finite, bundle, read, read_known
from live.osc.stats import Stats
from live.osc.write import make_message
from live.show.clock import now, sleep
from live.show.commands import COMMANDS
from live.show.events import ControlEvent, make_fader_events

LIBRARIES = ("pythonosc",)
POLL = 0.1                          # seconds between looks at `stop`
REST = 0.002                        # seconds in which a burst of single packets gathers: every wake-up takes the
                                    # interpreter from the loop, and 300 of them a frame would be felt
QUESTION = ("?",)
SAME_AS = bytes.maketrans(b"IS", b"Ts")              # type tags that mean what another one does: impulse, symbol
SUBSCRIPTIONS = frozenset(("/subscribe", "/unsubscribe"))
OWN = SUBSCRIPTIONS | {TOKEN}       # what concerns the port itself
BYTES = 64                          # of a datagram that cost as much as a message


def make_taker(emit):
    """Return a function (datagram, sender) that emits the events of an OSC packet which came by another way. It answers no queries."""
    return Receiver(None, emit, None, None, Stats(admission=Admission(now, everybody=True))).receive


class Receiver:
    """One socket, and what its datagrams become."""

    def __init__(self, udp, emit, lookup, addresses, stats, echo=None):
        self.udp, self.emit, self.stats, self.echo = udp, emit, stats, echo
        self.admission = stats.admission
        stats.mistaken = echo.tell_mistake if echo is not None else None
        self.lookup, self.addresses = lookup or (lambda address: None), addresses or tuple

        from pythonosc.osc_message import OscMessage, ParseError
        self.codec = make_codec(OscMessage, ParseError)

    def run(self, stop):
        """Take datagrams as fast as they come until `stop` is set."""
        while not stop.is_set():
            try:
                datagram, sender = self.udp.recvfrom(LARGEST + 1)
            except BlockingIOError:
                sleep(REST)
                select.select([self.udp], (), (), POLL)
            except ConnectionResetError:                         # Windows: an answer went to a port that is closed
                pass
            except OSError as error:                             # the network went away; it may come back
                self.stats.complain("cannot receive: %s", error)
                stop.wait(POLL)
            else:
                self.receive(datagram, sender)

    def receive(self, datagram, sender):
        """Take one datagram: answer its queries, emit the rest together."""
        moment = now()
        if not self.admission.admit_datagram(sender[0]):
            return
        if (known := read_known(datagram)) is not None and not _is_special(known[0]):
            addresses, numbers = known
            self.admission.spend(max(_count_units(addresses), len(datagram) / BYTES))
            self.stats.note_datagram(sender, len(numbers), ())
            self.stats.strokes[addresses] = numbers
            if self.echo is not None:
                self.echo.note_said(sender, zip(addresses, numbers))
            self.emit(make_fader_events(_name_controls(addresses), numbers, moment))
            return
        messages, faults = read(datagram, self.codec)
        if len(messages) == 1 and not faults and self._is_fader(*messages[0]):
            address, arguments = messages[0]
            self._receive_fader(address, arguments, sender, moment)
            return
        self.admission.spend(max(self.admission.measure_cost(messages) + OTHER * len(faults), len(datagram) / BYTES))
        messages = [(address, arguments) for address, arguments in messages if self.admit(address, arguments, sender)]
        self.stats.note_datagram(sender, len(messages), faults)
        messages = [(address, arguments) for address, arguments in messages
                    if not self.subscribe(address, arguments, sender)
                    and (arguments and arguments != QUESTION or not self.answer_query(address, arguments, sender))]
        events = [make_event(address, arguments, moment) for address, arguments in messages]
        self.stats.note_messages(messages)
        if self.echo is not None:
            self.echo.note_said(sender, ((address, arguments[0] if len(arguments) == 1 else arguments) for address, arguments in messages))
        if len(events) == 1:
            self.emit(events[0])
        elif events:
            self.emit(events)

    def _is_fader(self, address, arguments) -> bool:
        """Return whether a message is one number for an address met before that is no command: of such there are thousands a second."""
        return len(arguments) == 1 and type(arguments[0]) is float and self.admission.is_known(address) and _is_plain(address)

    def _receive_fader(self, address, arguments, sender, moment):
        self.admission.spend(1)
        self.stats.note_datagram(sender, 1, ())
        self.stats.values[address] = arguments
        if self.echo is not None:
            self.echo.note_said(sender, ((address, arguments[0]),))
        self.emit(ControlEvent("osc " + address, arguments[0], False, moment))

    def admit(self, address, arguments, sender) -> bool:
        """Return whether a message may act; where it is a token, note it."""
        if normalize(address) == TOKEN:
            self.admission.introduce(arguments, sender[0])
            return False
        return self.admission.admit(address, sender[0])

    def subscribe(self, address, arguments, sender) -> bool:
        """Return whether a message was a listener's /subscribe or /unsubscribe."""
        if self.echo is None or (command := normalize(address)) not in SUBSCRIPTIONS or arguments == QUESTION:
            return False
        self.admission.spend(JOINED)
        self.echo.answer_request(command, arguments, sender)
        return True

    def answer_query(self, address, arguments, sender) -> bool:
        """Answer a query; whether it was one. A question mark always is, an empty message if a parameter is there."""
        if not self.admission.admit_datagram(sender[0]):                  # a bundle may hold a thousand of them
            return True
        values = [(name, value) for name in find_asked(address, self.addresses()) if (value := self.lookup(name)) is not None]
        if values or arguments:
            self.stats.note_question(address)
        if values:
            if self.admission.may_answer(sender[0], len(values)):
                self.answer(values, sender)
        elif arguments:
            self.stats.note_unanswered(address, self.addresses())
        return bool(values or arguments)

    def answer(self, values, sender):
        """Send (address, value) pairs; many go as bundles, so that the one who asked need not catch a burst."""
        try:
            for datagram in bundle([make_message(*value) for value in values]):
                self.udp.sendto(datagram, sender)
            self.stats.answered += len(values)
        except OSError as error:
            self.stats.complain("cannot answer %s: %s", sender[0], error)


@lru_cache(maxsize=64)
def _is_special(addresses) -> bool:
    """Return whether a bundle with these addresses holds more than plain faders: a subscription, a wildcard, a guarded command."""
    return any(is_pattern(a) or is_guarded(a) or normalize(a) in OWN for a in addresses)


@lru_cache(maxsize=4096)
def _is_plain(address) -> bool:
    """Return whether an address is one place, and no command in any spelling."""
    return not is_pattern(address) and normalize(address) not in OWN and normalize(address) not in COMMANDS


@lru_cache(maxsize=64)
def _count_units(addresses) -> int:
    """Return the cost of a bundle of single numbers for these addresses, in units of admission."""
    return len(addresses) + (OTHER - 1) * sum(normalize(a) in COMMANDS for a in addresses)


@lru_cache(maxsize=64)
def _name_controls(addresses) -> tuple:
    """Return the names of the addresses of a bundle as controls."""
    return tuple("osc " + address for address in addresses)


def make_event(address, arguments, moment):
    """Return a message as a ControlEvent: one argument is the value itself, several are a tuple, nil is none."""
    if len(arguments) == 1:
        value = arguments[0]
        kind = type(value)
        return ControlEvent("osc " + address, value, kind is not float and kind is not int, moment)
    momentary = not arguments or not all(type(a) is float or type(a) is int for a in arguments)
    return ControlEvent("osc " + address, arguments, momentary, moment)


def _split_colour(value: int) -> list[float]:
    """Return red, green, blue and alpha, 0..1, of a colour's 32 bits."""
    return [(value >> shift & 255) / 255 for shift in (24, 16, 8, 0)]


def make_codec(message, parse_error):
    """Return the function that decodes what live.osc.packet has no quick way for: strings, bools, nil, impulse, arrays."""
    def decode(element: bytes) -> tuple:
        address, _, rest = element.partition(b"\0")
        address_ends = (len(address) | 3) + 1
        tags, _, _ = element[address_ends:].partition(b"\0")
        values_at = address_ends + (len(tags) | 3) + 1
        if tags.count(b"[") != tags.count(b"]"):
            raise Malformed(f"{address!r}: an array without its end")
        flat = tags.translate(None, b"[]").translate(SAME_AS)    # arrays are taken flat, an impulse is a press
        flat += b"\0" * (4 - len(flat) % 4)
        try:
            found = message(element[:address_ends] + flat + element[values_at:]).params
        except (parse_error, ValueError, IndexError, TypeError, struct.error) as fault:
            raise Malformed(f"{address!r}: {fault}") from None
        if b"r" in flat:
            found = [part for tag, value in zip(flat[1:].rstrip(b"\0").decode(), found) for part in (_split_colour(value) if tag == "r" else [value])]
        given = tuple(value for value in found if value is not None)
        if not are_finite(given):
            raise Malformed(f"{address!r}: not a finite number")
        return given
    return decode
