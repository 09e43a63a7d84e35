"""What travels between threads. Frozen, so handing one over is safe."""
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple


class ControlEvent(NamedTuple):                       # a named tuple is made in half the time, and OSC makes thousands a second
    """What a hand did: `control` as the source names it ("cc 1/16", "note 1/36", "key space", "osc /fader/3").

    value: normalized 0..1 from MIDI and keys; over OSC whatever was sent (a number, a string, or a tuple of numbers).
    momentary: a key, pad or trigger: every press counts, however fast; value 0 is its release.
    at: when it arrived, on the clock of live.show.clock.now().
    """
    control: str
    value: float | str | tuple = 1.0
    momentary: bool = False
    at: float = 0.0


def make_fader_events(controls, values, at) -> list[ControlEvent]:
    """Return an event for each control and its number: in a third of the time that making them one by one takes."""
    return list(map(tuple.__new__, repeat(ControlEvent), zip(controls, values, repeat(False), repeat(at))))


@dataclass(frozen=True, slots=True)
class Change:
    """What the instrument hears: one parameter set to one plain value."""
    address: str
    value: float | str | tuple


@dataclass(frozen=True, slots=True)
class Call:
    """A command to run: its address ("/preset/recall"), the arguments sent with it, and when the hand did it."""
    command: str
    arguments: tuple = ()
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Asked(Call):
    """A command whose hand waits to hear how it went: answer(None), or answer(the UserError's line)."""
    answer: Callable = field(default=lambda fault: None, compare=False)

    @property
    def control(self) -> str:
        """What the meter counts it under."""
        return f"web {self.command}"


@dataclass(frozen=True, slots=True)
class Due:
    """Something that has waited for this moment: act() -> what to apply, in the scene there is by then."""
    act: Callable


@dataclass(frozen=True, slots=True)
class Touch:
    """Hands have just moved these parameters: their modulators keep off for a moment."""
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fade:
    """The way of /output/blackout to `to` takes so many seconds from end to end, this once."""
    to: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Tick:
    """One turn of the loop. time: seconds since the show began; dt: since the tick before."""
    frame: int
    time: float
    dt: float
