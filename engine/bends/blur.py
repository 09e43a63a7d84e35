from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import blur_maps, unless


@transform(radius=Parameter(0.05, 0.0, 0.5, curve="square", unit="map widths", about="standard deviation of the Gaussian"),
           neutral={"radius": 0.0}, shown={"radius": 0.08})
def blur(x, radius, *, own=None):
    """Smear the maps out."""
    return unless(radius == 0, x, lambda: blur_maps(x, radius, own))
