"""The circular noise loop: a circle in z around a seed, so that every turn is one closed breath."""
from math import cos, pi, sin

from engine.parameter import Parameter
from engine.walks import PERIOD, SEED, SPEED, UNIT, Mixed, pace, seconds, walk

RADIUS = Parameter(0.6, 0.0, 2.0, about="how far the circle strays from its seed, in standard deviations of z")


def rate(settings, beat):
    return 1.0 / seconds(settings, beat) * pace(settings)


@walk(rate, seed=SEED, radius=RADIUS, period=PERIOD, unit=UNIT, speed=SPEED)
def circle(at, seed, radius, period, unit, speed):
    """A circle in z around a seed, once around per period."""
    angle = 2 * pi * (at % 1.0)
    seed = int(seed)
    sides = (((seed, 1), radius * cos(angle)), ((seed, 2), radius * sin(angle)))
    return ((Mixed(((seed, 1.0), *sides)), 1.0),)
