"""Weights on stage: an instrument's edits and other checkpoints, weight presets, fades between them."""
