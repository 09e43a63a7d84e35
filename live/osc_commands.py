"""Commands about OSC itself: who is told what changes. Import it for its commands.

A listener's own /subscribe goes to the echo with where it came from; these are for keys, pads and mappings.
"""
from engine.errors import UserError
from live.commands import command

HERE = ("127.0.0.1", 0)


@command("/subscribe")
def subscribe(show, port, prefix="", form="numbers"):
    """Tell the sender's machine, at this port, what changes below an address (or /n, /played + address), as numbers, text or all."""
    _echo(show).asked("/subscribe", (port, prefix, form), HERE)


@command("/unsubscribe")
def unsubscribe(show, port=None):
    """Tell the sender's machine no more, at this port or at all."""
    _echo(show).asked("/unsubscribe", () if port is None else (port,), HERE)


def _echo(show):
    if show.echo is None:
        raise UserError("this show has no OSC")
    return show.echo
