from engine.bends import transform


@transform()
def flip_h(x):
    """Mirror left and right."""
    return x.flip(-1)
