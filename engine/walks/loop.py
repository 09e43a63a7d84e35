"""A closed loop through seeds: after exactly one period it is where it began."""
from engine.parameter import Parameter
from engine.walks import PERIOD, SEED, SPEED, UNIT, pace, seconds, spline, walk

STOPS = Parameter((), 0, 2 ** 31 - 1, step=1, size=64, about="the loop's seeds, one by one; empty = count up from /walk/seed")
COUNT = Parameter(6, 2, 64, step=1, about="how many seeds the loop goes through, counted up from /walk/seed")


def list_keys(seed, count, stops):
    """Return the seeds on the loop, in order."""
    return [int(s) for s in stops] if len(stops) >= 2 else [int(seed) + i for i in range(int(count))]


def rate(settings, beat):
    keys = list_keys(settings["seed"], settings["count"], settings["stops"])
    return len(keys) / seconds(settings, beat) * pace(settings)


def around(settings):
    return len(list_keys(settings["seed"], settings["count"], settings["stops"]))


@walk(rate, around, seed=SEED, count=COUNT, stops=STOPS, period=PERIOD, unit=UNIT, speed=SPEED)
def loop(at, seed, count, stops, period, unit, speed):
    """A closed curve through several seeds, once around per period."""
    keys = list_keys(seed, count, stops)
    return spline(at % len(keys), lambda n: keys[n % len(keys)])
