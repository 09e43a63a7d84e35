"""What waits in the show's inbox: taken out without waiting, and cut where a frame has no time for more."""
import queue

from live.show.events import Call, Change

TOLD = ("/link", "/subscribe", "/unsubscribe", "/osc")      # commands of other programs, which no hand sends


def is_of_hand(item) -> bool:
    """Return whether an event comes from a hand, and not from another program that reports its own state."""
    return isinstance(item, Change) or isinstance(item, Call) and not item.command.startswith(TOLD)


def split(heard: list, calls: int) -> tuple[list, list]:
    """Return (a list up to so many commands, the rest of it)."""
    places = [place for place, item in enumerate(heard) if isinstance(item, Call)]
    end = places[calls] if len(places) > calls else len(heard)
    return heard[:end], heard[end:]


def drain(inbox):
    """Return everything that has arrived, oldest first, without waiting. One entry is an event, or a list of those that came together."""
    events: list = []
    while True:
        try:
            item = inbox.get_nowait()
        except queue.Empty:
            return events
        events += item if isinstance(item, list) else [item]
