"""How a control's travel is spread over its part of a parameter: curves of 0..1 and their inverses. Numbers only."""
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.easing import smoothstep


class Curve(NamedTuple):
    """there(position) -> place, back(place) -> position; both from 0..1 to 0..1, rising."""
    there: Callable[[float], float]
    back: Callable[[float], float]


CURVES = {
    "linear": Curve(lambda at: at, lambda at: at),
    "square": Curve(lambda at: at * at, math.sqrt),                          # fine near the low end
    "root": Curve(math.sqrt, lambda at: at * at),                            # fine near the high end
    "smooth": Curve(smoothstep,                                              # fine near both ends
                    lambda at: 0.5 - math.sin(math.asin(1 - 2 * at) / 3)),
}

if TYPE_CHECKING:                   # which reads no tuple
    CurveName = str
else:
    CurveName = Literal[tuple(CURVES)]


def place(position: float, span: tuple[float, float], curve: str = "linear", inverse: bool = False) -> float:
    """Return where within low..high a control at this position is."""
    low, high = span
    at = CURVES[curve].there(min(max(position, 0.0), 1.0))
    return high - at * (high - low) if inverse else low + at * (high - low)


def position(place: float, span: tuple[float, float], curve: str = "linear", inverse: bool = False) -> float:
    """Return the position whose place() this is; values outside the span are at the nearer end."""
    low, high = span
    at = min(max((place - low) / (high - low), 0.0), 1.0)
    return CURVES[curve].back(1.0 - at if inverse else at)
