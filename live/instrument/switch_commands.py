"""Commands of the instrument that plays. Each returns what the loop shall apply."""
from engine.errors import UserError
from live.show.commands import command


def find_switch(show):
    """Return what opens instruments during a show. UserError: it was started without."""
    if show.switch is None:
        raise UserError("this show plays one instrument")
    return show.switch


@command("/instrument/open", guarded=True)
def open_other(show, name, preset=None):
    """Open another instrument beside the show, a folder's name or a path, and cross over to it in /instrument/seconds; a preset of it to begin with."""
    find_switch(show).open(str(name), None if preset is None else str(preset))
