from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import read, unless


@transform(amount=Parameter(1.0, 0.0, 1.0, about="how firmly it is held"),
           right=Parameter(0.0, -1.0, 1.0, unit="half map widths", about="held so far to the right of where it is on average"),
           down=Parameter(0.0, -1.0, 1.0, unit="half map widths", about="and so far below"),
           moves=True, neutral={"amount": 0.0}, shown={"down": 0.12})
def pin(x, amount, right, down, *, place=None):
    """Hold a part at one spot of the picture while the rest moves."""
    if place is None or place.home is None:
        return x
    half = x.shape[3] / 2
    way = [(place.home[..., axis] + off - place.centre[..., axis])[..., None, None] * (amount * half) for axis, off in ((0, right), (1, down))]
    return unless(amount == 0, x, lambda: read(x, *place.move(*x.shape[2:], _carry, way, False)))


def _carry(across, along, right, down):
    return across - right, along - down
