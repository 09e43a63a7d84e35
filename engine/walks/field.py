"""A field of seeds under two knobs, as a joystick plays it."""
from math import floor

from engine.easing import smoothstep
from engine.parameter import Parameter
from engine.walks import SEED, blend, standing, walk

COLUMNS = 100                       # one row of the field is so many seeds
X = Parameter(0.0, -50.0, 50.0, unit="seeds", about="across the field of seeds")
Y = Parameter(0.0, -50.0, 50.0, unit="seeds", about="down the field of seeds")


@walk(standing, seed=SEED, x=X, y=Y)
def field(at, seed, x, y):
    """Between the four seeds around (x, y): whole numbers are seeds, all between is smooth, and so are the borders of its cells."""
    column, row = floor(x), floor(y)
    across, down = smoothstep(x - column), smoothstep(y - row)
    corners = ((0, 0, (1 - across) * (1 - down)), (1, 0, across * (1 - down)), (0, 1, (1 - across) * down), (1, 1, across * down))
    first = int(seed) + column + row * COLUMNS
    return blend((((first + i + j * COLUMNS) % 2 ** 31, weight),) for i, j, weight in corners)
