"""Commands of what is found in a network. Each returns what the loop shall apply."""
from engine.errors import UserError
from live.instrument.finds import Finds
from live.show.commands import command
from live.show.events import Change

MOVING = ("/directions/", "/channels/")


def find_finds(show) -> Finds:
    """Return the Finds of a show. UserError: it was started without."""
    if not isinstance(show.finds, Finds):
        raise UserError("this show has no folder that anything could be found in")
    return show.finds


@command("/directions/reload")
def reload_directions(show, on=None):
    """Look at the instrument's directions and clusters again: what is new joins the show."""
    find_finds(show).reload()


@command("/directions/clear")
def clear_directions(show, on=None):
    """Bring every direction and channel back to rest."""
    return [Change(address, 0.0) for address in show.scene.values if address.startswith(MOVING) and address.endswith(("/amount", "/hold"))]
