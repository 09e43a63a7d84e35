"""Commands that set the tempo by hand."""
import math

from engine.errors import UserError
from live.show.clock import now
from live.show.commands import command
from live.show.tempo import find_tempo


@command("/tempo/tap")
def tap(show, on=None, *, at=0.0):
    """Tap on the beat: two taps and more set the tempo, and where the beat is."""
    return find_tempo(show).tap(at or now())


@command("/tempo/one")
def one(show, on=None, *, at=0.0):
    """Now is the first beat of a bar."""
    return find_tempo(show).mark_bar(at or now())


@command("/tempo/double")
def double(show, on=None):
    """Twice as fast, on the same beats; where the beat is heard, it is heard so from now on."""
    return find_tempo(show).multiply(2.0)


@command("/tempo/half")
def half(show, on=None):
    """Half as fast, on the same beats; where the beat is heard, it is heard so from now on."""
    return find_tempo(show).multiply(0.5)


@command("/link/beat")
def link(show, tempo, beat, *, at=0.0):
    """Ableton Link is at this tempo and beat now; run_live.py link says so ten times a second."""
    tempo, beat = _to_number(tempo, "tempo"), _to_number(beat, "beat")
    find_tempo(show).set_beat("link", tempo, beat, at or now())


def _to_number(given, name) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given) or name == "tempo" and not 10 <= given <= 1000:
        raise UserError(f"/link/beat: expected TEMPO BEAT as numbers, got {given!r} for the {name}")
    return float(given)
