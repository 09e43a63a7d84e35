"""Stay at one seed. With /walk/glide, a new seed is gone to over that many seconds."""
from engine.walks import SEED, standing, walk


@walk(standing, seed=SEED)
def hold(at, seed):
    """Stay at one seed."""
    return ((int(seed), 1.0),)
