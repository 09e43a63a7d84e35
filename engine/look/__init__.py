"""The look: a picture -> the w that comes near it, in one pass, by a matrix that is solved for, and can be trained on (train.py).

So a camera or a photograph leads the walk at once; projection (engine/projection) goes on from there. Source: SPEC2.md P.5.
"""
from engine.look.find import SEEDS, find
from engine.look.network import Look, load, save

__all__ = ["SEEDS", "Look", "find", "load", "save"]
