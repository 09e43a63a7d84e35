from engine.bends import transform
from engine.morphology import dilate_maps
from engine.parameter import Parameter


@transform(radius=Parameter(1, 0, 16, step=1, unit="px of the layer", about="of the ellipse"), static=("radius",))
def dilate(x, radius):
    """Swell what is bright: the maximum over an ellipse. Fractions of a radius are rounded."""
    return dilate_maps(x, round(radius)) if round(radius) > 0 else x
