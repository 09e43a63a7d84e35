from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import affine, opencv_affine, turn, unless


@transform(angle=Parameter(0.0, -180.0, 180.0, curve="circular", unit="degrees", about="counter-clockwise"),
           moves=True, once=True, neutral={"angle": 0.0}, shown={"angle": 30.0})
def rotate(x, angle, *, opencv_geometry=False):
    """Turn about the centre; zeros come in from outside."""
    height, width = x.shape[2:]
    c, s = turn(angle)
    if opencv_geometry:
        middle, centre = width / 2, height / 2
        forward = (c, s, (1 - c) * middle - s * centre, -s, c, s * middle + (1 - c) * centre)
        return unless(angle % 360 == 0, x, lambda: opencv_affine(x, forward))
    return unless(angle % 360 == 0, x, lambda: affine(x, (c, -s, s, c)))
