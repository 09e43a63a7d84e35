"""The drawn worlds: each draws pictures and their part masks from z, and trains a generator on them.

A world is a package in this folder with a WORLD in it; everything beside is shared by all of them. `draw` and `parts` are
those of the built-in instrument's world, the masks.
"""
import importlib
import pkgutil

from engine.errors import UserError
from engine.world.kind import World
from engine.world.masks import WORLD as MASKS

PARTS, draw, parts = MASKS.parts, MASKS.draw, MASKS.mark_parts


def list_names() -> list[str]:
    """Return the names of the worlds there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def find(name: str) -> World:
    """Return the world of a name. UserError: there is none."""
    if name not in list_names():
        raise UserError(f"world {name!r}: there is none; there are {', '.join(list_names())}")
    return importlib.import_module(f"{__name__}.{name}").WORLD


__all__ = ["MASKS", "PARTS", "World", "draw", "find", "list_names", "parts"]
