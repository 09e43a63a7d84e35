"""Commands of the two decks and their crossfader. Each returns what the loop shall apply."""
from engine.errors import UserError
from live.presets.commands import find_recall
from live.presets.deck import SIDES, Deck
from live.presets.morph import Manner
from live.show.commands import command, to_number


def find_deck(show) -> Deck:
    """Return the decks of a show. UserError: it was started without."""
    find_recall(show)
    deck = show.find_player("deck")
    if deck is None:
        raise UserError("this show has no decks: it was started without")
    return deck


def _find_side(side) -> int:
    found = str(side).lower()
    if found not in SIDES:
        raise UserError(f"/deck/load: expected side a or b, got {side!r}")
    return SIDES.index(found)


@command("/deck/load")
def load(show, side, name):
    """Put a preset on deck a or b. On the one that is not seen nothing shows of it until the fader goes there; undo takes it off again."""
    deck, at = find_deck(show), _find_side(side)
    deck.load(at, show.recall.library.find_name(name, show.recall.bank))


@command("/deck/auto")
def auto(show, seconds=None):
    """The crossfader goes to the other deck over so many seconds (else /morph/beats, else /morph/seconds); again: back. It turns the decks on."""
    deck = find_deck(show)
    asked = None if seconds is None or seconds is True else to_number(seconds, "seconds", "/deck/auto")
    if asked is not None and asked < 0:
        raise UserError(f"/deck/auto: expected seconds from 0 up, got {asked:g}")
    return deck.start_auto(Manner.of(show.scene, None, asked))


@command("/deck/swap")
def swap(show, on=None):
    """Decks a and b change over, and the crossfader with them: what is seen stays."""
    return find_deck(show).swap()
