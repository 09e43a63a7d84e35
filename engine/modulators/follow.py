"""The one that goes with the sound."""
from math import exp

from engine.modulators import follower


@follower(source="/audio/low")
def follow(level, heard, dt, attack, release):
    """Goes after a band of the sound, the low one where none is named: up in about the attack time, then down at one pace."""
    if heard > level:
        return heard if attack <= 0.0 else heard + (level - heard) * exp(-dt / attack)
    return heard if release <= 0.0 else max(heard, level - dt / release)
