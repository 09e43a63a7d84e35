from engine.bends import transform
from engine.sampling import flipped


@transform(moves=True)
def flip_h(x):
    """Mirror left and right."""
    return flipped(x, -1)
