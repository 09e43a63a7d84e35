"""The world's colours: every hue hangs on the stage's, by musical intervals, so that any z is in tune.

Colours are [N, 3, 1, 1] in 0..1.
"""
from engine.world.colour import colour


def palette(f):
    """Return {colour name: [N, 3, 1, 1]} for factor values {name: [N, 1, 1]}."""
    stage = f["stage_hue"]
    skin = stage + 0.46 + f["skin_hue"]                # the face answers the stage: its complement, give or take
    halo = skin + 0.04 + f["halo_hue"]
    hair = stage - 0.10 + f["hair_hue"]
    paint = skin - 0.36 + f["paint_hue"]
    crown = halo - 0.03 + f["crown_hue"]
    light = f["skin_light"]
    return {
        "stage": colour(stage + f["stage_spread"], 0.94, f["stage_glow"]),
        "edge": colour(stage, 1.0, 0.04 + 0.24 * f["stage_glow"]),
        "beam": colour(stage + 0.5 * f["stage_spread"] + 0.05, 0.70, 0.9 * f["beams"]),
        "halo": colour(halo, 0.72, 1.0), "glow": colour(halo + 0.02, 0.86, f["halo_glow"]),
        "ray": colour(halo - 0.05, 0.85, 0.85),
        "hair": colour(hair, 0.85, f["hair_light"]), "sheen": colour(hair + 0.06, 0.70, f["hair_light"] + 0.25),
        "crown": colour(crown, 0.62, 1.0), "crown_low": colour(crown - 0.08, 0.90, 0.62),
        "jewel": colour(crown + 0.45 + 0.5 * f["paint_hue"], 0.92, 0.95),
        "skin": colour(skin, 0.62, light), "shadow": colour(skin - 0.07, 0.92, 0.42 * light),
        "rim": colour(halo, 0.55, f["rim"]), "blush": colour(skin - 0.10, 0.95, 0.9 * light),
        "paint": colour(paint, 0.90, 0.85), "kohl": colour(paint, 0.90, 0.13),
        "iris": colour(skin + 0.46 + f["iris_hue"], 0.88, 0.92),
        "lips": colour(skin - 0.10 + f["lip_hue"], 0.96, 0.40 + 0.35 * light), "mouth": colour(skin - 0.12, 0.95, 0.14),
        "brow": colour(hair, 0.90, 0.10 + 0.25 * f["hair_light"]),
        "collar": colour(paint + 0.02, 0.88, 0.62), "collar_trim": colour(crown, 0.62, 0.95),
    }
