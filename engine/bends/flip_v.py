from engine.bends import transform
from engine.sampling import flipped


@transform(moves=True)
def flip_v(x):
    """Mirror top and bottom."""
    return flipped(x, -2)
