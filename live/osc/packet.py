"""A datagram into OSC messages, trusting none of it: bytes in, (address, arguments) out.

Knows no sockets and no parameters. Time tags are not looked at: whatever arrives means now. Numbers are decoded
here, quickly; other types by the codec handed in, which never sees anything whose structure has not been checked.
"""
from math import isfinite
from struct import Struct

LARGEST = 65507                     # bytes in a UDP datagram; those we send stay below an Ethernet frame
DEPTH = 8                           # bundles within bundles
LONGEST_ADDRESS = 255
MOST_ARGUMENTS = 4096               # of one message; the longest vector there is has 512
LONGEST_TEXT = 4096                 # bytes of a message that holds text
BUNDLE = b"#bundle\0"
NUMBERS = {"f": "f", "i": "i", "d": "d", "h": "q"}           # OSC type tag -> struct code
OTHERS = frozenset("sSTFNIr[]")                              # what the codec is asked for, besides numbers
REMEMBERED, SHORT = 4096, 1024      # message heads kept, and the longest worth keeping
LAYOUTS = 64                        # bundles whose layout is kept


class Malformed(ValueError):
    """These bytes are not an OSC message that means anything here."""


def read(datagram: bytes, codec) -> tuple[list, list]:
    """Return the messages of a datagram as (address, arguments), and what was wrong with those left out. codec(message bytes) -> arguments, or Malformed:
    called only for types that are not numbers.

    codec(message bytes) -> arguments, or Malformed. Called only for types that are not numbers.
    """
    spans: list[tuple[int, int]] = []
    faults: list[str] = []
    found = []
    if datagram[:8] == BUNDLE:
        _open(datagram, 0, len(datagram), 1, spans, faults)
    elif datagram[:1] == b"/" and len(datagram) % 4 == 0:
        spans.append((0, len(datagram)))
    else:
        faults.append("neither a message nor a bundle")
    for start, end in spans:
        try:
            single = _singles.get(datagram[start:end - 4])       # one number behind a head met before: nearly all are
            if single is not None:
                address, unpack = single
                arguments = unpack(datagram, end - 4)
                if arguments[0] - arguments[0] == 0:             # neither NaN nor infinite
                    found.append((address, arguments))
                    continue
            found.append(_read_message(datagram, start, end, codec))
        except Malformed as fault:
            faults.append(str(fault))
    if len(found) > 1 and not faults:
        _learn(datagram, spans)
    return found, faults


def read_known(datagram: bytes):
    """Return (addresses, numbers) of a bundle that is laid out like one read before, if all it holds are single numbers; else None."""
    layout = _layouts.get(_make_outline(datagram))
    numbers = layout.unpack(datagram) if layout else None
    return None if layout is None or numbers is None else (layout.addresses, numbers)


class Layout:
    """How a bundle of single numbers was laid out. Senders send the same one again and again, with other numbers."""

    def __init__(self, datagram, spans, known):
        """known: the (address, struct code of its number) of each message."""
        self.addresses = tuple(address for address, _ in known)
        self.heads = tuple(datagram[start - 4:end - 4] for start, end in spans)       # each with its size before it
        self._unpack = Struct(">16x" + "".join(f"{len(head)}s{code}" for head, (_, code) in zip(self.heads, known))).unpack

    def unpack(self, datagram):
        """Return the numbers of a datagram of this length, or None if its layout is another, or a number isn't finite."""
        parts = self._unpack(datagram)
        numbers = parts[1::2]
        return numbers if datagram[:8] == BUNDLE and parts[::2] == self.heads and isfinite(sum(numbers)) else None


def _learn(datagram, spans):
    """Remember the layout of a bundle, if it holds nothing but messages of one number, one after the other."""
    known = [single for start, end in spans if (single := _singles.get(datagram[start:end - 4])) is not None]
    together = all(before == start - 4 for before, (start, _) in zip([16, *(end for _, end in spans)], spans))
    if len(known) < len(spans) or not together or spans[-1][1] != len(datagram):
        return
    if len(_layouts) >= LAYOUTS:
        _layouts.clear()
    _layouts[_make_outline(datagram)] = Layout(datagram, spans, [(address, _heads[datagram[start:end - 4]][1].format[1:])
                                                       for (address, _), (start, end) in zip(known, spans)])


def _make_outline(datagram):
    """Return what tells most bundles from others: the length, and the first message's size and head, as far as any has one."""
    return len(datagram), datagram[16:28]


