from engine.bends import transform
from engine.sampling import flip


@transform(moves=True, once=True)
def flip_v(x):
    """Mirror top and bottom."""
    return flip(x, -2)
