"""Kept latents: places in w that are no seed's, in files: projected pictures, walks of other tools. Played as they are, untruncated."""
from engine.kept.data import Kept, load, save
from engine.kept.foreign import read_foreign

__all__ = ["Kept", "load", "read_foreign", "save"]
