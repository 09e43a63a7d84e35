from engine.bends import transform
from engine.parameter import Parameter


@transform(threshold=Parameter(0.0, -4.0, 4.0, about="above it 1, else 0"))
def binary_threshold(x, threshold):
    """Black and white: 1 where the activation is above the threshold, else 0."""
    return (x > threshold).to(x.dtype)
