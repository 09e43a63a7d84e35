"""What waits in the show's inbox: taken out without waiting, and cut where a frame has no time for more."""
import queue

from live.show.events import Call


def split(heard: list, calls: int) -> tuple[list, list]:
    """Return what was heard up to so many commands, and the rest."""
    places = [place for place, item in enumerate(heard) if isinstance(item, Call)]
    end = places[calls] if len(places) > calls else len(heard)
    return heard[:end], heard[end:]


def drain(inbox):
    """Everything that has arrived, oldest first, without waiting. One entry is an event, or a list heard together."""
    events: list = []
    while True:
        try:
            item = inbox.get_nowait()
        except queue.Empty:
            return events
        events += item if isinstance(item, list) else [item]
