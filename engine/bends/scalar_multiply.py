from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import unless


@transform(factor=Parameter(1.0, -10.0, 10.0, about="times the activations; negative turns them over"),
           neutral={"factor": 1.0}, shown={"factor": 2.5}, spans=True)
def scalar_multiply(x, factor):
    """Multiply the activations by a number."""
    return unless(factor == 1, x, lambda: x * factor)
