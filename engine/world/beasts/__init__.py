"""Beasts on the masks' stage: the same factors and colours, other faces; a relative whose network descends from the masks'."""
from engine.world.beasts.paint import PARTS, paint
from engine.world.kind import World
from engine.world.masks import EYES, FACTORS, MOUTH, palette
from engine.world.masks import GROUPS as OF_MASKS
from engine.world.masks import PLACES as PLACES_OF_MASKS
from engine.world.masks import REGIONS as REGIONS_OF_MASKS

WEIGHTS = {"left_eye": 6, "right_eye": 6, "iris": 10, "pupil": 16, "lids": 2.5, "brows": 2.5, "lips": 3.5, "mouth": 3.5, "teeth": 5, "nose": 3, "jewel": 4,
           "earrings": 2.5, "face_paint": 2, "horns": 1.8, "ears": 1.6, "head": 1.3, "muzzle": 1.8, "rays": 1.2, "hair": 1.5}

GROUPS = OF_MASKS | {"crown": ("horns", "jewel"), "head": ("head", "muzzle", "face_paint", "nose")}

REGIONS = {name: parts for name, parts in REGIONS_OF_MASKS.items() if name not in ("crown", "hair", "face-paint")} | {
    "head": ("head", "muzzle", "face_paint", "nose", *MOUTH, *EYES, "brows"), "mane": ("hair",), "horns": ("horns", "jewel"), "muzzle": ("muzzle", "nose"),
    "stripes": ("face_paint",)}

PLACES = {name: parts for name, parts in PLACES_OF_MASKS.items() if name not in ("crown", "hair")} | {
    "head": REGIONS["head"], "mane": ("hair",), "horns": ("horns", "jewel"), "muzzle": ("muzzle", "nose"), "stripes": ("face_paint",)}

WORLD = World("beasts", "Beasts on the masks' stage.", FACTORS, PARTS, palette, paint, WEIGHTS, GROUPS, REGIONS, PLACES)
