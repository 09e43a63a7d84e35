"""The round one."""
from math import sin, tau

from engine.modulators import cycle


@cycle
def sine(at, seed):
    """Round: from the middle up, down and back."""
    return sin(tau * (at % 1.0))
