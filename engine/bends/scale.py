from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import affine, inverse, opencv_affine, unless


@transform(factor=Parameter(1.0, -4.0, 4.0, about="above 1 magnifies, below shrinks, negative also turns by 180 degrees"),
           moves=True, once=True, neutral={"factor": 1.0}, shown={"factor": 1.5})
def scale(x, factor, *, opencv_geometry=False):
    """Zoom about the centre; zeros come in from outside."""
    height, width = x.shape[2:]
    if opencv_geometry:
        forward = (factor, 0, (1 - factor) * width / 2, 0, factor, (1 - factor) * height / 2)
        return unless(factor == 1, x, lambda: opencv_affine(x, forward))
    step = inverse(factor)
    return unless(factor == 1, x, lambda: affine(x, (step, 0, 0, step)))
