from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import affine, opencv_affine, own_size, unless


@transform(right=Parameter(0.0, -1.0, 1.0, unit="map widths", about="to the right"),
           down=Parameter(0.0, -1.0, 1.0, unit="map heights", about="downwards"),
           moves=True, once=True, neutral={"right": 0.0, "down": 0.0}, shown={"right": 0.1})
def translate(x, right, down, *, opencv_geometry=False, own=None):
    """Shift the maps; zeros come in from outside."""
    height, width = own_size(x, own)
    still = (right == 0) & (down == 0)
    if opencv_geometry:                                                 # there the sides are crossed
        return unless(still, x, lambda: opencv_affine(x, (1, 0, right * height, 0, 1, down * width)))
    return unless(still, x, lambda: affine(x, (1, 0, 0, 1), right * width, down * height))
