from engine.bends import transform


@transform()
def flip_v(x):
    """Mirror top and bottom."""
    return x.flip(-2)
