"""Values into OSC messages: bytes out, in the types every program knows. Knows no sockets and no parameters.

Written here and not by the codec library, which takes 10 us a message: an echo of 300 faders to four listeners is 72,000
messages a second.
"""
from functools import lru_cache
from struct import Struct

_FLOAT, _INT = Struct(">f").pack, Struct(">i").pack
REMEMBERED = 8192                   # heads: addresses with their type tags
EXACT = 1 << 24                     # whole numbers from here on a 32-bit float can't hold


def make_message(address: str, value) -> bytes:
    """Return a message with this value: f for a number (i where it takes one to hold it), s for text; several for a tuple."""
    if type(value) is float and -EXACT < value < EXACT:          # nearly all are
        return _make_head(address, "f") + _FLOAT(value)
    tags, parts = "", []
    for item in value if isinstance(value, (tuple, list)) else (value,):
        tag, part = _encode_argument(item)
        tags += tag
        parts.append(part)
    return _make_head(address, tags) + b"".join(parts)


def _encode_argument(item):
    if isinstance(item, str):
        return "s", pad(item)
    if type(item) is int or abs(item) >= EXACT and item == int(item):
        if -1 << 31 <= item < 1 << 31:
            return "i", _INT(int(item))
    return "f", _FLOAT(float(item))


@lru_cache(maxsize=REMEMBERED)
def _make_head(address, tags) -> bytes:
    """Return the bytes of a message before its arguments."""
    return pad(address) + pad("," + tags)


def pad(text: str) -> bytes:
    """Return text as OSC has it: ended by a zero, filled up to a multiple of four bytes."""
    encoded = text.encode().replace(b"\0", b"")
    return encoded + b"\0" * (4 - len(encoded) % 4)
