"""The words for controls in mapping files: "cc 1/16", "key space". Whatever sends events declares the words it uses.

A control source hands its words to @control; the keyboard of the window declares its own below its code.
"""
import importlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """What follows a word. pattern: a regular expression. shown: how it is spelled in messages.

    end: the control's own number at its upper end, None for one that has no two ends. button: it is pressed, not turned.
    hand: whether a hand moves it; what comes by itself is never learned.
    """
    pattern: str
    shown: str
    end: float | None = None
    button: bool = False
    hand: bool = True


WORDS: dict[str, Word] = {}


def load_words() -> dict[str, Word]:
    """Return every word there is, {word: what follows it}. Sources of events know bindings, so they are imported by name."""
    importlib.import_module("live.controls")
    importlib.import_module("live.outputs.keyboard")
    return WORDS


def spell_words() -> str:
    """Return how every control can be named, for messages: by the alphabet, for modules come in any order."""
    return "; ".join(word.shown for _, word in sorted(load_words().items()))
