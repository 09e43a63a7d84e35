"""The bloom's colours: every hue hangs on the ground's, by musical intervals, so that any z is in tune.

Colours are [N, 3, 1, 1] in 0..1.
"""
from engine.world.colour import colour
from engine.world.shapes import smooth


def palette(f):
    """Return {colour name: [N, 3, 1, 1]} for factor values {name: [N, 1, 1]}."""
    return ground(f) | flower(f) | heart(f)


def ground(f):
    """Black for a sixth of all z, pale for as many."""
    hue, light = f["ground_hue"], f["ground_light"].clamp(min=0)
    pale = smooth(light, 0.45, 1.0)
    return {
        "ground": colour(hue, 0.92 - 0.62 * pale, 0.02 + 0.96 * light),
        "edge": colour(hue + f["ground_spread"], 0.95 - 0.45 * pale, 0.01 + 0.80 * light * light),
        "ripple": colour(hue + 0.5 * f["ground_spread"] + 0.06, 0.75 - 0.3 * pale, 0.16 + 0.80 * light),
        "glow": colour(petal_hue(f) + 0.05, 0.85, f["glow"] * (1 - 0.55 * pale)),
    }


def petal_hue(f):
    return f["ground_hue"] + 0.5 + f["petal_hue"]                         # the flower answers the ground: its complement, give or take


def inner_hue(f):
    return petal_hue(f) + 0.12 + f["inner_hue"]


def flower(f):
    hue, light, inside, inner_light = petal_hue(f), f["petal_light"], inner_hue(f), f["inner_light"]
    arm = hue - 0.3
    return {
        "spore": colour(arm + 0.1, 0.65, 1.0), "spore_low": colour(arm, 0.9, 0.45),
        "arm": colour(arm, 0.85, 0.62), "arm_low": colour(arm - 0.06, 0.95, 0.20), "bulb": colour(arm + 0.42, 0.80, 1.0),
        "petal": colour(hue, 0.80, light), "petal_tip": colour(hue + f["petal_fade"], 0.55, light + 0.05),
        "petal_low": colour(hue - 0.07, 0.97, 0.30 * light), "vein": colour(hue - 0.16, 0.92, 0.25 + 0.2 * light),
        "spot": colour(hue + 0.45, 0.85, 0.85), "spot_low": colour(hue + 0.38, 0.95, 0.10),
        "inner": colour(inside, 0.78, inner_light), "inner_tip": colour(inside + 0.10, 0.50, 1.0), "inner_low": colour(inside - 0.07, 0.97, 0.28 * inner_light),
    }


def heart(f):
    hue = inner_hue(f) + 0.45 + f["core_hue"]
    return {
        "filament": colour(hue - 0.08, 0.45, 0.95), "anther": colour(hue + 0.07, 0.88, 0.95),
        "core": colour(hue, 0.90, 0.55), "core_low": colour(hue - 0.06, 0.95, 0.14), "seed": colour(hue + 0.12, 0.65, 1.0),
        "iris": colour(hue + 0.5, 0.88, 0.95), "dark": colour(hue + 0.5, 0.9, 0.04),
    }
