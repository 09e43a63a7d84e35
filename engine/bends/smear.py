from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import act_at, affine, turn, unless

COPIES = 6


@transform(length=Parameter(0.25, 0.0, 1.0, curve="square", unit="map widths", about="how far it is dragged"),
           angle=Parameter(90.0, 0.0, 360.0, curve="circular", unit="degrees", about="which way: 0 to the right, 90 downwards"),
           neutral={"length": 0.0})
def smear(x, length, angle):
    """Drag the paint: each spot is mixed with what lies behind it."""
    return unless(length == 0, x, lambda: _drag(x, length, angle))


def _drag(x, length, angle):
    c, s = turn(angle)
    mixed, total = x.float(), 1.0
    with act_at(None):
        for n in range(1, COPIES + 1):
            weight, way = 1 - n / (COPIES + 2), length * x.shape[3] * n / COPIES
            mixed = mixed + weight * affine(x.float(), (1, 0, 0, 1), way * c, way * s, border="border")
            total += weight
    return (mixed / total).to(x.dtype)
