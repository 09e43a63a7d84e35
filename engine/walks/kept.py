"""A walk through kept latents: projected pictures, walks of other tools, in the order that was asked for."""
from engine.walks import SPEED, Kept, by_speed, spline, walk

WHOLE = -1                          # the index of a key that stands for all of a file, one after the other


@walk(by_speed, keyed=True, speed=SPEED)
def kept(at, speed, keys=()):
    """Through kept latents, round and round: those of /latents/walk or /latents/play, else all there are; at one it stays."""
    if not keys:
        return spline(at, lambda n: Kept(("", n % 2 ** 31)))
    if len(keys) > 1:
        return spline(at, lambda n: Kept(keys[n % len(keys)]))
    name, index = keys[0]
    return spline(at, lambda n: Kept((name, n % 2 ** 31))) if index == WHOLE else ((Kept((name, index)), 1.0),)
