from engine.bends import transform


@transform()
def invert(x):
    """Turn the maps' values over: 1 - x, not -x."""
    return 1 - x
