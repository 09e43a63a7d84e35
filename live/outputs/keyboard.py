"""Keys as controls: "key space", "key f11", "key ctrl+s", "key ö". Knows keys, not what they do.

The keys come from the window (live/outputs/window.py), for that is where the system delivers them.
"""
import unicodedata
from collections.abc import Callable

from live.mapping.words import WORDS, Word
from live.show.clock import now
from live.show.events import ControlEvent

LIBRARIES = ("pygame",)
WORDS |= {
    "key": Word(r"(?:(?:ctrl|control|strg|alt|option|shift|meta|cmd)\+)*\S(?:.*\S)?", "key NAME, such as space, f11, ctrl+s", button=True),
    "window": Word("close", "window close", button=True),
}
PREFIXES = ("ctrl", "alt", "shift", "meta")            # in this order, however they were pressed


class Keyboard:
    """Turns pygame's key events into ControlEvents; a release has the name its press had.

    bound(control): whether something is bound to it. A key whose letter nothing is bound to goes by its place on the keyboard:
    what a Latin keyboard has there.
    """

    def __init__(self, now=now, bound: Callable[[str], bool] = lambda control: False):
        self.now, self.bound = now, bound
        self._down: dict = {}

    def translate(self, event):
        """Return the ControlEvent of a pygame event, None if its key has no name."""
        import pygame

        if event.type == pygame.KEYDOWN:
            name = self._name_key(event)
            if not name or self._down.get(event.key) == name:    # held down, it repeats: that is no press
                return None
            self._down[event.key] = name
            return ControlEvent(f"key {name}", 1.0, True, self.now())
        if event.type == pygame.KEYUP and event.key in self._down:
            return ControlEvent(f"key {self._down.pop(event.key)}", 0.0, True, self.now())
        return None

    def _name_key(self, event):
        """Return the name of a key by its letter, or by its place where only that is bound."""
        name, place = name_key(event.key, event.mod), _name_by_place(event)
        return place if place and (not name or self.bound(f"key {place}") and not self.bound(f"key {name}")) else name

    def release_all(self):
        """Return releases of all keys that are down: the window has lost the keyboard, so the real ones will not arrive."""
        names, self._down = list(self._down.values()), {}
        return [ControlEvent(f"key {name}", 0.0, True, self.now()) for name in names]


def name_key(key, modifiers=0):
    """Return the name of a key with its modifiers, "ctrl+s"; "" if it has none. A modifier alone is a key of its own."""
    import pygame

    name = pygame.key.name(key) or _find_letter(key)
    masks = (pygame.KMOD_CTRL, pygame.KMOD_ALT, pygame.KMOD_SHIFT, pygame.KMOD_META)
    own = name.removeprefix("left ").removeprefix("right ")
    held = [prefix for prefix, mask in zip(PREFIXES, masks) if modifiers & mask and prefix != own]
    return "+".join([*held, name]) if name else ""


def _find_letter(key) -> str:
    """Return the letter of a key that pygame has no name for: where a layout has one there, the number is its character's."""
    letter = chr(key) if 0x20 < key < 0x110000 and not 0xd800 <= key < 0xe000 else ""
    return unicodedata.normalize("NFC", letter.lower()) if letter.isprintable() else ""


def _name_by_place(event) -> str:
    """Return the name a Latin keyboard gives the place of a key, with what is held beside it; "" for keys that are no letters,
    digits or signs. Those of the numeric pad are called as the others with the same sign.
    """
    name = PLACES.get(getattr(event, "scancode", 0), "")
    beside = name_key(event.key, event.mod).rpartition("+")[0] if name else ""
    return f"{beside}+{name}" if beside else name


PLACES = dict(zip(range(4, 40), "abcdefghijklmnopqrstuvwxyz1234567890"))        # by SDL's number of the place (USB's)
PLACES |= dict(zip((45, 46, 47, 48, 51, 52, 53, 54, 55, 56), "-=[];'`,./"))
PLACES |= dict(zip(range(84, 100), ["/", "*", "-", "+", "return", *"1234567890."]))
