"""Rewriting: rules of a generator changed from a few examples, and kept as small files that act at once.

Source: Bau et al. 2020, "Rewriting a Deep Generative Model"; SPEC.md C. Knows tensors and generators, no scenes.
"""
from engine.rewriting.edit import Edit, apply, load, save

__all__ = ["Edit", "apply", "load", "save"]
