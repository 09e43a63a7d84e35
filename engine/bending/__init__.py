"""Network bending: what a bend is and how it acts at one layer, its channels in words, its plain data, the published files.

The transforms themselves: engine/bends/.
"""
from engine.bending.layer import EVERY, Bend, BendFailed, Memory, bend, read_network_bending

__all__ = ["EVERY", "Bend", "BendFailed", "Memory", "bend", "read_network_bending"]
