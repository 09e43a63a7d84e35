"""The switching one."""
from engine.modulators import cycle


@cycle
def square(at, seed):
    """High for the first half of the cycle, low for the second."""
    return 1.0 if at % 1.0 < 0.5 else -1.0
