"""Rewriting: rules of a generator changed from a few examples, and kept as small files that act at once.

Source: Bau et al. 2020, "Rewriting a Deep Generative Model"; SPEC.md C. Knows tensors and generators, no scenes.
"""
from engine.rewriting.edit import Edit, Rule, apply, load, save
from engine.rewriting.request import Mark, Picture, Request
from engine.rewriting.request_file import read_mask, read_request, write_request
from engine.rewriting.solve import Settings, solve
from engine.rewriting.style import StyleChange

__all__ = ["Edit", "Mark", "Picture", "Request", "Rule", "Settings", "StyleChange", "apply", "load", "read_mask", "read_request", "save", "solve",
           "write_request"]
