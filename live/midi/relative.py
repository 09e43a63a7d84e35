"""Encoders without ends: what a message says about how far one was turned, and how speed counts. Numbers only.

Source: the encodings as the Ableton Live manual tables them.
"""
from typing import TYPE_CHECKING, Literal

FAST = 20.0                         # clicks a second from which acceleration counts
MOST = 8.0                          # times faster, at most

# encoding -> clicks, up positive, of a value 0..127
ENCODINGS = {
    "twos": lambda value: value if value <= 64 else value - 128,           # 1..64 up, 127..65 down
    "sign": lambda value: value if value <= 64 else 64 - value,            # 1..64 up, 65..127 down
    "offset": lambda value: value - 64,                                    # 65..127 up, 63..1 down
}
if TYPE_CHECKING:                   # which reads no tuple
    Encoding = str
else:
    Encoding = Literal[tuple(ENCODINGS)]


def count_clicks(encoding: str, position: float) -> int:
    """Return the clicks that an event's 0..1 stands for."""
    return ENCODINGS[encoding](round(position * 127))


def accelerate(clicks: int, seconds: float, acceleration: float) -> float:
    """Return the clicks, more of them if they came within so few seconds after the last ones."""
    rate = abs(clicks) / max(seconds, 1e-3)
    return clicks * min(1.0 + acceleration * max(0.0, rate / FAST - 1.0), MOST)


def guess_encoding(values) -> str | None:
    """Return the encoding that a control which sent these values 0..127 in a row uses; None: it has ends, as a fader has.

    A fader never says the same twice in a row; an encoder does, and hardly ever more than a few clicks at once.
    """
    pairs = list(zip(values, values[1:]))
    if not any(a == b for a, b in pairs):
        return None
    near = {where: any(low <= value <= high for value in values)
            for where, (low, high) in {"one": (1, 16), "end": (112, 127), "under": (48, 63), "over": (65, 80)}.items()}
    if not all(1 <= value <= 16 or 48 <= value <= 80 and value != 64 or value >= 112 for value in values):
        return None
    if near["under"]:
        return "offset"
    if near["over"]:
        return "sign" if near["one"] else "offset"
    return "twos"