def _open(datagram, start, end, depth, spans, faults):
    """Add the (start, end) of each message in the bundle at start..end, and what is wrong with the other elements."""
    if depth > DEPTH:
        faults.append(f"bundles more than {DEPTH} deep")
        return
    at = start + 16
    if at > end:
        faults.append("a bundle without a time tag")
    while at < end:
        size, = _SIZE.unpack_from(datagram, at) if at + 4 <= end else (0,)
        at += 4
        if size <= 0 or at + size > end:
            faults.append(f"an element of {size} bytes where {max(end - at, 0)} are left")
            return                                               # where the next one begins is not known
        if datagram[at:at + 8] == BUNDLE:
            _open(datagram, at, at + size, depth + 1, spans, faults)
        elif datagram[at] == 0x2F and size % 4 == 0:             # "/"
            spans.append((at, at + size))
        else:
            faults.append("an element that is neither a message nor a bundle")
        at += size


_SIZE = Struct(">i")
_AT_ONCE = Struct(">Q").pack(1)     # the time tag that means now
_heads: dict = {}                   # the bytes before the arguments -> (address, Struct, or None: ask the codec)
_layouts: dict = {}                 # _outline of a bundle -> its Layout, the newest there was
_singles: dict = {}                 # the same where the arguments are one number of 4 bytes: (address, unpack)


def _read_message(datagram, start, end, codec):
    middle = _find_string_end(datagram, start, start, end)
    values_at = _find_string_end(datagram, middle, start, end) if middle < end else middle
    head = datagram[start:values_at]
    known = _heads.get(head)
    if known is None:
        known = _read_head(head, middle - start)
        if len(head) <= SHORT:
            if len(_heads) >= REMEMBERED:
                _heads.clear()
                _singles.clear()
            _heads[head] = known
            if known[1] is not None and known[1].size == 4:
                _singles[head] = known[0], known[1].unpack_from
    address, numbers = known
    if numbers is None:
        if end - start > LONGEST_TEXT + len(head):
            raise Malformed(f"{address!r}: {end - values_at} bytes of text; at most {LONGEST_TEXT} are taken")
        return address, codec(datagram[start:end])
    if numbers.size > end - values_at:
        raise Malformed(f"{address!r}: arguments cut short")
    arguments = numbers.unpack_from(datagram, values_at)
    if not are_finite(arguments):
        raise Malformed(f"{address!r}: not a finite number")
    return address, arguments


def _find_string_end(datagram, at, start, end):
    """Return where the padded string at `at` is over; padding counts from the start of the message."""
    nul = datagram.find(0, at, end)
    past = start + ((nul - start) | 3) + 1
    if nul < 0 or past > end:
        raise Malformed("a string without its end")
    return past


def _read_head(head, middle):
    """Return (address, how its arguments are laid out) from the bytes before them."""
    address, tags = _read_text(head[:middle]), _read_text(head[middle:]) or ","
    if len(address) > LONGEST_ADDRESS or not address.isprintable():
        raise Malformed("an address that cannot be one")
    if tags[0] != ",":
        raise Malformed(f"{address!r}: no type tags")
    kinds = tags[1:]
    if len(kinds) > MOST_ARGUMENTS:
        raise Malformed(f"{address!r}: {len(kinds)} arguments; at most {MOST_ARGUMENTS} are taken")
    unusable = set(kinds) - NUMBERS.keys() - OTHERS
    if unusable:
        raise Malformed(f"{address!r}: type {', '.join(sorted(unusable)[:4])!r} is not accepted")
    if not NUMBERS.keys() >= set(kinds):
        return address, None
    return address, Struct(">" + "".join(NUMBERS[kind] for kind in kinds))


def _read_text(padded):
    try:
        return padded.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise Malformed("text that is not UTF-8") from None


def bundle(messages, most=1400):
    """Return datagrams for messages: one message as it is, several in bundles of at most `most` bytes where they fit."""
    if len(messages) == 1:
        return messages
    datagrams, size = [], most
    for message in messages:
        if size + 4 + len(message) > most:
            datagrams.append(BUNDLE + _AT_ONCE)
            size = 16
        datagrams[-1] += _SIZE.pack(len(message)) + message
        size = len(datagrams[-1])
    return datagrams


def are_finite(arguments) -> bool:
    """Return whether all the numbers among the arguments are: neither NaN nor infinite."""
    return all(isfinite(a) for a in arguments if isinstance(a, (int, float)))
