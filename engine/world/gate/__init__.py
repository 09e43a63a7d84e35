"""A gate of frames within frames, a sign of no alphabet inside: hard edges, few colours, black; made to be thrown on buildings."""
from engine.world.gate.factors import FACTORS
from engine.world.gate.paint import PARTS, paint
from engine.world.gate.palette import palette
from engine.world.kind import World

WEIGHTS = {"rays": 3, "fans": 1.3, "columns": 2, "bands": 2, "capitals": 2, "steps": 1.6, "zigzag": 2, "moons": 3, "gate": 1.3,
           "rings": 1.5, "inside": 2, "shadow": 6,
           "sign": 6, "dot": 12, "frame": 1.5}

GROUPS = {"background": ("background",), "rays": ("rays",), "fans": ("fans",), "columns": ("columns", "bands", "capitals"),
          "bands": ("bands",), "steps": ("steps",),
          "zigzag": ("zigzag",), "moons": ("moons",), "gate": ("gate",), "rings": ("rings",), "inside": ("inside", "shadow"),
          "sign": ("sign", "dot"), "frame": ("frame",)}

REGIONS = {"background": ("background",), "rays": ("rays",), "fans": ("fans",), "columns": ("columns", "bands", "capitals"), "steps": ("steps",),
           "zigzag": ("zigzag",),
           "moons": ("moons",), "gate": ("gate", "rings", "inside", "shadow", "sign", "dot"), "rings": ("rings",), "inside": ("inside", "shadow",
           "sign", "dot"),
           "sign": ("sign", "dot"), "frame": ("frame",)}

PLACES = {name: parts for name, parts in REGIONS.items() if name != "background"}

WORLD = World("gate", "A gate of frames within frames, and a sign inside.", FACTORS, PARTS, palette, paint, WEIGHTS, GROUPS, REGIONS, PLACES)
