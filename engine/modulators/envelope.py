"""The listening one."""
from math import exp

from engine.modulators import follower


@follower
def envelope(level, heard, dt, attack, release):
    """Goes after another parameter: up in about the attack time, down in about the release time."""
    length = attack if heard > level else release
    return heard if length <= 0.0 else heard + (level - heard) * exp(-dt / length)
