"""A latent given from outside, number by number (TouchDesigner, a sensor, a script)."""
from engine.parameter import Parameter
from engine.walks import SEED, Vector, standing, walk

Z = Parameter((), -8.0, 8.0, size=512, about="z, number by number; missing ones are 0; empty = the seed's own z")


@walk(standing, seed=SEED, z=Z)
def vector(at, seed, z):
    """The z sent to /walk/z."""
    return ((Vector(tuple(z)), 1.0),) if z else ((int(seed), 1.0),)
