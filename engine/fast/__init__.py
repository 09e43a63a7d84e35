"""The fast path: one picture at a time, without gradients, every step in the form that measured fastest.

`engine.generator` is the network as one reads it; this folder computes the same pictures (to 2e-5) in less time, and
computes nothing twice. Knows tensors and generators, no scenes, no clock and, but for what is compiled once, no files.
"""
from engine.fast.kernels import levels, to_bytes
from engine.fast.splices import Blend
from engine.fast.synthesis import Synthesis

__all__ = ["Blend", "Synthesis", "levels", "to_bytes"]
