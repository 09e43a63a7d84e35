"""The built-in instrument's own world: it draws pictures and their part masks from z, and trains a generator on them."""
from engine.world.draw import PARTS, draw, parts

__all__ = ["PARTS", "draw", "parts"]
