"""The gate's colours: ink, light, a colour, an accent and a third, all hung on one hue, so that any z is in tune.

Colours are [N, 3, 1, 1] in 0..1.
"""
import torch

from engine.world.colour import colour


def palette(f):
    """Return {colour name: [N, 3, 1, 1]} for factor values {name: [N, 1, 1]}: the ground is black, what lies on it light."""
    hue, strong = f["hue"], f["strength"]
    accent, third = hue + 0.46 + f["accent_hue"], hue + 0.22 + f["third_hue"]
    ink = colour(hue, 0.5, 0.015)
    light = colour(hue + 0.12, 0.10, 0.97)
    first = colour(hue, strong, 0.95)
    deep = colour(hue - 0.06, 0.95, 0.34)
    return {
        "ground": ink, "ray": deep,
        "first": first, "second": colour(accent, strong, f["accent_light"]), "third": colour(third, 0.9 * strong, 0.72),
        "ink": ink, "light": light,
        "sign": light, "shadow": torch.lerp(colour(accent, 0.95, 0.55), first, 0.3),
        "sun": colour(accent, 0.48 * strong, 0.95),
    }
