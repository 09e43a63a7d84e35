
from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import affine, inverse, turn


@transform(amount=Parameter(0.8, 0.0, 1.0, about="how much of each frame is the one before; 1 holds it for good"),
           zoom=Parameter(1.0, 0.8, 1.25, curve="log", about="of the frame before, each frame"),
           angle=Parameter(0.0, -45.0, 45.0, unit="degrees", about="turn of the frame before, each frame"),
           neutral={"amount": 0.0}, shown={"amount": 0.92, "zoom": 1.04})
def feedback(x, amount, zoom, angle, *, previous=None):
    """Trails: blend with what this bend gave in the frame before."""
    if previous is None or previous.shape != x.shape:
        return x
    (c, s), step = turn(angle), inverse(zoom)
    before = affine(previous, (c * step, -s * step, s * step, c * step), border="border")
    return x + (before - x) * amount
