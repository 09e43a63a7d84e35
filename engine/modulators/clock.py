"""The one that the sound drives."""
from math import sin, tau

from engine.modulators import listener

FASTER = 4.0                        # times its rate, at the loudest


@listener(source="/audio/low")
def clock(at, level, heard, dt, how):
    """Round like a sine, at its rate while its source is silent and up to four times as fast while it is loud; the low band where none is named."""
    at += how.step * (1.0 + (FASTER - 1.0) * heard)
    return at, 0.5 + 0.5 * sin(tau * (at % 1.0))
