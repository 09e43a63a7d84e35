"""A Parameter declares one knob of the instrument: its range, curve and unit.

Plain values are what the engine uses (degrees, psi, seconds, a choice's name); normalized values are 0..1,
what a fader sends. Nothing here knows about MIDI, OSC or tensors.
"""
import math
from dataclasses import dataclass

from engine.errors import UserError

CURVES = ("linear", "square", "log", "circular")


@dataclass(frozen=True)
class Parameter:
    """One knob.

    curve: "linear"; "square" (finer steps near `low`); "log" (equal ratios, needs 0 < low); "circular" (an angle:
    `high` is `low` again, values wrap instead of being clamped, morphs take the short way round).
    step: values are rounded to multiples of it (1 = whole numbers); 0 = continuous.
    choices: the plain value is one of these names; `low`, `high` and `step` then follow from their number.
    words: names of single values of a number, ((word, value), ...), understood beside it.
    size: the plain value is a tuple of at most so many numbers (a latent); such a parameter has no normalized form.
    """
    default: float | str | tuple = 0.0
    low: float = 0.0
    high: float = 1.0
    curve: str = "linear"
    unit: str = ""
    about: str = ""
    step: float = 0.0
    choices: tuple[str, ...] = ()
    size: int = 0
    words: tuple[tuple[str, float], ...] = ()

    def __post_init__(self):
        if self.choices:
            object.__setattr__(self, "low", 0.0)
            object.__setattr__(self, "high", float(len(self.choices) - 1))
            object.__setattr__(self, "step", 1.0)
            if self.default not in self.choices:
                raise ValueError(f"default {self.default!r} is not one of {self.choices}")
        elif not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        if self.curve not in CURVES:
            raise ValueError(f"curve {self.curve!r} is not one of {CURVES}")
        if self.curve == "log" and self.low <= 0:
            raise ValueError("a log curve needs low > 0")

    def plain(self, normalized: float):
        """Return the plain value at 0..1 of the range, clamped to it."""
        at = min(max(float(normalized), 0.0), 1.0)
        if self.choices:
            return self.choices[min(int(at * len(self.choices)), len(self.choices) - 1)]
        if self.curve == "log":
            return self._round(self.low * (self.high / self.low) ** at)
        if self.curve == "square":
            at *= at
        return self._round(self.low + at * (self.high - self.low))

    def normalized(self, plain) -> float:
        """Return a plain value's place in the range, 0..1; the inverse of plain(). A vector has none: 0."""
        if self.size:
            return 0.0
        if self.choices:                                         # the middle of the choice's share of 0..1
            return (self.choices.index(self.clamp(plain)) + 0.5) / len(self.choices)
        value = self.clamp(plain)
        if self.curve == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        at = (value - self.low) / (self.high - self.low)
        return math.sqrt(at) if self.curve == "square" else at

    def move(self, plain, by: float):
        """Return the plain value moved `by` of the normalized range, stopped at the ends; an angle goes round.

        plain: a value this parameter has, not a vector.
        """
        if self.choices:
            return self.plain(self.normalized(plain) + by)
        if self.curve == "log":
            return self._round(min(max(plain * (self.high / self.low) ** by, self.low), self.high))
        across = self.high - self.low
        at = (plain - self.low) / across
        if self.curve == "square":
            at = math.sqrt(at) + by
            at = min(at, 1.0) ** 2 if at > 0.0 else 0.0
        else:
            at = (at + by) % 1.0 if self.curve == "circular" else min(max(at + by, 0.0), 1.0)
        return self._round(self.low + at * across)

    def clamp(self, plain):
        """Return the nearest allowed value. UserError for what cannot be one: NaN, a word for a number, an unknown choice."""
        if self.size:
            return self._vector(plain)
        if self.choices:
            return self._choice(plain)
        if self.words and isinstance(plain, str):
            plain = dict(self.words).get(plain, plain)
        try:
            value = float(plain)
        except (TypeError, ValueError, OverflowError):
            also = "".join(f" or {word}" for word, _ in self.words)
            raise UserError(f"expected a number {self.low:g}..{self.high:g}{also}, got {plain!r}") from None
        if not math.isfinite(value):
            raise UserError(f"expected a finite number {self.low:g}..{self.high:g}, got {value}")
        if self.curve == "circular":
            return self._round(self.low + (value - self.low) % (self.high - self.low))
        return self._round(min(max(value, self.low), self.high))

    def _round(self, value):
        if not self.step:
            return value
        stepped = self.low + round((value - self.low) / self.step) * self.step
        return min(max(stepped, self.low), self.high)

    def _choice(self, plain):
        if isinstance(plain, str):
            if plain in self.choices:
                return plain
        elif isinstance(plain, int) or isinstance(plain, float) and math.isfinite(plain):
            return self.choices[min(max(round(plain), 0), len(self.choices) - 1)]
        raise UserError(f"expected one of {', '.join(self.choices)}, got {plain!r}")

    def _vector(self, plain):
        values = plain if isinstance(plain, (tuple, list)) else (plain,)
        if len(values) > self.size:
            raise UserError(f"expected at most {self.size} numbers, got {len(values)}")
        try:
            values = tuple(float(v) for v in values)
        except (TypeError, ValueError, OverflowError):
            raise UserError(f"expected at most {self.size} numbers, got {plain!r}") from None
        if not all(math.isfinite(v) for v in values):
            raise UserError("expected finite numbers, got NaN or infinity among them")
        return tuple(self._round(min(max(v, self.low), self.high)) for v in values)
