"""Commands about OSC itself: who is told what changes. Import it for its commands.

A listener's own /subscribe goes to the echo with where it came from; these are for keys, pads and mappings.
"""
import logging

from engine.errors import UserError
from live.mapping.binding import make_binding
from live.mapping.learn import find_target
from live.show.commands import command, to_number

log = logging.getLogger(__name__)

HERE = ("127.0.0.1", 0)


@command("/subscribe")
def subscribe(show, port, prefix="", form="numbers"):
    """Tell the sender's machine, at this port, what changes below an address (or /n, /played + address), as numbers, text or all."""
    _echo(show).answer_request("/subscribe", (port, prefix, form), HERE)


@command("/unsubscribe")
def unsubscribe(show, port=None):
    """Tell the sender's machine no more, at this port or at all."""
    _echo(show).answer_request("/unsubscribe", () if port is None else (port,), HERE)


@command("/osc/learn", guarded=True)
def learn(show, address, control=None, argument=None):
    """Bind an OSC address of your own to a parameter or command: one that came and meant nothing, and which of its arguments, or the next that moves."""
    mapping, wanted = show.mapping, find_target(address, show.scene)
    if control is None:
        mapping.learn.begin(wanted)
        log.info("learn: send from the control that is to play %s; /midi/cancel stops waiting", wanted)
        return
    unknown = mapping.stats.unknown_values if mapping.stats is not None else {}
    if control not in unknown:
        raise UserError(f"/osc/learn: nothing came at {control!r} lately; there came: {', '.join(list(unknown)[-8:]) or 'nothing unknown'}")
    which = None if argument is None else int(to_number(argument, of="/osc/learn"))
    mapping.learn.keep_osc(make_binding(control=f"osc {control}", to=wanted, argument=which))
    mapping.rebind()
    log.info("learned: osc %s%s plays %s; /midi/undo takes it back, /mapping/save keeps it", control, f", argument {which}," if which else "", wanted)


@command("/osc/unknown")
def unknown(show, on=None):
    """Log the OSC addresses that came and meant nothing, with what they brought: what /osc/learn can bind."""
    found = show.mapping.stats.unknown_values if show.mapping.stats is not None else {}
    log.warning("OSC: unknown: %s", ", ".join(f"{address} {value}" for address, value in found.items()) or "none")


def _echo(show):
    if show.echo is None:
        raise UserError("this show has no OSC")
    return show.echo
