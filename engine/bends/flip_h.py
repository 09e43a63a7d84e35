from engine.bends import transform
from engine.sampling import flip


@transform(moves=True, once=True)
def flip_h(x):
    """Mirror left and right."""
    return flip(x, -1)
