from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import blur_maps, unless


@transform(amount=Parameter(1.0, 0.0, 8.0, about="how much of the detail is added again"),
           radius=Parameter(0.03, 0.005, 0.25, curve="log", unit="map widths", about="finer than this is detail"),
           neutral={"amount": 0.0}, shown={"amount": 3.0, "radius": 0.05})
def sharpen(x, amount, radius, *, own=None):
    """Exaggerate what stands out from its surroundings."""
    return unless(amount == 0, x, lambda: x + (x - blur_maps(x, radius, own)) * amount)
