"""The rising one."""
from engine.modulators import cycle


@cycle
def saw(at, seed):
    """Straight up from low to high, and back at once; a negative depth falls instead."""
    return 2.0 * (at % 1.0) - 1.0
