"""Commands that set the tempo by hand."""
from live.show.clock import now
from live.show.commands import command
from live.show.tempo import tempo_of


@command("/tempo/tap")
def tap(show, on=None, *, at=0.0):
    """Tap on the beat: two taps and more set the tempo, and where the beat is."""
    return tempo_of(show).tap(at or now())


@command("/tempo/one")
def one(show, on=None, *, at=0.0):
    """Now is the first beat of a bar."""
    return tempo_of(show).one(at or now())
