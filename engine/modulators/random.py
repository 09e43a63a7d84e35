"""The drifting one."""
from math import floor

from engine.modulators import chance, cycle


@cycle
def random(at, seed):
    """Somewhere else with every cycle, smoothly all the way: no corner and no step."""
    n = floor(at)
    t = at - n
    start, end = chance(seed, n), chance(seed, n + 1)
    return start + (end - start) * t * t * (3.0 - 2.0 * t)
