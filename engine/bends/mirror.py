from engine.bends import transform
from engine.parameter import Parameter
from engine.sampling import turn, warp


@transform(angle=Parameter(0.0, 0.0, 360.0, curve="circular", unit="degrees",
                           about="of the mirror: 0 repeats the left half on the right, 90 the lower half above"),
           moves=True, once=True)
def mirror(x, angle):
    """Fold one half of the maps over onto the other."""
    return warp(x, _fold, *turn(angle), border="border")


def _fold(right, down, c, s):
    beyond = (right * c - down * s).clamp(min=0) * 2                            # [H, W'] twice the way past the mirror
    return right - beyond * c, down + beyond * s
