"""Keys of other layouts: by their letter where that is bound, else by their place."""
import pytest

from live.mapping.binding import Binding
from live.mapping.mapping import Mapping
from live.outputs.keyboard import Keyboard

pygame = pytest.importorskip("pygame")

B, SEMICOLON, ONE, KEYPAD_ONE, KEYPAD_ENTER, Q = 5, 51, 30, 89, 88, 20


def press(keyboard, key, scancode, mod=0):
    event = pygame.event.Event(pygame.KEYDOWN, key=key, mod=mod, scancode=scancode, unicode="")
    return keyboard.translate(event)


@pytest.mark.parametrize("key, scancode, mod, bound, name", [
    (ord("и"), B, 0, {"key b"}, "b"), (ord("и"), B, 0, {"key b", "key и"}, "и"), (ord("и"), B, 0, set(), "и"), (ord("β"), B, 0, {"key b"}, "b"), (ord("ö"), SEMICOLON, 0, {"key ö"}, "ö"),
    (ord("Ö"), SEMICOLON, 0, {"key ö"}, "ö"), (ord("&"), ONE, 0, {"key 1"}, "1"), (ord("&"), ONE, 0, {"key &"}, "&"), (ord("é"), ONE + 1, 0, {"key 2"}, "2"), (ord("a"), Q, 0, {"key a", "key q"}, "a"),
    (pygame.K_KP1, KEYPAD_ONE, 0, {"key 1"}, "1"), (pygame.K_KP1, KEYPAD_ONE, 0, {"key 1", "key [1]"}, "[1]"), (pygame.K_KP_ENTER, KEYPAD_ENTER, 0, {"key return"}, "return"),
    (ord("и"), B, pygame.KMOD_CTRL, {"key ctrl+b"}, "ctrl+b"), (0x40000000 | 0x3FF, B, 0, {"key b"}, "b"), (0, 0, 0, {"key b"}, None), (pygame.K_SPACE, 44, 0, {"key space"}, "space"),
])
def test_keys_of_all_layouts(key, scancode, mod, bound, name):
    keyboard = Keyboard(now=lambda: 1.0, bound=bound.__contains__)
    heard = press(keyboard, key, scancode, mod)
    assert (heard and heard.control) == (name and f"key {name}")
    if name:
        released = keyboard.translate(pygame.event.Event(pygame.KEYUP, key=key, mod=0, scancode=scancode))
        assert (released.control, released.value) == (f"key {name}", 0.0)


@pytest.mark.parametrize("written, name", [
    ("key Ö", "key ö"), ("key o\u0308", "key ö"), ("key shift+ctrl+S", "key ctrl+shift+s"), ("key Strg+q", "key ctrl+q"), ("key Enter", "key return"), ("key Esc", "key escape"),
    ("Key Space", "key space"), ("key +", "key +"), ("key ctrl++", "key ctrl++"), ("key page up", "key page up"), ("key F11", "key f11"), ("key и", "key и"), (" key b ", "key b"),
])
def test_keys_as_people_write_them_in_mapping_files(written, name):
    assert Binding(control=written, to="/freeze").control == name


def test_the_mapping_says_what_is_bound():
    mapping = Mapping([[Binding(control="key ö", to="/freeze")]])
    assert mapping.binds("key ö") and not mapping.binds("key b")
