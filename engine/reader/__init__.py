"""A network that reads the world's factors off a person in a picture: where the head is, and what the face does.

Two glances: `far` finds a head anywhere in the picture, `near` looks at the window around it. Trained on drawn people
(engine/world/masks/people.py); knows no scenes, no cameras and no clock.
"""
from engine.reader.files import load, save
from engine.reader.network import FACTORS_READ, Glance, Read, Reader

__all__ = ["FACTORS_READ", "Glance", "Read", "Reader", "load", "save"]
