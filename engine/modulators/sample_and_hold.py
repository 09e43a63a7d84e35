"""The stepping one."""
from math import floor

from engine.modulators import chance, cycle


@cycle
def sample_and_hold(at, seed):
    """Somewhere else with every cycle, and there until the next."""
    return chance(seed, floor(at))
