"""An endless random walk: seeded, continuous, the same every time."""
from engine.walks import SEED, SPEED, by_speed, spline, walk


@walk(by_speed, seed=SEED, speed=SPEED)
def wander(at, seed, speed):
    """Endless, never the same place twice; the same path for the same seed."""
    return spline(at, lambda n: (int(seed), n % 2 ** 32))
