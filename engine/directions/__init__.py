"""Directions: ways through w that change one thing of a picture, found in a network or read from other tools' files.

A direction is a vector, a unit (how far "1" goes: a standard deviation of what seeds show), the ws it acts on, and a name. Played
by engine/directions_live.py. Must not know scenes, time or pages.
"""
from engine.directions.data import Directions
from engine.directions.files import load, save
from engine.directions.find import METHODS, find

__all__ = ["METHODS", "Directions", "find", "load", "save"]
