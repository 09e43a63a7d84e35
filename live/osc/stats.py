"""How an OSC port is doing: what came, from whom, and what was of no use. Kept small, however long the show.

Each count is written by one thread only (the receiver's, but for unknown(), which is the loop's); report() may be
called from any.
"""
import difflib
import logging

from live.osc.admission import Admission, Allowance
from live.show.clock import now
from live.show.commands import COMMANDS
from live.show.journal import Seldom

log = logging.getLogger(__name__)

KEPT = 64                           # unknown addresses, and senders, remembered
MANY = 1024                         # addresses whose newest values are kept
ARGUMENTS, LETTERS = 8, 64           # of a message, and of a text in it, that are kept
OTHERS = "others"


class Near:
    """The addresses that one may have been meant as, in words; they are looked for only where the line is written."""

    def __init__(self, address, parameters):
        self.address, self.parameters = address, parameters

    def __str__(self):
        near = difflib.get_close_matches(self.address[:64], [*self.parameters, *COMMANDS] if self.parameters else (), n=2, cutoff=0.75)
        return f"; near: {', '.join(near)}" if near else ""


class Stats:
    """Counts for one port. admission: who may do what there."""

    def __init__(self, now=now, admission=None):
        self.now, self.admission = now, admission or Admission(now)
        self.packets = self.messages = self.bad = self.answered = self.unanswered_count = self.unknown_count = 0
        self.mistaken, self._replies = None, Allowance(self.now, 16.0, 4.0)      # mistaken(address, *text): tells the one who sent it
        self.buffer = 0                                          # bytes of receive buffer the kernel gave
        self.senders, self.unknown_values, self.questions = {}, {}, {}     # questions: address -> how often it was asked for
        self.values, self.strokes = {}, {}                       # address -> its newest arguments; the same for whole bundles
        self._bad, self._trouble, self._unknown = (Seldom(log, now) for _ in range(3))

    def note_datagram(self, sender, messages, faults):
        """Count a datagram with so many good messages in it and these faults."""
        self.packets += 1
        self.messages += messages
        name = sender[0]
        if name not in self.senders and len(self.senders) >= KEPT:
            name = OTHERS
        self.senders[name] = self.senders.get(name, 0) + 1
        if faults:
            self.bad += len(faults)
            self._bad.warn("OSC: ignored a malformed message from %s: %s", sender[0], faults[-1])

    def note_messages(self, messages):
        """Count these messages, (address, arguments). The newest of each address is kept while somebody watches."""
        if len(self.values) > MANY:
            self.values.clear()
        if len(self.strokes) > KEPT:
            self.strokes.clear()
        self.values.update((address, shorten(arguments)) for address, arguments in messages)

    def note_question(self, address):
        """Count a query."""
        times = self.questions.pop(address, 0)
        if len(self.questions) >= KEPT:
            self.questions.pop(next(iter(self.questions)), None)
        self.questions[address] = times + 1

    def newest(self) -> dict:
        """Return {address: what it brought last}."""
        found = dict(self.values)
        for addresses, numbers in list(self.strokes.items()):
            found |= zip(addresses, numbers)
        return {address: value[0] if isinstance(value, tuple) and len(value) == 1 else value for address, value in found.items()}

    def complain(self, text, *details):
        """Log trouble of the network."""
        self._trouble.warn("OSC: " + text, *details)

    def note_unanswered(self, address, known=()):
        """Count a query about something that does not exist. known: the addresses that do."""
        self.unanswered_count += 1
        text = f"asked for {address!r}, and there is no such parameter"
        self._trouble.warn("OSC: %s%s", text, Near(address, known))
        self._tell_mistake(address, text, known)

    def _tell_mistake(self, address, text, known):
        """Tell a listener who has just sent it what was wrong."""
        if self.mistaken is not None and self._replies.is_left():
            self._replies.spend(1)
            self.mistaken(address, text, Near(address, known))

    def unknown(self, address, value, parameters=()):
        """Note a message that the mapping had no use for. The newest of these are what OSC learn offers. parameters: those there are."""
        self.unknown_count += 1
        is_new = address not in self.unknown_values
        others = [known for known in self.unknown_values.items() if known[0] != address]
        kept = self.unknown_values = dict(others[-KEPT + 1:]) | {address: shorten(value)}     # another dict: threads that look never miss one
        if is_new:
            self._unknown.warn("OSC: nothing is called %r (it came with %r)%s", address, kept[address], Near(address, parameters))
            self._tell_mistake(address, f"nothing is called {address!r}", parameters)

    def report(self) -> dict:
        """Return the figures so far, ready for JSON."""
        return {
            "refused": self.admission.refused,
            "left_out": self.admission.left_out,
            "packets": self.packets,
            "messages": self.messages,
            "bad": self.bad,
            "unknown": self.unknown_count + self.unanswered_count,
            "queries": self.answered + self.unanswered_count,
            "questions": dict(self.questions),
            "senders": dict(self.senders),
            "unknown_addresses": dict(self.unknown_values),
            "receive_buffer": self.buffer,
        }


def shorten(value):
    """Return a value, or a message's arguments, short enough to be kept a thousand times: a few numbers, the beginning of a text."""
    if isinstance(value, tuple):
        return tuple(shorten(part) for part in value[:ARGUMENTS])
    return value[:LETTERS] if isinstance(value, str) else value
