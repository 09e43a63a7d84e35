"""A flower with an eye at its heart, seen from above: no up, no down; made to be bent, tiled and widened."""
from engine.world.bloom.factors import FACTORS
from engine.world.bloom.paint import PARTS, paint
from engine.world.bloom.palette import palette
from engine.world.kind import World

WEIGHTS = {"ripples": 1.6, "spores": 3, "arms": 1.6, "bulbs": 3, "petals": 1.5, "spots": 3, "inner_petals": 1.8, "filaments": 4, "anthers": 6,
           "core": 2.5, "seeds": 9, "iris": 8, "pupil": 16}

GROUPS = {"background": ("background",), "ripples": ("ripples",), "spores": ("spores",), "arms": ("arms",), "bulbs": ("bulbs",), "petals": ("petals", "spots"),
          "spots": ("spots",), "inner_petals": ("inner_petals",), "filaments": ("filaments",), "anthers": ("anthers",), "core": ("core", "seeds"),
          "eye": ("iris", "pupil")}

REGIONS = {"background": ("background",), "ripples": ("ripples",), "spores": ("spores",), "arms": ("arms",), "bulbs": ("bulbs",),
           "petals": ("petals", "spots"),
           "spots": ("spots",), "inner-petals": ("inner_petals",), "filaments": ("filaments", "anthers"), "heart": ("core", "seeds", "iris", "pupil"),
           "eye": ("iris", "pupil")}

PLACES = {name: parts for name, parts in REGIONS.items() if name not in ("background", "ripples")} | {
    "arms": ("arms", "bulbs"),
    "flower": (*REGIONS["petals"], "inner_petals", *REGIONS["filaments"], *REGIONS["heart"])}

WORLD = World("bloom", "A flower with an eye at its heart.", FACTORS, PARTS, palette, paint, WEIGHTS, GROUPS, REGIONS, PLACES)
