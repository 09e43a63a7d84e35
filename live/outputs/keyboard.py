"""Keys as controls: "key space", "key f11", "key ctrl+s". Knows keys, not what they do.

The keys come from the window (live/outputs/window.py), for that is where the system delivers them.
"""
from live.show.clock import now
from live.show.events import ControlEvent

LIBRARIES = ("pygame",)
PREFIXES = ("ctrl", "alt", "shift", "meta")            # in this order, however they were pressed


class Keyboard:
    """Turns pygame's key events into ControlEvents; a release has the name its press had."""

    def __init__(self, now=now):
        self.now, self._down = now, {}

    def heard(self, event):
        """The ControlEvent of a pygame event, None if it is not of a key that has a name."""
        import pygame

        if event.type == pygame.KEYDOWN:
            name = named(event.key, event.mod)
            if not name or self._down.get(event.key) == name:    # held down, it repeats: that is no press
                return None
            self._down[event.key] = name
            return ControlEvent(f"key {name}", 1.0, True, self.now())
        if event.type == pygame.KEYUP and event.key in self._down:
            return ControlEvent(f"key {self._down.pop(event.key)}", 0.0, True, self.now())
        return None

    def let_go(self):
        """The window lost the keyboard: releases will not arrive, so these are they."""
        names, self._down = list(self._down.values()), {}
        return [ControlEvent(f"key {name}", 0.0, True, self.now()) for name in names]


def named(key, modifiers=0):
    """The name of a key with what is held beside it: "ctrl+s"; "" if it has none. A modifier is a key of its own."""
    import pygame

    name = pygame.key.name(key)
    masks = (pygame.KMOD_CTRL, pygame.KMOD_ALT, pygame.KMOD_SHIFT, pygame.KMOD_META)
    own = name.removeprefix("left ").removeprefix("right ")
    held = [prefix for prefix, mask in zip(PREFIXES, masks) if modifiers & mask and prefix != own]
    return "+".join([*held, name]) if name else ""
