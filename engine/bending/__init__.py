"""Network bending: what a bend is and how it acts at one layer, its channels in words, its plain data, the published files.

The transforms themselves: engine/bends/.
"""
from engine.bending.data import bend_from_dict, new_bend, spread
from engine.bending.layer import EVERY, Bend, BendFailed, BendState, bend, bend_both, group_by_layer
from engine.bending.place import NO_PLACES, Places
from engine.bending.published import read_network_bending

__all__ = ["EVERY", "Bend", "BendFailed", "BendState", "NO_PLACES", "Places", "bend", "bend_both", "bend_from_dict", "group_by_layer",
           "new_bend", "read_network_bending", "spread"]
