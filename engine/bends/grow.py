from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import affine, unless


@transform(amount=Parameter(0.0, -2.0, 2.0, unit="octaves", about="1 = twice as large, -1 = half; made for a modulator"),
           moves=True, once=True, neutral={"amount": 0.0}, shown={"amount": 0.7})
def grow(x, amount):
    """Grow and shrink evenly about the middle, as a modulator turns it."""
    step = 2 ** -amount
    return unless(amount == 0, x, lambda: affine(x, (step, 0, 0, step), border="border"))
