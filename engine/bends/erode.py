from engine.bends import transform
from engine.morphology import erode_maps
from engine.parameter import Parameter


@transform(radius=Parameter(1, 0, 16, step=1, unit="px of the layer", about="of the ellipse"), static=("radius",))
def erode(x, radius):
    """Thin out what is bright: the minimum over an ellipse. Fractions of a radius are rounded."""
    return erode_maps(x, round(radius)) if round(radius) > 0 else x
