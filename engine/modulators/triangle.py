"""The straight one."""
from engine.modulators import cycle


@cycle
def triangle(at, seed):
    """Straight up and straight down, from the middle like a sine."""
    return 1.0 - abs((4.0 * at + 1.0) % 4.0 - 2.0)
