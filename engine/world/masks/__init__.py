"""Masked faces on a stage: the world of the built-in instrument."""
from engine.world.kind import World
from engine.world.masks.factors import FACTORS
from engine.world.masks.paint import PARTS, paint
from engine.world.masks.palette import palette

WEIGHTS = {"left_eye": 6, "right_eye": 6, "iris": 14, "pupil": 20, "lids": 2.5, "brows": 2.5, "lips": 3.5, "mouth": 3.5, "teeth": 4,
           "nose": 2, "jewel": 3, "earrings": 2.5, "face_paint": 2, "crown": 1.5, "ears": 1.5, "head": 1.3, "rays": 1.2}

GROUPS = {"background": ("background",), "halo": ("halo",), "rays": ("rays",), "hair": ("hair",), "crown": ("crown", "jewel"),
          "head": ("head", "face_paint", "nose"), "face_paint": ("face_paint",), "nose": ("nose",), "brows": ("brows",),
          "eyes": ("lids", "left_eye", "right_eye", "iris", "pupil"), "mouth": ("lips", "mouth", "teeth"),
          "body": ("neck", "collar"), "ears": ("ears", "earrings")}

EYES, MOUTH = ("lids", "left_eye", "right_eye", "iris", "pupil"), ("lips", "mouth", "teeth")

REGIONS = {"head": ("head", "face_paint", "nose", *MOUTH, *EYES, "brows"), "halo": ("halo",), "background": ("background", "rays"), "eyes": EYES,
           "mouth": MOUTH,
           "hair": ("hair",), "crown": ("crown", "jewel"), "rays": ("rays",), "collar": ("collar", "neck"), "nose": ("nose",), "ears": ("ears", "earrings"),
           "brows": ("brows",), "face-paint": ("face_paint",)}

PLACES = {
    "eyes": ("left_eye", "right_eye", "iris", "pupil"), "mouth": MOUTH, "nose": ("nose",), "brows": ("brows",),
    "head": ("head", "face_paint", "nose", *MOUTH, *EYES, "brows"), "crown": ("crown", "jewel"), "halo": ("halo", "rays"), "collar": ("collar",),
    "hair": ("hair",), "ears": ("ears", "earrings"),
}

WORLD = World("masks", "Masked faces on a stage.", FACTORS, PARTS, palette, paint, WEIGHTS, GROUPS, REGIONS, PLACES)
